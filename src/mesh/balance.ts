// How calls are spread over members: in turn, at random, to the least busy, by a key, or to those nearby first. A
// policy is asked for one call at a time, and never for a member that this call has tried before.

import type { Member } from "./cut.ts";
import { hash32, mix32 } from "./hash32.ts";

/** What a policy goes by. */
export interface Candidate {
  readonly member: Member;
  /** Calls to it that have not ended. */
  readonly underWay: number;
}

export interface Policy {
  /** `undefined` where all were tried. `key` is there where the policy wants one. */
  pick<C extends Candidate>(
    from: readonly C[],
    tried: readonly Candidate[],
    key: Key | undefined,
  ): C | undefined;
}

export type Key = string | Uint8Array;

/** With fewer calls under way nobody is too busy: a few at a time say nothing about shares. */
const BUSY_MIN = 32;

/** Each in turn. */
export class RoundRobin implements Policy {
  // Clients that start together must not all begin with the same member.
  #turn = Math.floor(Math.random() * 0x1_0000);

  pick<C extends Candidate>(from: readonly C[], tried: readonly Candidate[]): C | undefined {
    // A further attempt takes nobody's turn, or who fails would be asked first by every call. It may be one of many,
    // all away from one member at once, and they should not all go to one other.
    if (tried.length > 0) return anyOf(from, tried);
    this.#turn = (this.#turn + 1) >>> 0;
    return firstFrom(this.#turn, from, tried);
  }
}

/** Any of them. */
export class Random implements Policy {
  pick<C extends Candidate>(from: readonly C[], tried: readonly Candidate[]): C | undefined {
    return anyOf(from, tried);
  }
}

/** The one with the fewest calls of this process under way; in turn, where several have equally few. */
export class LeastPending implements Policy {
  #turn = Math.floor(Math.random() * 0x1_0000);

  pick<C extends Candidate>(from: readonly C[], tried: readonly Candidate[]): C | undefined {
    // A further attempt takes nobody's turn, or who fails would be asked first by every call.
    if (tried.length === 0) this.#turn = (this.#turn + 1) >>> 0;
    let least: C | undefined;
    for (let i = 0; i < from.length; i++) {
      const candidate = from[(this.#turn + i) % from.length]!;
      if (least !== undefined && candidate.underWay >= least.underWay) continue;
      if (!tried.includes(candidate)) least = candidate;
    }
    return least;
  }
}

/**
 * The owner of the key, by rendezvous hashing (Thaler and Ravishankar, 1998): when members come or go, only keys of
 * theirs change owners. A member that has `maxLoad` times its share of this process's calls under way passes keys
 * on to their next owners (bounded loads: Mirrokni, Thorup and Zadimoghaddam, 2018).
 */
export class ByKey implements Policy {
  readonly #maxLoad: number;
  #seedsOf: readonly Candidate[] = [];
  #seeds = new Uint32Array();

  constructor(maxLoad: number) {
    this.#maxLoad = maxLoad;
  }

  pick<C extends Candidate>(from: readonly C[], tried: readonly Candidate[], key: Key = ""): C | undefined {
    const seeds = this.#seedsFor(from);
    const hash = hash32(key);
    let load = 1;
    for (const { underWay } of from) load += underWay;
    const full = Math.max(BUSY_MIN, Math.ceil((this.#maxLoad * load) / from.length));
    let owner: C | undefined;
    let ownerScore = -1;
    let spare: C | undefined;
    let spareScore = -1;
    for (let i = 0; i < from.length; i++) {
      const score = mix32(hash ^ seeds[i]!);
      if (score <= spareScore && score <= ownerScore) continue;
      const candidate = from[i]!;
      if (tried.includes(candidate)) continue;
      if (score > spareScore) {
        spare = candidate;
        spareScore = score;
      }
      if (score > ownerScore && candidate.underWay < full) {
        owner = candidate;
        ownerScore = score;
      }
    }
    return owner ?? spare;
  }

  #seedsFor(from: readonly Candidate[]): Uint32Array {
    if (this.#seedsOf !== from) {
      this.#seedsOf = from;
      this.#seeds = Uint32Array.from(from, ({ member }) => hash32(member.address));
    }
    return this.#seeds;
  }
}

/**
 * Those nearby first: `tierOf` says how far away a member is, 0 the nearest. Where the members of a tier have
 * `overflow` calls each under way, calls go to the next tier as well.
 */
export class Prefer implements Policy {
  readonly #tierOf: (member: Member) => number;
  readonly #overflow: number;
  readonly #within: Policy;
  #tiersOf: readonly Candidate[] = [];
  #tiers: readonly (readonly Candidate[])[] = [];

  constructor(tierOf: (member: Member) => number, overflow: number, within: Policy) {
    this.#tierOf = tierOf;
    this.#overflow = overflow;
    this.#within = within;
  }

  pick<C extends Candidate>(
    from: readonly C[],
    tried: readonly Candidate[],
    key: Key | undefined,
  ): C | undefined {
    for (const tier of this.#tiersFor(from)) {
      let load = 0;
      for (const { underWay } of tier) load += underWay;
      if (load >= this.#overflow * tier.length) continue;
      const picked = this.#within.pick(tier, tried, key);
      if (picked !== undefined) return picked;
    }
    // Everybody is busy, or was tried: then distance counts no more.
    return this.#within.pick(from, tried, key);
  }

  #tiersFor<C extends Candidate>(from: readonly C[]): readonly (readonly C[])[] {
    if (this.#tiersOf !== from) {
      const tiers: C[][] = [];
      for (const candidate of from) {
        const tier = this.#tierOf(candidate.member);
        tiers[tier] ??= [];
        tiers[tier].push(candidate);
      }
      this.#tiersOf = from;
      this.#tiers = tiers.filter((tier) => tier !== undefined);
    }
    return this.#tiers as readonly (readonly C[])[];
  }
}

function anyOf<C extends Candidate>(from: readonly C[], tried: readonly Candidate[]): C | undefined {
  return firstFrom(Math.floor(Math.random() * from.length), from, tried);
}

function firstFrom<C extends Candidate>(
  first: number,
  from: readonly C[],
  tried: readonly Candidate[],
): C | undefined {
  for (let i = 0; i < from.length; i++) {
    const candidate = from[(first + i) % from.length]!;
    if (!tried.includes(candidate)) return candidate;
  }
  return undefined;
}
