// The crate's placement (PROTOCOL §20): a hash ring on which each member has ten points. Which points depends on how
// the Rust compiler that built the members hashes an address, since its standard library changed that twice.

import { type Endpoint, hostOf, parseEndpoint, portOf } from "../core/endpoint.ts";
import { Fnv } from "../core/hash.ts";
import { bytesOf, type Key } from "./key.ts";
import type { Placement } from "./placement.ts";

/**
 * How the standard library with which the Rust members of a mesh were compiled hashes an address: "std-old" up to Rust
 * 1.63, "std-mid" from 1.64 until the change of August 2024 (rust-lang/rust#128946), "std-new" since.
 */
export type AddressLayout = "std-old" | "std-mid" | "std-new";

export const ADDRESS_LAYOUTS: readonly AddressLayout[] = ["std-new", "std-mid", "std-old"];

const POINTS_PER_MEMBER = 10;

/** A place on the ring, as the two halves of 64 bits, and whose it is. */
interface Point {
  readonly hi: number;
  readonly lo: number;
  readonly address: string;
}

export class RustRing implements Placement {
  readonly kind = "blip";
  readonly #points: readonly Point[];
  readonly #memberCount: number;

  /** @param addresses in the order of the cut: where two points fall together, the later member has the place. */
  constructor(addresses: readonly string[], layout: AddressLayout) {
    const points = new Map<bigint, Point>();
    for (const address of addresses) {
      for (const hash of pointsOf(address, layout)) {
        points.set(hash.digest(), { hi: hash.hi, lo: hash.lo, address });
      }
    }
    this.#points = [...points.values()].sort((a, b) => a.hi - b.hi || a.lo - b.lo);
    this.#memberCount = addresses.length;
  }

  *owners(key: Key): Generator<string, void, undefined> {
    const first = this.#firstFrom(hashOf(key));
    const seen = new Set<string>();
    for (let i = 0; seen.size < this.#memberCount && i < this.#points.length; i++) {
      const { address } = this.#points[(first + i) % this.#points.length]!;
      if (seen.has(address)) continue;
      seen.add(address);
      yield address;
    }
  }

  /** The first point at or after this place, around the ring. */
  #firstFrom({ hi, lo }: Fnv): number {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const point = this.#points[middle]!;
      if (point.hi < hi || (point.hi === hi && point.lo < lo)) low = middle + 1;
      else high = middle;
    }
    return low % this.#points.length;
  }
}

/** Where a key is on the ring. */
export function hashOf(key: Key): Fnv {
  return new Fnv().usize(key.length).bytes(bytesOf(key));
}

function* pointsOf(address: string, layout: AddressLayout): Generator<Fnv, void, undefined> {
  let hash = new Fnv().bytes(addressBytes(parseEndpoint(address, false)!, layout));
  for (let i = 0; i < POINTS_PER_MEMBER; i++) {
    yield hash;
    hash = new Fnv().bytes(littleEndian(hash.lo, hash.hi));
  }
}

/** What std's SocketAddr feeds to a hash. Members have neither flow label nor scope: both are 0. */
export function addressBytes(endpoint: Endpoint, layout: AddressLayout): Uint8Array {
  const host = hostOf(endpoint);
  const isV6 = host.length === 16;
  const family = littleEndian(isV6 ? 1 : 0, 0);
  const length = littleEndian(host.length, 0);
  const port = portOf(endpoint);
  const flowAndScope = isV6 ? new Uint8Array(8) : new Uint8Array(0);
  const parts = {
    "std-old": [family, [port >> 8, port & 0xff], isV6 ? length : [], host, flowAndScope],
    "std-mid": [family, length, host, [port & 0xff, port >> 8], flowAndScope],
    "std-new": [family, host, [port & 0xff, port >> 8], flowAndScope],
  }[layout];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Eight bytes, the little end first. */
function littleEndian(low: number, high: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, low, true);
  view.setUint32(4, high, true);
  return bytes;
}
