// Members that stayed behind and do not ask for what they missed, in the mesh or removed from it: found out, and repaired
// one attempt at a time (PITFALLS B4). These are Rust members; Node members ask for themselves.

import type { Finding } from "./configuration-check.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { History } from "./history.ts";
import type { ConfigurationId, Gossip, Reply } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";
import { Repair } from "./repair.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

export interface RepairCall {
  readonly kind: "repair";
  readonly repair: Repair;
}

interface Tried {
  readonly at: Millis;
  /** Where it was, and was told again what had ended that, if we knew. */
  readonly configuration?: ConfigurationId | undefined;
  /** Attempts in a row that found it nowhere. */
  readonly inVain: number;
}

/** How long one that stays behind is left alone after an attempt. */
const PAUSE_MS = 10_000;
/** Attempts under way at a time, each with one call open. */
const REPAIRS_MAX = 4;
const TRIED_MAX = 256;
/** By then anybody who knows where it is would have helped it. */
const IN_VAIN_MAX = 3;

export class Laggards {
  readonly #history: History;
  readonly #timeoutMs: Millis;
  readonly #out: Pick<Outgoing<RepairCall>, "call" | "note">;
  /** Who was found elsewhere, in how many rounds in a row. */
  readonly #elsewhere = new Map<Endpoint, number>();
  readonly #tried = new Map<Endpoint, Tried>();
  readonly #repairing = new Set<Endpoint>();
  /** Who was found in a configuration that we have left. */
  readonly #located = new Set<Endpoint>();
  readonly #asking = new Set<Endpoint>();
  #here: ConfigurationId | undefined;

  constructor(history: History, settings: Settings, out: Pick<Outgoing<RepairCall>, "call" | "note">) {
    this.#history = history;
    this.#timeoutMs = settings.faultTimeoutMs;
    this.#out = out;
  }

  /** The configuration has changed: whoever was elsewhere may be where we are. */
  follow(view: View | undefined): void {
    this.#here = view?.id;
    this.#elsewhere.clear();
    this.#located.clear();
    this.#asking.clear();
  }

  /** It was in a configuration that we have left when it was looked after last. */
  isBehind(node: Endpoint): boolean {
    return this.#located.has(node);
  }

  /** A member of ours asked where we are, as only Node members do, whatever it says that it is. */
  hasAsked(node: Endpoint): void {
    this.#asking.add(node);
  }

  /** Node members ask for what they missed. */
  asksItself(node: Endpoint, view: View): boolean {
    return view.isNode(node) || this.#asking.has(node);
  }

  /** A member said where it is. One that is only slower than we are is not behind when it is asked again. */
  found(node: Endpoint, finding: Finding, view: View, now: Millis): void {
    if (finding !== "other" && finding !== "behind") {
      // One that knows those before us, but not us, says so every other time: it may be behind where we were not yet.
      if (finding !== "stranger") this.#elsewhere.delete(node);
      this.#located.delete(node);
    } else if (!this.asksItself(node, view)) {
      const rounds = (this.#elsewhere.get(node) ?? 0) + 1;
      this.#elsewhere.set(node, rounds);
      if (rounds > 1) this.lookAfter(node, now);
    }
  }

  /**
   * Nobody can help this member of ours: it answers, but is in no configuration that we know of, and nobody else who might
   * know it has brought it back.
   */
  isLost(node: Endpoint): boolean {
    return this.#elsewhere.has(node) && (this.#tried.get(node)?.inVain ?? 0) >= IN_VAIN_MAX;
  }

  /** This member is behind, or was removed and may live on in a configuration that is over. */
  lookAfter(node: Endpoint, now: Millis): void {
    const tried = this.#tried.get(node);
    if (tried !== undefined && now < tried.at + PAUSE_MS) return;
    if (this.#repairing.size >= REPAIRS_MAX || this.#repairing.has(node)) return;
    const { newest, astray } = this.#history;
    const steps = (view: View) => (astray.includes(view) ? undefined : this.#history.stepsFrom([view.id]));
    const repair = new Repair(node, [...astray, ...newest], steps, tried?.configuration);
    this.#repairing.add(node);
    this.#remember(node, { at: now, inVain: tried?.inVain ?? 0 });
    this.#say(repair, repair.begin());
  }

  answered(repair: Repair, reply: Reply): void {
    this.#say(repair, repair.answered(reply));
  }

  /** It is astray: has it join anew, or leaves it where it is until it is looked after the next time. */
  decide(repair: Repair, isToGo: boolean): void {
    if (isToGo) return this.#say(repair, repair.evict());
    this.#repairing.delete(repair.node);
    this.#remember(repair.node, { at: -Infinity, configuration: repair.located?.id, inVain: 0 });
  }

  #say(repair: Repair, request: Gossip | undefined): void {
    const { node, result, located } = repair;
    // We turned to where it is meanwhile: what else would be said there is no word of ours.
    if (located !== undefined && located.id === this.#here) return void this.#repairing.delete(node);
    const isAstray = located !== undefined && this.#history.astray.includes(located);
    if (isAstray) this.#located.delete(node);
    else if (located !== undefined) this.#located.add(node);
    if (request !== undefined) this.#out.call({ kind: "repair", repair }, node, request, this.#timeoutMs);
    if (result === "under way" || result === "astray" || !this.#repairing.delete(node)) return;
    const { at, inVain } = this.#tried.get(node) ?? { at: -Infinity, inVain: 0 };
    if (result === "nowhere") {
      if (inVain + 1 === IN_VAIN_MAX) this.#out.note("warn", `nobody here knows where ${node} has gone`);
      this.#remember(node, { at, inVain: inVain + 1 });
    } else if (result !== "failed") this.#remember(node, { at, configuration: located?.id, inVain: 0 });
    if (result === "replayed") this.#out.note("info", `told ${node} again what it had missed`);
    else if (result === "evicted") this.#out.note("warn", `${node} cannot follow any more: had it join anew`);
  }

  #remember(node: Endpoint, tried: Tried): void {
    this.#tried.delete(node);
    this.#tried.set(node, tried);
    if (this.#tried.size > TRIED_MAX) this.#tried.delete(this.#tried.keys().next().value!);
  }
}
