// A store that forgets what is least worth keeping: S3-FIFO (Yang et al., SOSP 2023). What is new waits in a small
// queue, and only what is asked for again there gets into the main one; so a scan passes through without pushing out
// what is in use. What fell out of the small queue is remembered by name for a while, and is let in when it returns.

import { GhostQueue } from "./ghost-queue.ts";
import { type Held, isPast, type Kept, type Note } from "./held.ts";
import type { Key } from "./key.ts";
import { hashOf, KeyIndex } from "./key-index.ts";
import { Pages } from "./pages.ts";
import { RecordLog } from "./record-log.ts";
import { NOWHERE, type Place, Records, recordBytes } from "./records.ts";

/** How much is held: so many keys, or so many bytes. */
export type Limit = { readonly keys: number } | { readonly bytes: number };

/** Of what fits in, so much may be in the small queue. */
const SMALL_SHARE = 0.1;
/** Uses beyond this many do not make an entry worth more. */
const USES_MAX = 3;

/** A page is a small part of the store, for one is begun at the end of each queue and one is left at its beginning. */
const PAGES_MIN = 256;
const PAGE_BYTES_MIN = 256;
const PAGE_BYTES_MAX = 256 * 1024;
/** Where keys are counted, not bytes. */
const PAGE_BYTES = PAGE_BYTES_MAX;

export class S3Fifo {
  readonly #keysMax: number;
  readonly #bytesMax: number;
  readonly #records: Records;
  readonly #small: RecordLog;
  readonly #main: RecordLog;
  readonly #index: KeyIndex;
  readonly #ghosts = new GhostQueue();
  /** How many were pushed out by others, and how many had come to their end. */
  evictions = 0;
  expirations = 0;

  constructor(limit: Limit) {
    this.#keysMax = "keys" in limit ? limit.keys : Infinity;
    this.#bytesMax = "bytes" in limit ? limit.bytes : Infinity;
    const records = new Records(new Pages(pageBytes(limit)));
    this.#records = records;
    this.#small = new RecordLog(0, records);
    this.#main = new RecordLog(1, records);
    this.#index = new KeyIndex(records);
  }

  get size(): number {
    return this.#index.size;
  }

  /** Memory that is held. */
  get bytes(): number {
    return this.#small.bytes + this.#main.bytes + this.#index.bytes + this.#ghosts.bytes;
  }

  /** @param hash of the key, from who has it already */
  get(key: Key, hash: number = hashOf(key)): Kept | undefined {
    const place = this.#index.find(hash, key);
    if (place === NOWHERE) return undefined;
    const records = this.#records;
    if (isPast(records.expiresAt(place))) {
      this.#kill(hash, place);
      this.expirations += 1;
      return undefined;
    }
    records.use(place, USES_MAX);
    return records.read(place);
  }

  /** Looks without counting that as a use. */
  peek(key: Key): Kept | undefined {
    const place = this.#index.find(hashOf(key), key);
    if (place === NOWHERE) return undefined;
    return isPast(this.#records.expiresAt(place)) ? undefined : this.#records.read(place);
  }

  /** Holds a copy of it, unless it would not fit into an empty store. */
  set(key: Key, held: Held, note: Note): void {
    const hash = hashOf(key);
    const before = this.#index.find(hash, key);
    if (before !== NOWHERE) this.#kill(hash, before);
    const bytes = recordBytes(key.length, held.bytes.length);
    if (bytes > this.#bytesMax - this.#index.bytes - this.#ghosts.bytes) return;
    this.#index.reserve();
    const wasHere = this.#ghosts.take(hash, this.size);
    while (this.#isFull(bytes)) this.#evict();
    this.#index.add(hash, (wasHere ? this.#main : this.#small).add(hash, key, held, note));
  }

  /** Writes down anew for whom it is kept. */
  note(key: Key, note: Note): void {
    const place = this.#index.find(hashOf(key), key);
    if (place !== NOWHERE) this.#records.setNote(place, note);
  }

  delete(key: Key): boolean {
    const hash = hashOf(key);
    const place = this.#index.find(hash, key);
    if (place !== NOWHERE) this.#kill(hash, place);
    return place !== NOWHERE;
  }

  /** Its place in the queue stays taken until it is its turn. */
  #kill(hash: number, place: Place): void {
    this.#index.remove(hash, place);
    this.#records.kill(place);
    this.#logOf(place).dead += 1;
  }

  #logOf(place: Place): RecordLog {
    return this.#records.log(place) === this.#small.number ? this.#small : this.#main;
  }

  #isFull(bytes: number): boolean {
    const { size } = this;
    const records = this.#small.records + this.#main.records;
    if (records === 0) return false;
    // Where keys are counted the dead are not; but they must not become ever more.
    if (size >= this.#keysMax || records > 2 * this.#keysMax) return true;
    const { pages, pagesMax } = this.#records;
    return this.bytes + bytes > this.#bytesMax || pages.used + bytes / pages.size + 4 > pagesMax;
  }

  #evict(): void {
    const isSmallFull =
      this.#keysMax === Infinity
        ? this.#small.bytes > this.#bytesMax * SMALL_SHARE
        : this.#small.live > this.#keysMax * SMALL_SHARE;
    const log =
      (isSmallFull && this.#small.records > 0) || this.#main.records === 0 ? this.#small : this.#main;
    const place = log.first;
    if (this.#records.isDead(place)) log.dropFirst();
    else if (this.#records.uses(place) > 0) this.#promote(log, place);
    else this.#drop(log, place);
  }

  #promote(log: RecordLog, place: Place): void {
    const hash = this.#records.hash(place);
    this.#records.setUses(place, log === this.#small ? 0 : this.#records.uses(place) - 1);
    this.#index.move(hash, place, this.#main.takeFirst(log));
  }

  #drop(log: RecordLog, place: Place): void {
    const hash = this.#records.hash(place);
    this.#index.remove(hash, place);
    log.dropFirst();
    if (log === this.#small) this.#ghosts.add(hash, this.size);
    this.evictions += 1;
  }
}

function pageBytes(limit: Limit): number {
  if ("keys" in limit) return PAGE_BYTES;
  const bytes = Math.min(PAGE_BYTES_MAX, Math.max(PAGE_BYTES_MIN, limit.bytes / PAGES_MIN));
  return 2 ** Math.floor(Math.log2(bytes));
}
