// The rounds of all members of one configuration around a table, without anything else of a member: whoever searches
// decides which of them hears what when, twice, or never. What they say is held against the rules that voters must keep.
//
// Each has a clock of its own, which only its own timers move: then events at different members cannot disturb each other,
// and two orders that differ in nothing else are one.

import type { Conclusion } from "../../core/conclusion.ts";
import type { Millis } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import {
  type Alerts,
  type Edge,
  type Gossip,
  type Joiner,
  keyOf,
  type Proposal,
} from "../../core/messages.ts";
import { seededRandom } from "../../core/random.ts";
import { Round } from "../../core/round.ts";
import { DEFAULT_SETTINGS } from "../../core/settings.ts";
import type { View } from "../../core/view.ts";
import type { Violation } from "../checkers/checker.ts";
import { Votes } from "../checkers/votes.ts";
import { Process } from "../process.ts";
import { TraceHash } from "../trace-hash.ts";
import { type Line, nameOf, tellGossip } from "../transcript.ts";

/** Something that may happen to a member next. */
export interface Pending {
  /** The same in every run in which the same things led to it. */
  readonly name: string;
  readonly to: number;
  readonly kind: Gossip["kind"] | "notice" | "wake";
  /** Counts what happened; what made this one possible. */
  readonly cause: number;
  /** What is heard; of a notice all of its reports, of a wake nothing. */
  readonly gossip: readonly Gossip[];
}

export interface CouncilOptions {
  readonly view: View;
  /** What each member comes to see in the end, as its observers report it. */
  readonly notices: readonly (Proposal | undefined)[];
  /** Members whose patience with the fast round ends, once each time they are named. */
  readonly coordinators: readonly number[];
  readonly joinerOf: (node: Endpoint) => Joiner;
  readonly seed: bigint;
  readonly keepsLines?: boolean | undefined;
}

export class Council {
  /** In the order in which they came about. */
  readonly pending: Map<string, Pending> = new Map();
  readonly violations: Violation[] = [];
  readonly trace: TraceHash = new TraceHash();
  readonly lines: Line[] = [];
  steps = 0;
  #events = 0;
  readonly #options: CouncilOptions;
  readonly #rounds: readonly Round[];
  readonly #processes: readonly Process[];
  readonly #clocks: Millis[];
  readonly #said: number[];
  readonly #wakes: number[];
  readonly #decisions: (string | undefined)[];
  readonly #votes: Votes;

  constructor(options: CouncilOptions) {
    const { view, seed, notices, coordinators, joinerOf } = options;
    const { members } = view;
    this.#options = options;
    this.#rounds = members.map(
      (self, i) => new Round(view, self, DEFAULT_SETTINGS, seededRandom(seed + BigInt(i))),
    );
    this.#processes = members.map((endpoint, i) => processIn(view, endpoint, i));
    this.#clocks = members.map(() => 0);
    this.#said = members.map(() => 0);
    this.#wakes = members.map((_, i) => coordinators.filter((one) => one === i).length);
    this.#decisions = members.map(() => undefined);
    this.#votes = new Votes((invariant, process, what) => {
      const member = process === undefined ? {} : { member: process.endpoint as string };
      this.violations.push({ invariant, atMs: this.steps, ...member, what });
    });
    const joiners = new Set(notices.flatMap((value) => (value ?? []).filter((node) => !view.has(node))));
    // Who the joiners are is known to all from one report each, which is only noise to a detector.
    for (const batch of reportsOf(view, [...joiners].sort(), joinerOf)) {
      this.#votes.uttered(this.#processes[view.indexOf(batch.sender)]!, batch);
      const first = { ...batch, edges: batch.edges.filter(({ ring }) => ring === 0) };
      if (first.edges.length > 0) for (const round of this.#rounds) round.hear(first, 0);
    }
    for (const [to, value] of notices.entries()) {
      if (value === undefined) continue;
      const gossip = reportsOf(view, value, joinerOf);
      this.#add({ name: `notice >${to}`, to, kind: "notice", cause: -1, gossip });
    }
  }

  get members(): readonly Endpoint[] {
    return this.#options.view.members;
  }

  /** Has it happen, this many times in a row. */
  happen(event: Pending, times = 1): void {
    this.pending.delete(event.name);
    this.#events += 1;
    const { to } = event;
    for (let i = 0; i < times; i++) {
      this.steps += 1;
      this.trace.add(to);
      this.trace.addText(event.name);
      if (event.kind === "wake") {
        this.#clocks[to] = Math.max(this.#clocks[to]!, this.#rounds[to]!.wakeAt);
        this.#follow(to, this.#rounds[to]!.wake(this.#clocks[to]!));
      }
      for (const gossip of event.gossip) this.#hear(to, gossip);
    }
    this.#armWake(to);
  }

  #hear(to: number, gossip: Gossip): void {
    const { reply: _, ...conclusion } = this.#rounds[to]!.hear(gossip, this.#clocks[to]!);
    this.#follow(to, conclusion);
  }

  #follow(who: number, { say, promise, decided }: Conclusion): void {
    const { members } = this.#options.view;
    const self = members[who]!;
    for (const gossip of say) {
      this.#utter(who, gossip);
      for (const to of members.keys()) if (to !== who) this.#post(who, to, gossip);
    }
    if (promise !== undefined) {
      this.#utter(who, promise.message);
      if (promise.to !== self) this.#post(who, members.indexOf(promise.to), promise.message);
    }
    if (decided !== undefined) this.#decide(who, decided.value, decided.joiners);
    // Its own copy is heard when all is said.
    for (const gossip of say) this.#hear(who, gossip);
    if (promise?.to === self) this.#hear(who, promise.message);
  }

  #utter(who: number, gossip: Gossip): void {
    this.#tell(gossip.sender, () => tellGossip(gossip));
    this.#votes.uttered(this.#processes[who]!, gossip);
  }

  #decide(who: number, value: Proposal, joiners: ReadonlyMap<Endpoint, Joiner>): void {
    if (this.#decisions[who] !== undefined) return;
    const { view } = this.#options;
    const process = this.#processes[who]!;
    const key = keyOf(value);
    this.#tell(process.endpoint, () => `decides {${value.map(nameOf).join(" ")}}`);
    this.#decisions[who] = key;
    this.#votes.decided(process, view, view.next(value, joiners));
    const other = this.#decisions.find((one) => one !== undefined && one !== key);
    if (other === undefined) return;
    this.violations.push({
      invariant: 2,
      atMs: this.steps,
      member: process.endpoint,
      what: `decided {${key}}, another {${other}}`,
    });
  }

  #post(from: number, to: number, gossip: Gossip): void {
    this.#said[from]! += 1;
    const name = `${gossip.kind} ${from}#${this.#said[from]} >${to}`;
    this.#add({ name, to, kind: gossip.kind, cause: this.#events - 1, gossip: [gossip] });
  }

  #armWake(who: number): void {
    if (this.#wakes[who] === 0 || this.#rounds[who]!.wakeAt === Infinity) return;
    const name = `wake ${this.#wakes[who]} >${who}`;
    if (this.#decisions[who] !== undefined || this.pending.has(name)) return;
    this.#wakes[who]! -= 1;
    this.#add({ name, to: who, kind: "wake", cause: this.#events - 1, gossip: [] });
  }

  #tell(who: Endpoint, what: () => string): void {
    if (this.#options.keepsLines) this.lines.push({ atMs: this.steps, who: nameOf(who), what: what() });
  }

  #add(event: Pending): void {
    this.pending.set(event.name, event);
  }
}

function processIn(view: View, endpoint: Endpoint, number: number): Process {
  const host = { endpoint, isUp: true, aheadMs: 0, drift: 0, process: undefined };
  const process = new Process(number, host, view.recordOf(endpoint)!.metadata, "node", 0);
  process.cuts.push({ view, joined: [], kicked: [], degraded: false });
  return process;
}

/** What the observers of these nodes report when all of them join or are down, a batch for each observer. */
function reportsOf(view: View, nodes: Proposal, joinerOf: (node: Endpoint) => Joiner): readonly Alerts[] {
  const edges = new Map<Endpoint, Edge[]>();
  for (const node of nodes) {
    for (const [ring, observer] of view.observersOf(node).entries()) {
      if (observer === node) continue;
      const edge = view.has(node) ? { node, ring } : { node, ring, join: joinerOf(node) };
      edges.set(observer, [...(edges.get(observer) ?? []), edge]);
    }
  }
  return [...edges].map(([sender, list]) => ({
    kind: "alerts",
    sender,
    configuration: view.id,
    edges: list,
  }));
}
