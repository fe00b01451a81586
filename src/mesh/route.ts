// Which member a call goes to: one of those that may have it, or the one that was asked for.

import type { Key, Policy } from "./balance.ts";
import type { Candidates } from "./candidates.ts";
import type { Cut } from "./cut.ts";
import type { Line } from "./line.ts";
import type { UserCalls } from "./user-calls.ts";

export interface Route {
  /** Why there is nobody to call, in words. */
  readonly who: string;
  /** The next one to try, or `undefined` where all in this configuration were tried. */
  next(cut: Cut, tried: readonly Line[], key: Key | undefined): Line | undefined;
}

/** Calls are spread by a policy over those who answer, and go to the rest when these were tried. */
export class SpreadRoute implements Route {
  readonly who: string;
  readonly #candidates: Candidates;
  readonly #policy: Policy;

  constructor(candidates: Candidates, policy: Policy, who: string) {
    this.#candidates = candidates;
    this.#policy = policy;
    this.who = who;
  }

  next(cut: Cut, tried: readonly Line[], key: Key | undefined): Line | undefined {
    const line = this.#policy.pick(this.#candidates.usable(cut), tried, key);
    return line ?? this.#policy.pick(this.#candidates.all(cut), tried, key);
  }
}

export class SingleRoute implements Route {
  readonly who: string;
  readonly #calls: UserCalls;
  readonly #address: string;

  constructor(calls: UserCalls, address: string) {
    this.who = `${address} is not a member`;
    this.#calls = calls;
    this.#address = address;
  }

  next(cut: Cut, tried: readonly Line[]): Line | undefined {
    const member = cut.lookup(this.#address);
    const line = member && this.#calls.lineTo(member);
    return line !== undefined && !tried.includes(line) ? line : undefined;
  }
}
