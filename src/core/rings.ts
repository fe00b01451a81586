// K orderings of the same members. On each ring a member observes the next one, so that everybody has up to K
// observers, nearly at random. A member is a small number: its position on ring 0.
//
// Stepping from one set of members to the next merges the few newcomers into each order instead of sorting again.

import { compareEndpoints, type Endpoint } from "./endpoint.ts";
import { Fnv, hashBytesOf } from "./hash.ts";

/** One ring: who stands where, and by which key. */
interface Ring {
  /** Position on this ring → member. */
  readonly order: Uint32Array;
  /** Member → position on this ring. */
  readonly position: Uint32Array;
  /** Member → upper and lower half of its key, at 2i and 2i + 1. */
  readonly keys: Uint32Array;
}

interface Newcomer {
  readonly endpoint: Endpoint;
  readonly hashBytes: Uint8Array;
}

export class Rings {
  /** In ring 0 order, which is the order of the configuration id. */
  readonly members: readonly Endpoint[];
  /** What each member feeds to a hash, in the same order. */
  readonly hashBytes: readonly Uint8Array[];
  readonly #rings: readonly Ring[];

  private constructor(members: Endpoint[], hashBytes: Uint8Array[], rings: Ring[]) {
    this.members = members;
    this.hashBytes = hashBytes;
    this.#rings = rings;
  }

  static empty(count: number): Rings {
    const none = (): Uint32Array => new Uint32Array(0);
    const rings = Array.from({ length: count }, () => ({ order: none(), position: none(), keys: none() }));
    return new Rings([], [], rings);
  }

  get count(): number {
    return this.#rings.length;
  }

  /** The member before `member`, on each ring. */
  predecessors(member: number): readonly Endpoint[] {
    return this.#neighbours((ring, size) => ring.order[(ring.position[member]! + size - 1) % size]!);
  }

  successors(member: number): readonly Endpoint[] {
    return this.#neighbours((ring, size) => ring.order[(ring.position[member]! + 1) % size]!);
  }

  /** The members that would stand before a newcomer. */
  predecessorsOf(outsider: Endpoint): readonly Endpoint[] {
    const bytes = hashBytesOf(outsider);
    return this.#neighbours((ring, size, r) => {
      const at = this.#placeFor(ring, keyOn(r, bytes), outsider);
      return ring.order[(at + size - 1) % size]!;
    });
  }

  successorsOf(outsider: Endpoint): readonly Endpoint[] {
    const bytes = hashBytesOf(outsider);
    return this.#neighbours((ring, size, r) => {
      const at = this.#placeFor(ring, keyOn(r, bytes), outsider);
      return ring.order[at % size]!;
    });
  }

  /** The rings without the members in `leaving` and with `joining`, and where each old member went (-1: gone). */
  next(
    leaving: ReadonlySet<number>,
    joining: readonly Endpoint[],
  ): { readonly rings: Rings; readonly moved: Int32Array } {
    const newcomers = joining.map((endpoint) => ({ endpoint, hashBytes: hashBytesOf(endpoint) }));
    const size = this.members.length - leaving.size + newcomers.length;
    const moved = new Int32Array(this.members.length).fill(-1);
    const arrived = new Uint32Array(newcomers.length);
    const members: Endpoint[] = [];
    const hashBytes: Uint8Array[] = [];
    const rings = this.#rings.map((ring, r): Ring => {
      const merged = this.#merge(ring, r, leaving, newcomers);
      if (r === 0) {
        // Ring 0 numbers the members, so it goes first and the other rings follow its numbers.
        for (const [i, one] of merged.entries()) {
          if (one < 0) {
            arrived[-one - 1] = i;
            members.push(newcomers[-one - 1]!.endpoint);
            hashBytes.push(newcomers[-one - 1]!.hashBytes);
          } else {
            moved[one] = i;
            members.push(this.members[one]!);
            hashBytes.push(this.hashBytes[one]!);
          }
        }
      }
      const order = new Uint32Array(size);
      const position = new Uint32Array(size);
      const keys = new Uint32Array(2 * size);
      for (const [i, one] of merged.entries()) {
        const member = one < 0 ? arrived[-one - 1]! : moved[one]!;
        order[i] = member;
        position[member] = i;
        const key =
          one < 0
            ? keyOn(r, newcomers[-one - 1]!.hashBytes)
            : { hi: ring.keys[2 * one]!, lo: ring.keys[2 * one + 1]! };
        keys[2 * member] = key.hi;
        keys[2 * member + 1] = key.lo;
      }
      return { order, position, keys };
    });
    return { rings: new Rings(members, hashBytes, rings), moved };
  }

  /** A ring's new order: old members as they are numbered now, newcomer i as -1 - i. */
  #merge(ring: Ring, r: number, leaving: ReadonlySet<number>, newcomers: readonly Newcomer[]): number[] {
    const coming = newcomers
      .map((newcomer, i) => ({ i, endpoint: newcomer.endpoint, key: keyOn(r, newcomer.hashBytes) }))
      .sort((a, b) => a.key.hi - b.key.hi || a.key.lo - b.key.lo || compareEndpoints(a.endpoint, b.endpoint));
    const merged: number[] = [];
    let from = 0;
    for (const { i, endpoint, key } of coming) {
      const place = this.#placeFor(ring, key, endpoint);
      for (; from < place; from++) if (!leaving.has(ring.order[from]!)) merged.push(ring.order[from]!);
      merged.push(-1 - i);
    }
    for (; from < ring.order.length; from++)
      if (!leaving.has(ring.order[from]!)) merged.push(ring.order[from]!);
    return merged;
  }

  #neighbours(find: (ring: Ring, size: number, r: number) => number): readonly Endpoint[] {
    const size = this.members.length;
    if (size === 0) return [];
    return this.#rings.map((ring, r) => this.members[find(ring, size, r)]!);
  }

  /** How many members of the ring stand before (key, endpoint). */
  #placeFor(ring: Ring, key: Key, endpoint: Endpoint): number {
    let low = 0;
    let high = ring.order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const member = ring.order[middle]!;
      const difference =
        ring.keys[2 * member]! - key.hi ||
        ring.keys[2 * member + 1]! - key.lo ||
        compareEndpoints(this.members[member]!, endpoint);
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Key {
  readonly hi: number;
  readonly lo: number;
}

/** Where an endpoint stands on ring r (PROTOCOL §4). */
function keyOn(r: number, hashBytes: Uint8Array): Key {
  const { hi, lo } = new Fnv().usize(r).bytes(hashBytes);
  return { hi, lo };
}
