/**
 * 2Q (Johnson and Shasha, VLDB 1994), the full version, with the sizes that the paper recommends: a quarter of the
 * places for what is new, and as many names as half of the places for what left it. The crate's store is of its kind.
 */
export class TwoQueue {
  readonly #max: number;
  readonly #newMax: number;
  readonly #namesMax: number;
  /** In the order in which they came: A1in. */
  readonly #new = new Set<string>();
  /** Names alone, in the order in which they left: A1out. */
  readonly #names = new Set<string>();
  /** In the order of their last use: Am. */
  readonly #used = new Set<string>();

  constructor(max: number) {
    this.#max = max;
    this.#newMax = Math.max(1, Math.floor(max / 4));
    this.#namesMax = Math.max(1, Math.floor(max / 2));
  }

  /** Whether it was there; it is there now. */
  access(key: string): boolean {
    if (this.#used.delete(key)) {
      this.#used.add(key);
      return true;
    }
    if (this.#new.has(key)) return true;
    const wasKnown = this.#names.delete(key);
    if (this.#new.size + this.#used.size >= this.#max) this.#makeRoom();
    (wasKnown ? this.#used : this.#new).add(key);
    return false;
  }

  #makeRoom(): void {
    if (this.#new.size < this.#newMax && this.#used.size > 0) {
      dropFirst(this.#used);
      return;
    }
    this.#names.add(dropFirst(this.#new));
    if (this.#names.size > this.#namesMax) dropFirst(this.#names);
  }
}

function dropFirst(set: Set<string>): string {
  const first = set.values().next().value!;
  set.delete(first);
  return first;
}
