// Copies of values, for callers to do with as they like. Small ones are cut from shared slabs, as Buffer.allocUnsafe
// does it too: memory of its own for each would take several times as long as all else that a hit needs.

/** Whoever keeps one copy keeps its slab, so it is no larger than it has to be for hardly any time to go into new ones. */
const SLAB_LONGS = 8 * 1024;
const SHARED_LONGS_MAX = SLAB_LONGS / 4;
/** Up to here, a loop takes less time than a window on the original, which is what copying it as a whole needs. */
const LOOP_LONGS_MAX = 32;

/** A window on a message of so many bytes keeps no more alive than a copy may, which keeps its slab. */
export const WINDOWED_BYTES_MAX: number = SLAB_LONGS * 8;

let slab = new BigInt64Array(0);
let used = 0;

export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = memory(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Of so many bytes from `at`, in memory that ends no sooner than the eight bytes that the last of them is in. */
export function copyOfLongs(from: BigInt64Array, at: number, length: number): Uint8Array {
  const first = at >>> 3;
  const longs = ((at + length + 7) >>> 3) - first;
  if (longs > LOOP_LONGS_MAX) return copyOf(new Uint8Array(from.buffer, at, length));
  const begin = cut(longs);
  const to = slab;
  for (let i = 0; i < longs; i++) to[begin + i] = from[first + i]!;
  return new Uint8Array(to.buffer, begin * 8 + (at & 7), length);
}

/** Bytes that nobody else has, for a caller to keep: as they are, unless far more memory would be kept with them. */
export function keepable(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, length } = bytes;
  const isLean = buffer.byteLength <= Math.max(WINDOWED_BYTES_MAX, length + (length >>> 2));
  return isLean ? new Uint8Array(buffer, byteOffset, length) : copyOf(bytes);
}

function memory(length: number): Uint8Array {
  const longs = (length + 7) >>> 3;
  if (longs > SHARED_LONGS_MAX) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  const at = cut(longs);
  return new Uint8Array(slab.buffer, at * 8, length);
}

/** Where so many times eight bytes of a slab are free. */
function cut(longs: number): number {
  if (used + longs > slab.length) {
    slab = new BigInt64Array(Buffer.allocUnsafeSlow(SLAB_LONGS * 8).buffer);
    used = 0;
  }
  used += longs;
  return used - longs;
}
