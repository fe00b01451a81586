// A set of small numbers, one bit each: the votes of ten thousand members fit in 1,250 bytes.

export class Bitset {
  #words: Uint32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#words = new Uint32Array((capacity + 31) >> 5);
  }

  get size(): number {
    return this.#size;
  }

  has(index: number): boolean {
    return ((this.#words[index >> 5]! >>> (index & 31)) & 1) === 1;
  }

  /** False where it was there already. */
  add(index: number): boolean {
    if (this.has(index)) return false;
    this.#words[index >> 5]! |= 1 << (index & 31);
    this.#size += 1;
    return true;
  }

  delete(index: number): void {
    if (!this.has(index)) return;
    this.#words[index >> 5]! &= ~(1 << (index & 31));
    this.#size -= 1;
  }
}

/** How many bits of a 32-bit word are set. */
export function countOnes(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
