// A store that forgets what is least worth keeping: S3-FIFO (Yang et al., SOSP 2023). What is new waits in a small
// queue, and only what is asked for again there gets into the main one; so a scan passes through without pushing out
// what is in use. What fell out of the small queue is remembered by name for a while, and is let in when it returns.

import { GhostQueue } from "./ghost-queue.ts";
import { isExpired, type Kept } from "./held.ts";
import type { Key } from "./key.ts";

/** Of what fits in, so much may be in the small queue. */
const SMALL_SHARE = 0.1;
/** Uses beyond this many do not make an entry worth more. */
const USES_MAX = 3;

interface Entry {
  readonly key: Key;
  readonly cost: number;
  held: Kept;
  uses: number;
  queue: Queue;
  /** Towards those that came earlier. */
  older: Entry | undefined;
  newer: Entry | undefined;
}

/** First in, first out, but that one may be taken out of the middle. */
class Queue {
  cost = 0;
  size = 0;
  #oldest: Entry | undefined;
  #newest: Entry | undefined;

  get oldest(): Entry | undefined {
    return this.#oldest;
  }

  add(entry: Entry): void {
    entry.queue = this;
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.cost += entry.cost;
    this.size += 1;
  }

  remove(entry: Entry): void {
    const { older, newer } = entry;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.cost -= entry.cost;
    this.size -= 1;
  }
}

export class S3Fifo {
  readonly costMax: number;
  readonly #costOf: (key: Key, held: Kept) => number;
  readonly #entries = new Map<Key, Entry>();
  readonly #small = new Queue();
  readonly #main = new Queue();
  readonly #ghosts = new GhostQueue();
  /** How many were pushed out by others, and how many had come to their end. */
  evictions = 0;
  expirations = 0;

  constructor(costMax: number, costOf: (key: Key, held: Kept) => number) {
    this.costMax = costMax;
    this.#costOf = costOf;
  }

  get size(): number {
    return this.#entries.size;
  }

  get cost(): number {
    return this.#small.cost + this.#main.cost;
  }

  get(key: Key): Kept | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (isExpired(entry.held)) {
      this.#remove(entry);
      this.expirations += 1;
      return undefined;
    }
    if (entry.uses < USES_MAX) entry.uses += 1;
    return entry.held;
  }

  /** Looks without counting that as a use. */
  peek(key: Key): Kept | undefined {
    const held = this.#entries.get(key)?.held;
    return held === undefined || isExpired(held) ? undefined : held;
  }

  /** What would not fit into an empty store is not kept. */
  set(key: Key, held: Kept): void {
    this.delete(key);
    const cost = this.#costOf(key, held);
    if (cost > this.costMax) return;
    const wasHere = this.#ghosts.take(key);
    while (this.cost + cost > this.costMax) this.#evict();
    const queue = wasHere ? this.#main : this.#small;
    const entry: Entry = { key, cost, held, uses: 0, queue, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    queue.add(entry);
  }

  delete(key: Key): boolean {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
    return entry !== undefined;
  }

  #remove(entry: Entry): void {
    entry.queue.remove(entry);
    this.#entries.delete(entry.key);
  }

  #evict(): void {
    if (this.#small.cost > this.costMax * SMALL_SHARE || this.#main.size === 0) this.#evictSmall();
    else this.#evictMain();
  }

  #evictSmall(): void {
    const entry = this.#small.oldest!;
    this.#small.remove(entry);
    if (entry.uses > 0) {
      entry.uses = 0;
      this.#main.add(entry);
      return;
    }
    this.#entries.delete(entry.key);
    this.#ghosts.add(entry.key, this.#entries.size);
    this.evictions += 1;
  }

  #evictMain(): void {
    const entry = this.#main.oldest!;
    this.#main.remove(entry);
    if (entry.uses > 0) {
      entry.uses -= 1;
      this.#main.add(entry);
      return;
    }
    this.#entries.delete(entry.key);
    this.evictions += 1;
  }
}
