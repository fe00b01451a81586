// The rounds of all members of one configuration around one table, without anything else of a member: what they say
// is mail, and the test decides which letter arrives when, twice, or never. Keeps the minutes: what was voted for.

import type { Conclusion } from "../../src/core/conclusion.ts";
import type { Millis } from "../../src/core/doorway.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Alerts, Edge, Gossip, Joiner, Proposal, Reply } from "../../src/core/messages.ts";
import { keyOf } from "../../src/core/messages.ts";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { Round } from "../../src/core/round.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src/core/settings.ts";
import type { View } from "../../src/core/view.ts";
import { joinerAt } from "./sample-views.ts";

export interface Letter {
  readonly to: Endpoint;
  readonly gossip: Gossip;
}

export class Council {
  readonly view: View;
  readonly random: Random;
  readonly rounds: ReadonlyMap<Endpoint, Round>;
  readonly decisions = new Map<
    Endpoint,
    { readonly value: Proposal; readonly joiners: ReadonlyMap<Endpoint, Joiner> }
  >();
  readonly lost = new Set<Endpoint>();
  /** Everything that was ever said. */
  readonly minutes: Gossip[] = [];
  mail: Letter[] = [];
  /** Edges that each member wants to report. */
  readonly reports = new Map<Endpoint, Edge[]>();
  now: Millis = 0;
  /** A letter for which this is true is never delivered. */
  isLost: (letter: Letter) => boolean = () => false;
  /** Those who crashed: nothing is delivered to them, and they do not wake. */
  readonly crashed = new Set<Endpoint>();

  constructor(view: View, seed = 1n, settings: Settings = DEFAULT_SETTINGS) {
    this.view = view;
    this.random = seededRandom(seed);
    this.rounds = new Map(
      view.members.map((self) => [self, new Round(view, self, settings, seededRandom(this.random.u64()))]),
    );
  }

  get members(): readonly Endpoint[] {
    return this.view.members;
  }

  round(member: Endpoint): Round {
    return this.rounds.get(member)!;
  }

  /** A member hears something, from whomever. */
  tell(to: Endpoint, gossip: Gossip): Reply {
    const { reply, ...conclusion } = this.round(to).hear(gossip, this.now);
    this.#follow(to, conclusion);
    return reply;
  }

  wake(member: Endpoint): void {
    this.#follow(member, this.round(member).wake(this.now));
  }

  /** Lets a member see this cut: all observers of its nodes report them to it. */
  propose(member: Endpoint, value: Proposal, joinerOf: (node: Endpoint) => Joiner = joinerAt): void {
    for (const batch of batchesAbout(this.view, value, joinerOf)) this.tell(member, batch);
  }

  /** Lets everybody know who these joiners are, by one report each, which is only noise to the detector. */
  introduce(nodes: readonly Endpoint[], joinerOf: (node: Endpoint) => Joiner = joinerAt): void {
    for (const node of nodes) {
      const edges = [{ node, ring: 0, join: joinerOf(node) }];
      const sender = this.view.observersOf(node)[0]!;
      for (const to of this.members) {
        this.tell(to, { kind: "alerts", sender, configuration: this.view.id, edges });
      }
    }
  }

  /** Delivers one letter, if there is one and its reader lives. */
  deliver(index: number, isKept = false): void {
    const letter = this.mail[index];
    if (letter === undefined) return;
    if (!isKept) this.mail.splice(index, 1);
    if (this.crashed.has(letter.to) || this.isLost(letter)) return;
    this.tell(letter.to, letter.gossip);
  }

  /** Delivers all mail, also what is written meanwhile, in a drawn order. */
  deliverAll(): void {
    while (this.mail.length > 0) this.deliver(this.random.below(this.mail.length));
  }

  /** Delivers mail and lets time pass until the condition holds, or nothing more would happen, or time is up. */
  runUntil(isDone: () => boolean, withinMs: Millis = 600_000): boolean {
    const deadline = this.now + withinMs;
    for (;;) {
      this.deliverAll();
      if (isDone()) return true;
      const [at, member] = this.#nextToWake();
      if (at > deadline || member === undefined) return false;
      this.now = Math.max(this.now, at);
      this.wake(member);
    }
  }

  get living(): readonly Endpoint[] {
    return this.members.filter((member) => !this.crashed.has(member));
  }

  /** All who live decided, and this. */
  decided(value?: Proposal): boolean {
    return this.living.every((member) => {
      const decision = this.decisions.get(member);
      return decision !== undefined && (value === undefined || decision.value.join() === value.join());
    });
  }

  /** The values that enough members stand behind, whether or not anybody has noticed. */
  get chosen(): ReadonlySet<string> {
    const behind = new Map<string, Set<Endpoint>>();
    const chosen = new Set<string>();
    for (const gossip of this.minutes) {
      if (gossip.kind !== "fastAccepted" && gossip.kind !== "accepted") continue;
      const round = gossip.kind === "accepted" ? `${gossip.rank.round} ${gossip.rank.nodeIndex}` : "fast";
      const key = `${round} for ${keyOf(gossip.value)}`;
      const voters = behind.get(key) ?? new Set();
      behind.set(key, voters.add(gossip.sender));
      const quorum = gossip.kind === "accepted" ? this.view.majority : this.view.fastQuorum;
      if (voters.size >= quorum) chosen.add(keyOf(gossip.value));
    }
    return chosen;
  }

  said<K extends Gossip["kind"]>(kind: K): readonly Extract<Gossip, { kind: K }>[] {
    return this.minutes.filter((gossip): gossip is Extract<Gossip, { kind: K }> => gossip.kind === kind);
  }

  #follow(member: Endpoint, { say, promise, report, decided, isLost }: Conclusion): void {
    for (const gossip of say) {
      this.minutes.push(gossip);
      for (const to of this.members) this.mail.push({ to, gossip });
    }
    if (promise !== undefined) {
      this.minutes.push(promise.message);
      this.mail.push({ to: promise.to, gossip: promise.message });
    }
    if (report.length > 0) this.reports.set(member, [...(this.reports.get(member) ?? []), ...report]);
    if (decided !== undefined && !this.decisions.has(member)) this.decisions.set(member, decided);
    if (isLost) this.lost.add(member);
  }

  #nextToWake(): readonly [Millis, Endpoint | undefined] {
    let next: readonly [Millis, Endpoint | undefined] = [Infinity, undefined];
    for (const member of this.living) {
      if (this.decisions.has(member) || this.lost.has(member)) continue;
      const { wakeAt } = this.round(member);
      if (wakeAt < next[0]) next = [wakeAt, member];
    }
    return next;
  }
}

/** What the observers of these nodes report when all of them join or are down, a batch for each observer. */
export function batchesAbout(
  view: View,
  nodes: Proposal,
  joinerOf: (node: Endpoint) => Joiner = joinerAt,
): readonly Alerts[] {
  const edges = new Map<Endpoint, Edge[]>();
  for (const node of nodes) {
    for (const [ring, observer] of view.observersOf(node).entries()) {
      const edge = view.has(node) ? { node, ring } : { node, ring, join: joinerOf(node) };
      const batch = edges.get(observer);
      if (batch === undefined) edges.set(observer, [edge]);
      else batch.push(edge);
    }
  }
  return [...edges].map(([sender, list]) => ({
    kind: "alerts",
    sender,
    configuration: view.id,
    edges: list,
  }));
}
