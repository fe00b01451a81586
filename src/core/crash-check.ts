// Whether a subject whose connection broke has crashed. Where a process is gone but its machine is not, the machine
// refuses connections to its address, at once and to everybody: a few refusals in a row, over some hundred
// milliseconds, say what else takes several probe periods to find out. Silence says nothing here, and neither does
// trouble of our own; both are left to the probes.

import type { Found, Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Settings } from "./settings.ts";

/** Before the first attempt to connect, since sockets of a process that ends do not close all at once, and between. */
export const DIAL_EVERY_MS = 50;

/** What an attempt to connect tells: `undefined` is nothing yet. */
export type Finding = "crashed" | "alive" | undefined;

const NOBODY: readonly Endpoint[] = [];

interface Check {
  refusals: number;
  /** When to dial next; Infinity while a dial is under way. */
  dialAt: Millis;
  isDialling: boolean;
  /** It is over: the next one begins then at the earliest. Absent while it is not. */
  restsUntil: Millis | undefined;
  /** By the last check that was brought to an end. */
  hasCrashed: boolean;
}

export class CrashCheck {
  readonly #settings: Settings;
  #checks = new Map<Endpoint, Check>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get wakeAt(): Millis {
    let at = Infinity;
    for (const { dialAt } of this.#checks.values()) at = Math.min(at, dialAt);
    return at;
  }

  /** Somebody was refused to be connected to, and it is not known yet whether that lasts. */
  get isUndecided(): boolean {
    for (const { refusals, restsUntil } of this.#checks.values()) {
      if (refusals > 0 && restsUntil === undefined) return true;
    }
    return false;
  }

  /** Checks these only. Those found crashed in the last configuration are dialled once more, and reported again. */
  follow(isSubject: (node: Endpoint) => boolean, now: Millis): void {
    for (const [subject, check] of this.#checks) {
      if (!isSubject(subject)) this.#checks.delete(subject);
      else if (check.hasCrashed) {
        check.refusals = this.#refusalsNeeded - 1;
        if (!check.isDialling) check.dialAt = now;
        check.restsUntil = undefined;
      }
    }
  }

  /** There is a reason to check: its connection broke, it cannot be probed, or another observer reports it. */
  doubt(subject: Endpoint, now: Millis): void {
    const check = this.#checks.get(subject);
    if (check !== undefined && check.restsUntil === undefined) return;
    const dialAt = Math.max(now + DIAL_EVERY_MS, check?.restsUntil ?? 0);
    this.#checks.set(subject, {
      refusals: 0,
      dialAt,
      isDialling: false,
      restsUntil: undefined,
      hasCrashed: check?.hasCrashed ?? false,
    });
  }

  /** Whom to try to connect to now. */
  due(now: Millis): readonly Endpoint[] {
    if (this.#checks.size === 0) return NOBODY;
    const subjects: Endpoint[] = [];
    for (const [subject, check] of this.#checks) {
      if (now < check.dialAt) continue;
      check.dialAt = Infinity;
      check.isDialling = true;
      subjects.push(subject);
    }
    return subjects;
  }

  /** Takes what an attempt to connect came to. */
  dialled(subject: Endpoint, found: Found, now: Millis): Finding {
    const check = this.#checks.get(subject);
    if (check?.isDialling !== true) return undefined;
    check.isDialling = false;
    if (found === "refused") check.refusals += 1;
    const hasCrashed = found === "refused" && check.refusals >= this.#refusalsNeeded;
    if (found === "refused" && !hasCrashed) {
      check.dialAt = now + DIAL_EVERY_MS;
      return undefined;
    }
    const { faultTimeoutMs } = this.#settings;
    check.hasCrashed = hasCrashed;
    // What was reported is reported again once in a period at most. Who lives is looked at sooner, but not without a
    // pause, lest one that takes connections and drops them keeps us busy.
    check.restsUntil = now + (found === "accepted" ? faultTimeoutMs / 4 : faultTimeoutMs);
    return hasCrashed ? "crashed" : found === "accepted" ? "alive" : undefined;
  }

  get #refusalsNeeded(): number {
    return 2 * this.#settings.faultStrikes;
  }
}
