// The names of those that were pushed out a while ago, as 32-bit hashes: to take one key for another now and then only
// lets it in sooner.

import type { Key } from "./key.ts";

/** From here on it is worth while to give back the part of the queue that was read. */
const COMPACT_FROM = 1024;

export class GhostQueue {
  readonly #names = new Set<number>();
  #queue: number[] = [];
  #first = 0;

  /** Keeps the newest `sizeMax`. */
  add(key: Key, sizeMax: number): void {
    const name = nameOf(key);
    if (!this.#names.has(name)) this.#queue.push(name);
    this.#names.add(name);
    while (this.#queue.length - this.#first > sizeMax) {
      this.#names.delete(this.#queue[this.#first]!);
      this.#first += 1;
    }
    if (this.#first >= COMPACT_FROM && this.#first * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Whether it was there; it is not any more. */
  take(key: Key): boolean {
    return this.#names.delete(nameOf(key));
  }
}

function nameOf(key: Key): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash | 0;
}
