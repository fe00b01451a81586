// Members vote when what they heard from observers says so: not before a subject is stable, not while another one is
// unstable, and not later either (Rapid §4.2). Who does so too soon breaks the agreement of almost everywhere that lets
// one round decide; who does not at all holds everybody up. Invariants 5 and 22 of PITFALLS §3.1, and the rule of B7:
// an observer that is itself reported on L rings or more cannot report, so its reports are implied, to a fixpoint. Who is
// accused by those alone whom the vote removes may be left out, once the others have had the time to accuse it too.
//
// What is implied is worked out here anew, with sets; what only time brings about (B9) is none of a vote's business here.

import type { Event, Millis } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { INQUIRY_RANK } from "../../core/inquiry.ts";
import {
  type Alerts,
  type ConfigurationId,
  compareRanks,
  type Gossip,
  type Joiner,
  type Proposal,
  type Request,
  sameMetadata,
} from "../../core/messages.ts";
import type { Settings } from "../../core/settings.ts";
import type { View } from "../../core/view.ts";
import type { Process } from "../process.ts";
import type { Checker, Report } from "./checker.ts";

/** Members of larger views hear too much for it to be looked at again. */
const MEMBERS_MAX = 64;
/** What is said in a configuration that a member is not in yet is kept for this long. */
const HOLD_MS = 30_000;

/** Of what is measured by a member's own clock, which may be fast. */
const CLOCKS_SLACK = 0.95;

/** What one member has heard in the configuration that it is in. */
interface Ear {
  readonly view: View;
  readonly rings: Map<Endpoint, Set<number>>;
  readonly firstAt: Map<Endpoint, Millis>;
  readonly joiners: Map<Endpoint, Joiner>;
  /** Joiners of whom different things were told: they are waited for. */
  readonly unsettled: Set<Endpoint>;
  /** It has voted, or promised not to. */
  isBound: boolean;
  /** It took the view in this step: what it had kept is heard in a row, and votes may come in between. */
  isFresh: boolean;
  isNews: boolean;
}

export class Reports implements Checker {
  readonly #report: Report;
  readonly #settings: Settings;
  readonly #now: () => Millis;
  readonly #ears = new Map<Process, Ear>();
  /** In the step under way somebody heard a report, or took a view. */
  #isStirred = false;
  readonly #held = new Map<Process, { readonly alerts: Alerts; readonly at: Millis }[]>();

  constructor(report: Report, settings: Settings, now: () => Millis) {
    this.#report = report;
    this.#settings = settings;
    this.#now = now;
  }

  heard(process: Process, request: Request): void {
    const gossip = request.kind === "broadcast" ? request.gossip : request;
    if (gossip.kind !== "alerts") return;
    const ear = this.#earOf(process, gossip.configuration);
    if (ear !== undefined) return this.#add(ear, gossip);
    if (request.kind !== "broadcast" || process.model !== "node") return;
    // It gave that configuration up, and does not listen.
    if (this.#ears.get(process)?.view.id === gossip.configuration) return;
    const now = this.#now();
    const held = (this.#held.get(process) ?? []).filter(({ at }) => now < at + HOLD_MS);
    this.#held.set(process, held);
    if (held.every(({ alerts }) => alerts !== gossip)) held.push({ alerts: gossip, at: now });
  }

  said(process: Process, request: Request): void {
    if (request.kind !== "broadcast" || request.gossip.kind !== "alerts") return;
    const ear = this.#earOf(process, request.gossip.configuration);
    if (ear !== undefined) this.#add(ear, request.gossip);
  }

  uttered(process: Process, gossip: Gossip): void {
    const ear = this.#earOf(process, gossip.configuration);
    if (ear === undefined || gossip.kind === "alerts") return;
    if (gossip.kind === "promise" && compareRanks(gossip.rank, INQUIRY_RANK) === 0) return;
    if (gossip.kind === "fastAccepted" && !ear.isBound) this.#checkVote(process, ear, gossip.value);
    if (gossip.kind !== "accept") ear.isBound = true;
  }

  took(process: Process, { view, degraded }: { readonly view: View; readonly degraded: boolean }): void {
    const before = this.#ears.get(process);
    const isAsBefore = before?.view.id === view.id;
    if (degraded && isAsBefore) return; // It gave up, and may go on in the same configuration, bound as it was.
    this.#ears.delete(process);
    if (degraded || process.model !== "node" || view.size > MEMBERS_MAX) return;
    const ear: Ear = isAsBefore ? { ...before, isFresh: true } : earIn(view);
    this.#ears.set(process, ear);
    this.#isStirred = true;
    const held = (this.#held.get(process) ?? []).filter(({ at }) => this.#now() < at + HOLD_MS);
    for (const { alerts } of held) if (alerts.configuration === view.id) this.#add(ear, alerts);
    // It may go on to the next view in the same step.
    this.#held.set(
      process,
      held.filter(({ alerts }) => alerts.configuration !== view.id),
    );
  }

  stepped(process: Process, _event: Event): void {
    if (!this.#isStirred) return;
    this.#isStirred = false;
    const ear = this.#ears.get(process);
    if (ear === undefined) return;
    ear.isFresh = false;
    if (!ear.isNews) return;
    ear.isNews = false;
    if (!ear.isBound && process.isLiving && process.isMember) this.#checkSilence(process, ear);
  }

  ended(process: Process): void {
    this.#ears.delete(process);
    this.#held.delete(process);
  }

  #earOf(process: Process, configuration: ConfigurationId): Ear | undefined {
    const ear = this.#ears.get(process);
    return ear?.view.id === configuration && process.isLiving && process.isMember ? ear : undefined;
  }

  #add(ear: Ear, { sender, edges }: Alerts): void {
    const { view, rings, firstAt, joiners, unsettled } = ear;
    if (!view.has(sender)) return;
    ear.isNews = true;
    this.#isStirred = true;
    for (const { node, ring, join } of edges) {
      if (view.has(node) === (join !== undefined)) continue;
      if (node === sender || view.observersOf(node)[ring] !== sender) continue;
      if (join !== undefined && view.knows(join.uuid)) continue;
      const reported = rings.get(node) ?? new Set();
      rings.set(node, reported.add(ring));
      if (!firstAt.has(node)) firstAt.set(node, this.#now());
      if (join === undefined) continue;
      const known = joiners.get(node);
      if (known === undefined) joiners.set(node, join);
      else if (known.uuid !== join.uuid || !sameMetadata(known.metadata, join.metadata)) unsettled.add(node);
    }
  }

  /**
   * Everybody in the vote is stable, were all implied that might be; and nobody else is unstable, unless for long, or for a
   * while and by the word of those alone who go.
   */
  #checkVote(process: Process, ear: Ear, value: Proposal): void {
    const { view, rings, firstAt, unsettled } = ear;
    const { low, high } = this.#settings.cutDetector;
    const { faultTimeoutMs, faultStrikes } = this.#settings;
    const isCut = value.filter((node) => view.has(node)).length >= Math.max(1, roomIn(view));
    for (const node of value) {
      const reported = rings.get(node) ?? new Set();
      const most = view
        .observersOf(node)
        .filter((observer, ring) => reported.has(ring) || rings.has(observer) || value.includes(observer));
      if (most.length < high && !isCut) {
        this.#report(5, process, `a vote for ${node}, reported on ${reported.size} rings, and H is ${high}`);
      }
    }
    if (isCut || ear.isFresh) return;
    const youngSince = this.#now() - CLOCKS_SLACK * 2 * faultStrikes * faultTimeoutMs;
    const freshSince = this.#now() - CLOCKS_SLACK * faultTimeoutMs;
    const isGoingForLong = (accuser: Endpoint): boolean =>
      value.includes(accuser) && (firstAt.get(accuser) ?? -Infinity) <= freshSince;
    for (const [node, reported] of rings) {
      const { size } = reported;
      if (size < low || value.includes(node) || unsettled.has(node) || firstAt.get(node)! <= youngSince)
        continue;
      const accusers = view.observersOf(node).filter((_, ring) => reported.has(ring));
      if (firstAt.get(node)! <= freshSince && accusers.every(isGoingForLong)) continue;
      this.#report(5, process, `a vote without ${node}, which is reported on ${size} rings, and L is ${low}`);
    }
  }

  /** Where somebody is stable and nobody unstable, it has made up its mind. */
  #checkSilence(process: Process, ear: Ear): void {
    const { low, high } = this.#settings.cutDetector;
    const counts = [...this.#implied(ear)].map(([node, { size }]) => ({ node, size }));
    const stable = counts.filter(({ size }) => size >= high);
    if (stable.length === 0 || counts.some(({ size }) => size >= low && size < high)) return;
    if (stable.some(({ node }) => ear.unsettled.has(node))) return;
    const { node, size } = stable[0]!;
    this.#report(
      22,
      process,
      `does not vote, though ${node} is reported on ${size} rings and nobody is unstable`,
    );
  }

  #implied({ view, rings }: Ear): ReadonlyMap<Endpoint, ReadonlySet<number>> {
    const { low, high } = this.#settings.cutDetector;
    const all = new Map([...rings].map(([node, reported]) => [node, new Set(reported)]));
    const isGoing = (node: Endpoint, atLeast: number): boolean =>
      view.has(node) && (all.get(node)?.size ?? 0) >= atLeast;
    if (![...all.keys()].some((node) => isGoing(node, low))) return all;
    for (let changed = true; changed; ) {
      changed = false;
      for (const [node, reported] of all) {
        if (reported.size >= high) continue;
        // With too few reports to be unstable it goes with others where all its observers are gone or accuse it.
        const atLeast = reported.size >= low ? low : high;
        const owed = view
          .observersOf(node)
          .flatMap((observer, ring) => (isGoing(observer, atLeast) ? [ring] : []));
        const implied = new Set([...reported, ...owed]);
        if (implied.size === reported.size || (reported.size < low && implied.size < view.observers))
          continue;
        all.set(node, implied);
        changed = true;
      }
    }
    return all;
  }
}

function earIn(view: View): Ear {
  return {
    view,
    rings: new Map(),
    firstAt: new Map(),
    joiners: new Map(),
    unsettled: new Set(),
    isBound: false,
    isFresh: true,
    isNews: false,
  };
}

/** Members that can go at once with enough left to decide it. */
function roomIn({ size, majority }: View): number {
  return size - majority;
}
