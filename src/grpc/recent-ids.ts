// The last so many ids, in two generations: when the younger is full the older is forgotten at once, so that
// nothing is ever searched or sorted.

export class RecentIds {
  readonly #generationSize: number;
  #young = new Set<string>();
  #old = new Set<string>();

  /** Remembers at least the last `generationSize` ids, and at most twice as many. */
  constructor(generationSize: number) {
    this.#generationSize = generationSize;
  }

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }

  add(id: string): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(id);
  }

  delete(id: string): void {
    this.#young.delete(id);
    this.#old.delete(id);
  }
}
