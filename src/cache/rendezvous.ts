// The balanced placement: rendezvous hashing (Thaler and Ravishankar, 1998). Each member draws a lot for the key, and
// the highest owns it. Shares are equal but for chance, and when a member comes or goes, only the keys move that it
// wins or had won.

import { Fnv } from "../core/hash.ts";
import type { Key } from "./key.ts";
import type { Placement } from "./placement.ts";

export class Rendezvous implements Placement {
  readonly kind = "balanced";
  readonly #addresses: readonly string[];
  readonly #seeds: Uint32Array;

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
    this.#seeds = Uint32Array.from(addresses, (address) => {
      const { hi, lo } = new Fnv().bytes(Buffer.from(address));
      // FNV gives neighbouring ports nearly the same number.
      return mixed(mixed(hi) ^ lo);
    });
  }

  *owners(key: Key): Generator<string, void, undefined> {
    const { hi, lo } = new Fnv().bytes(Buffer.from(key, "latin1"));
    let [first, highest] = [0, -1];
    for (let i = 0; i < this.#seeds.length; i++) {
      const lot = lotOf(this.#seeds[i]!, hi, lo);
      if (lot > highest) [first, highest] = [i, lot];
    }
    yield this.#addresses[first]!;
    // Hardly anybody wants to know more than the first.
    const lots = this.#seeds.map((seed) => lotOf(seed, hi, lo));
    const order = this.#addresses.map((_, i) => i).sort((a, b) => lots[b]! - lots[a]! || a - b);
    for (const i of order.slice(1)) yield this.#addresses[i]!;
  }
}

function lotOf(seed: number, hi: number, lo: number): number {
  return mixed(mixed(lo ^ seed) ^ hi);
}

/** The finalizer of MurmurHash3 (Appleby, public domain): every bit of the input reaches every bit of the output. */
function mixed(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
