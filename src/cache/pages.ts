// Memory outside of the JavaScript heap, in pages of one size that are used again. What is held in them is nothing to
// the garbage collector: neither does it walk over a million entries, nor do those that were pushed out wait for it.

/** A page, with windows on it for numbers that are aligned. */
export interface Page {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly longs: BigInt64Array;
  /** The number of the page that goes on where this one is full. */
  next: number;
}

/** So many spare pages are kept, or a quarter of those in use. */
const SPARE_MIN = 4;

export class Pages {
  /** A power of two. */
  readonly size: number;
  readonly #pages: (Page | undefined)[] = [];
  /** Numbers of spare pages, and numbers without a page. */
  readonly #spare: number[] = [];
  readonly #vacant: number[] = [];
  /** How many are in use. */
  used = 0;

  constructor(size: number) {
    this.size = size;
  }

  at(number: number): Page {
    return this.#pages[number]!;
  }

  take(): number {
    this.used += 1;
    const spare = this.#spare.pop();
    if (spare !== undefined) return spare;
    const number = this.#vacant.pop() ?? this.#pages.length;
    const bytes = Buffer.allocUnsafeSlow(this.size);
    const words = new Int32Array(bytes.buffer);
    const doubles = new Float64Array(bytes.buffer);
    const longs = new BigInt64Array(bytes.buffer);
    this.#pages[number] = { bytes, words, doubles, longs, next: -1 };
    return number;
  }

  giveBack(number: number): void {
    this.used -= 1;
    if (this.#spare.length < Math.max(SPARE_MIN, this.used / 4)) this.#spare.push(number);
    else {
      this.#pages[number] = undefined;
      this.#vacant.push(number);
    }
  }
}
