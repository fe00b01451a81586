// Which member a call goes to: each in turn among those that may have it, or the one that was asked for.

import type { Cut, Member } from "./cut.ts";
import { invalid } from "./errors.ts";

/** How calls are spread over members. */
export type Balance = "roundRobin" | "random";

export interface Route {
  /** Who may be called, in words. */
  readonly who: string;
  /** The next one to try, or `undefined` where all in this configuration were tried. */
  next(cut: Cut, tried: ReadonlySet<string>): Member | undefined;
}

export class SpreadRoute implements Route {
  readonly who: string;
  readonly #service: string;
  readonly #where: ((member: Member) => boolean) | undefined;
  readonly #isRandom: boolean;
  // Clients that start together must not all begin with the same member.
  #turn = Math.floor(Math.random() * 0x1_0000);
  #cut: Cut | undefined;
  #candidates: readonly Member[] = [];

  constructor(service: string, where: ((member: Member) => boolean) | undefined, balance: Balance) {
    if (balance !== "roundRobin" && balance !== "random") {
      throw invalid("balance", '"roundRobin" or "random"', balance);
    }
    this.who = `no member serves ${service}${where === undefined ? "" : " and is accepted by `where`"}`;
    this.#service = service;
    this.#where = where;
    this.#isRandom = balance === "random";
  }

  /** Who serves this, in the order of the cut. */
  candidates(cut: Cut): readonly Member[] {
    if (this.#cut !== cut) {
      const where = this.#where;
      this.#candidates = cut.members.filter(
        (member) => member.has(this.#service) && (where === undefined || where(member)),
      );
      this.#cut = cut;
    }
    return this.#candidates;
  }

  next(cut: Cut, tried: ReadonlySet<string>): Member | undefined {
    const candidates = this.candidates(cut);
    const first = this.#isRandom ? Math.floor(Math.random() * candidates.length) : this.#turn++;
    for (let i = 0; i < candidates.length; i++) {
      const member = candidates[(first + i) % candidates.length]!;
      if (!tried.has(member.address)) return member;
    }
    return undefined;
  }
}

export class SingleRoute implements Route {
  readonly who: string;
  readonly #address: string;

  constructor(address: string) {
    this.who = `${address} is not a member`;
    this.#address = address;
  }

  next(cut: Cut, tried: ReadonlySet<string>): Member | undefined {
    const member = cut.lookup(this.#address);
    return member !== undefined && !tried.has(member.address) ? member : undefined;
  }
}
