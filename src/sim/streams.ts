// The dice of a simulation. One seed makes any number of streams, each named for who draws from it, so that a draw
// more in one place moves nothing anywhere else: another member, or a new kind of weather, leaves all others' dice alone.

import { Fnv } from "../core/hash.ts";
import { type Random, seededRandom } from "../core/random.ts";

/** Random numbers by xoshiro128**, in 32-bit arithmetic alone: equal on every machine, and fast. */
export class Stream implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: bigint) {
    const { u64 } = seededRandom(seed);
    const [first, second] = [u64(), u64()];
    this.#a = Number(first & 0xffffffffn) | 0;
    this.#b = Number(first >> 32n) | 0;
    this.#c = Number(second & 0xffffffffn) | 0;
    this.#d = Number(second >> 32n) | 1; // All zeroes would stay zeroes.
  }

  /** A whole number of 32 random bits. */
  u32(): number {
    const scrambled = Math.imul(turned(Math.imul(this.#b, 5), 7), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = turned(this.#d, 11);
    return scrambled >>> 0;
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** A whole number from 0 up to, not including, `limit`, which is at most 2^32. */
  below(limit: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * limit);
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True in this share of all draws. */
  chance(share: number): boolean {
    return this.u32() < share * 0x1_0000_0000;
  }

  pick<T>(things: readonly T[]): T {
    return things[this.below(things.length)]!;
  }
}

export class Streams {
  readonly #seed: bigint;

  constructor(seed: bigint) {
    this.#seed = seed;
  }

  /** A new stream; the same name gives the same numbers from the beginning. */
  of(name: string): Stream {
    const bytes = new TextEncoder().encode(`${this.#seed}/${name}`);
    return new Stream(new Fnv().bytes(bytes).digest());
  }
}

function turned(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
