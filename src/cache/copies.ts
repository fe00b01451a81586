// Copies of values, for callers to do with as they like. Small ones are cut from shared slabs, as Buffer.allocUnsafe
// does it too: memory of its own for each would take several times as long as all else that a hit needs.

/** Whoever keeps one copy keeps its slab, so it is no larger than it has to be for hardly any time to go into new ones. */
const SLAB_WORDS = 16 * 1024;
const SHARED_WORDS_MAX = SLAB_WORDS / 4;
/** Up to here, a loop takes less time than a window on the original, which is what copying it as a whole needs. */
const LOOP_WORDS_MAX = 64;

/** A window on a message of so many bytes keeps no more alive than a copy may, which keeps its slab. */
export const WINDOWED_BYTES_MAX: number = SLAB_WORDS * 4;

let slab = new Int32Array(0);
let used = 0;

export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = memory(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Of so many bytes that begin with the word at `from`, and in an array that ends no sooner than their last word. */
export function copyOfWords(from: Int32Array, at: number, length: number): Uint8Array {
  const words = (length + 3) >>> 2;
  if (words > LOOP_WORDS_MAX) return copyOf(new Uint8Array(from.buffer, at * 4, length));
  const to = cut(words);
  for (let i = 0; i < words; i++) slab[to + i] = from[at + i]!;
  return new Uint8Array(slab.buffer, to * 4, length);
}

/** Bytes that nobody else has, for a caller to keep: as they are, unless far more memory would be kept with them. */
export function keepable(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, length } = bytes;
  const isLean = buffer.byteLength <= Math.max(WINDOWED_BYTES_MAX, length + (length >>> 2));
  return isLean ? new Uint8Array(buffer, byteOffset, length) : copyOf(bytes);
}

function memory(length: number): Uint8Array {
  const words = (length + 3) >>> 2;
  if (words > SHARED_WORDS_MAX) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  const at = cut(words);
  return new Uint8Array(slab.buffer, at * 4, length);
}

/** Where so many words of a slab are free. */
function cut(words: number): number {
  if (used + words > slab.length) {
    slab = new Int32Array(Buffer.allocUnsafeSlow(SLAB_WORDS * 4).buffer);
    used = 0;
  }
  used += words;
  return used - words;
}
