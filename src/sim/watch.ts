// Shows every step of every member to the checkers, and keeps what they find. Members do not know that they are watched.

import type { Effect, Event, Machine, Millis, ViewChange } from "../core/doorway.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { ConfigurationId, Gossip, Request } from "../core/messages.ts";
import type { Settings } from "../core/settings.ts";
import type { View } from "../core/view.ts";
import { Bounds } from "./checkers/bounds.ts";
import type { Checker, Violation } from "./checkers/checker.ts";
import { Edges } from "./checkers/edges.ts";
import { History } from "./checkers/history.ts";
import { Joins } from "./checkers/joins.ts";
import { Relays } from "./checkers/relays.ts";
import { Reports } from "./checkers/reports.ts";
import { Rings } from "./checkers/rings.ts";
import { Votes } from "./checkers/votes.ts";
import type { Ending, Host, Process } from "./process.ts";
import { isRelay } from "./relay.ts";

/** A violation that a scenario expects: a model of a peer with bugs, or a mesh that is split on purpose. */
export type Excuse = (violation: Violation) => boolean;

export interface WatchOptions {
  readonly settings: Settings;
  readonly hosts: ReadonlyMap<Endpoint, Host>;
  readonly now: () => Millis;
  readonly startedAt: Millis;
  /** Called once for each step, before the checkers look at what came of it. */
  readonly stepped: (process: Process, event: Event, effects: readonly Effect[]) => void;
  /** Called for each effect, in order, but for answers and for what is only told on. */
  readonly did: (process: Process, effect: Effect) => void;
  /** A checker of its own, beside those that are always there. */
  readonly more?: readonly Checker[] | undefined;
}

/** The invariant of Paxos, and those that fall with it. */
const PROMISES = 4;
const FORCED: ReadonlySet<number> = new Set([2, 3, PROMISES, 6, 15]);

type Asked = Extract<Event, { readonly kind: "request" }>;
type Speech = Extract<Effect, { readonly kind: "send" | "call" }>;
type Hook = Exclude<keyof Checker, "ignoresBroadcasts">;
type LookingAt<H extends Hook> = readonly Required<Pick<Checker, H>>[];

/** Those who look at what is heard, said and answered. */
type Dialogue = { readonly [H in "heard" | "said" | "replied"]: LookingAt<H> };

export class Watch {
  readonly violations: Violation[] = [];
  /** What was found and is excused. */
  readonly excused: Violation[] = [];
  readonly history: History;
  readonly votes: Votes;
  readonly edges: Edges;
  readonly bounds: Bounds;
  readonly joins: Joins;
  readonly #options: WatchOptions;
  /** By what they look at: most checkers look at little of what happens. */
  readonly #lookingAt: { readonly [H in Hook]: LookingAt<H> };
  /** The same for broadcasts and their answers. */
  readonly #atBroadcasts: Dialogue;
  readonly #excuses: Excuse[] = [];
  /** Configurations in which a model of another peer voted against its promise. */
  readonly #betrayed = new Set<ConfigurationId>();
  /** More than one decision came of that. */
  #isSplit = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    const { settings, hosts, now, more = [] } = options;
    const report = this.report.bind(this);
    this.history = new History(report);
    this.votes = new Votes(report);
    this.edges = new Edges(report, hosts, settings, now);
    this.bounds = new Bounds(report, settings);
    this.joins = new Joins(report, now);
    const others = [
      new Rings(report),
      new Relays(report, now),
      this.joins,
      new Reports(report, settings, now),
    ];
    const checkers: Checker[] = [this.history, this.votes, this.edges, this.bounds, ...others, ...more];
    const having = <H extends Hook>(hook: H, among: readonly Checker[]): LookingAt<H> =>
      among.filter((checker): checker is Required<Pick<Checker, H>> => checker[hook] !== undefined);
    const lookingAt = <H extends Hook>(hook: H): LookingAt<H> => having(hook, checkers);
    const atBroadcasts = checkers.filter(({ ignoresBroadcasts }) => ignoresBroadcasts !== true);
    this.#atBroadcasts = {
      heard: having("heard", atBroadcasts),
      said: having("said", atBroadcasts),
      replied: having("replied", atBroadcasts),
    };
    this.#lookingAt = {
      started: lookingAt("started"),
      ended: lookingAt("ended"),
      heard: lookingAt("heard"),
      hungUp: lookingAt("hungUp"),
      said: lookingAt("said"),
      toldOn: lookingAt("toldOn"),
      uttered: lookingAt("uttered"),
      replied: lookingAt("replied"),
      took: lookingAt("took"),
      decided: lookingAt("decided"),
      stepped: lookingAt("stepped"),
      settled: lookingAt("settled"),
    };
  }

  /** Something that must not be. Of one that is there already, only the first is kept. */
  report(
    invariant: number,
    process: Process | undefined,
    what: string,
    where: ConfigurationId | undefined = process?.view?.id,
  ): void {
    const atMs = Math.round(this.#options.now() - this.#options.startedAt);
    const violation = {
      invariant,
      atMs,
      ...(process !== undefined && { member: process.endpoint as string }),
      what,
    };
    const isForeign = process !== undefined && process.model !== "node";
    const isExcused =
      isForeign || this.#isForced(invariant, where) || this.#excuses.some((excuse) => excuse(violation));
    if (isForeign && invariant === PROMISES && where !== undefined) this.#betrayed.add(where);
    (isExcused ? this.excused : this.violations).push(violation);
  }

  /** Where another peer broke its word, two values may be chosen, and no Node member can help it (PITFALLS B2). */
  #isForced(invariant: number, where: ConfigurationId | undefined): boolean {
    if (!FORCED.has(invariant) || this.#betrayed.size === 0) return false;
    const isHere = where !== undefined && this.#betrayed.has(where);
    if (isHere) this.#isSplit = true;
    return isHere || this.#isSplit;
  }

  /** From here on these are expected. */
  excuse(excuse: Excuse): void {
    this.#excuses.push(excuse);
  }

  /** The same machine, watched. One that throws has a defect, and ends. */
  over(process: Process, machine: Machine, broke: (error: unknown) => void): Machine {
    const step = (event: Event, now: Millis): readonly Effect[] => {
      const asked = event.kind === "request" ? event : undefined;
      if (asked !== undefined) {
        const { request, token } = asked;
        for (const checker of this.#checkersOf(request).heard) checker.heard(process, request, token);
      } else if (event.kind === "hangup") {
        for (const checker of this.#lookingAt.hungUp) checker.hungUp(process, event.token);
      }
      let effects: readonly Effect[];
      try {
        effects = machine.step(event, now);
      } catch (error) {
        this.report(9, process, `broke: ${error instanceof Error ? error.message : String(error)}`);
        broke(error);
        return [];
      }
      this.#options.stepped(process, event, effects);
      for (const effect of effects) this.#see(process, asked, effect);
      for (const checker of this.#lookingAt.stepped) checker.stepped(process, event);
      return effects;
    };
    return {
      step,
      get wakeAt() {
        return machine.wakeAt;
      },
    };
  }

  #checkersOf(request: Request): Dialogue {
    return request.kind === "broadcast" ? this.#atBroadcasts : this.#lookingAt;
  }

  started(process: Process): void {
    for (const checker of this.#lookingAt.started) checker.started(process);
  }

  ended(process: Process, how: Ending): void {
    for (const checker of this.#lookingAt.ended) checker.ended(process, how);
  }

  settled(): void {
    for (const checker of this.#lookingAt.settled) checker.settled();
  }

  /** `asked` is the request that the step deals with, if it deals with one. */
  #see(process: Process, asked: Asked | undefined, effect: Effect): void {
    switch (effect.kind) {
      case "send":
        return this.#seeSpeech(process, asked, effect, effect.to);
      case "call":
        return this.#seeSpeech(process, asked, effect, [effect.to]);
      case "reply": {
        const { token, reply } = effect;
        const { replied } = asked?.token === token ? this.#checkersOf(asked.request) : this.#lookingAt;
        for (const checker of replied) checker.replied(process, token, reply);
        return;
      }
      case "cut":
        this.#options.did(process, effect);
        return this.#took(process, effect.cut);
      case "left":
        this.#options.did(process, effect);
        process.leftAt = this.#options.now();
        process.wasRemoved = effect.removed;
        return this.ended(process, effect.removed ? "removed" : "left");
      default:
        return this.#options.did(process, effect);
    }
  }

  #seeSpeech(process: Process, asked: Asked | undefined, effect: Speech, to: readonly Endpoint[]): void {
    const { request } = effect;
    if (isRelay(asked?.request, request)) {
      for (const checker of this.#lookingAt.toldOn) checker.toldOn(process, request, to);
      return;
    }
    this.#options.did(process, effect);
    for (const checker of this.#checkersOf(request).said) checker.said(process, request, to);
    const gossip = gossipIn(request);
    if (gossip?.sender !== process.endpoint || this.#isForStragglers(process, effect, gossip)) return;
    for (const checker of this.#lookingAt.uttered) checker.uttered(process, gossip);
  }

  #took(process: Process, cut: ViewChange): void {
    const step = this.history.follow(process, cut);
    for (const checker of this.#lookingAt.took) checker.took(process, cut);
    process.cuts.push(cut);
    if (step !== undefined) this.#decided(process, step.from, step.to);
  }

  /** Members of other kinds that stayed behind are told things in their own configuration that nobody else is to hear. */
  #isForStragglers({ view }: Process, effect: Speech, { configuration }: Gossip): boolean {
    if (effect.kind !== "call" || configuration === view?.id) return false;
    return this.#options.hosts.get(effect.to)?.process?.seemsNode === false;
  }

  #decided(process: Process, from: View, to: View): void {
    for (const checker of this.#lookingAt.decided) checker.decided(process, from, to);
  }
}

/** What a request says of a configuration to all who are in it, if it does. */
function gossipIn(request: Request): Gossip | undefined {
  const said = request.kind === "broadcast" ? request.gossip : request;
  switch (said.kind) {
    case "alerts":
    case "fastAccepted":
    case "prepare":
    case "promise":
    case "accept":
    case "accepted":
      return said;
    default:
      return undefined;
  }
}
