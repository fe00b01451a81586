// What a record is: a head of numbers, then the key and the value, which may go over several pages. Whoever has its
// place can read it and change its numbers.

import type { Held, Kept, Note } from "./held.ts";
import type { Key } from "./key.ts";
import type { Page, Pages } from "./pages.ts";

/** Where a record is: its page and where it begins there, in units of eight bytes, as one number of 32 bits. */
export type Place = number;
export const NOWHERE: Place = -1;

/** Of each record, before its key and its value, never over two pages. Fields by the index of their word. */
export const HEAD_BYTES = 40;
const HASH = 0;
const KEY_LENGTH = 1;
const VALUE_LENGTH = 2;
const USES = 3;
const IS_DEAD = 4;
const LOG = 5;
const OWNER = 6;
const EPOCH = 7;
const EXPIRES_AT_DOUBLE = 4;

/** What a record takes. */
export function recordBytes(keyLength: number, valueLength: number): number {
  return HEAD_BYTES + ((keyLength + valueLength + 7) & ~7);
}

/** Reads and changes records, whichever log they are in. */
export class Records {
  readonly pages: Pages;
  readonly #shift: number;
  readonly #mask: number;

  constructor(pages: Pages) {
    this.pages = pages;
    this.#shift = Math.log2(pages.size / 8);
    this.#mask = pages.size / 8 - 1;
  }

  /** Places are numbers of 32 bits. */
  get pagesMax(): number {
    return 2 ** 31 / (this.#mask + 1);
  }

  placeOf(page: number, offset: number): Place {
    return (page << this.#shift) | (offset >>> 3);
  }

  pageOf(place: Place): Page {
    return this.pages.at(place >>> this.#shift);
  }

  /** In bytes, from the beginning of the page. */
  offsetOf(place: Place): number {
    return (place & this.#mask) << 3;
  }

  hash(place: Place): number {
    return this.#word(place, HASH);
  }

  bytes(place: Place): number {
    return recordBytes(this.#word(place, KEY_LENGTH), this.#word(place, VALUE_LENGTH));
  }

  isDead(place: Place): boolean {
    return this.#word(place, IS_DEAD) !== 0;
  }

  kill(place: Place): void {
    this.#set(place, IS_DEAD, 1);
  }

  /** The number of the log that it is in. */
  log(place: Place): number {
    return this.#word(place, LOG);
  }

  uses(place: Place): number {
    return this.#word(place, USES);
  }

  /** Uses beyond `max` are not counted. */
  use(place: Place, max: number): void {
    const { words } = this.pageOf(place);
    const at = (place & this.#mask) * 2 + USES;
    if (words[at]! < max) words[at] = words[at]! + 1;
  }

  setUses(place: Place, uses: number): void {
    this.#set(place, USES, uses);
  }

  /** What a store shows of it. */
  read(place: Place): Kept {
    const page = this.pageOf(place);
    const at = place & this.#mask;
    const { words } = page;
    const from = at * 8 + HEAD_BYTES + words[at * 2 + KEY_LENGTH]!;
    const length = words[at * 2 + VALUE_LENGTH]!;
    return {
      bytes:
        from + length <= this.pages.size
          ? new Uint8Array(page.bytes.buffer, from, length)
          : this.#gathered(page, from, length),
      expiresAt: page.doubles[at + EXPIRES_AT_DOUBLE]!,
      owner: words[at * 2 + OWNER]!,
      epoch: words[at * 2 + EPOCH]!,
    };
  }

  setNote(place: Place, { owner, epoch }: Note): void {
    this.#set(place, OWNER, owner);
    this.#set(place, EPOCH, epoch);
  }

  hasKey(place: Place, key: Key): boolean {
    const { length } = key;
    let page = this.pageOf(place);
    const head = place & this.#mask;
    if (page.words[head * 2 + KEY_LENGTH] !== length) return false;
    let at = head * 8 + HEAD_BYTES;
    for (let i = 0; i < length; ) {
      const end = Math.min(length, i + this.pages.size - at);
      const { bytes } = page;
      for (; i < end; i++, at++) if (bytes[at] !== key.charCodeAt(i)) return false;
      if (i < length) {
        page = this.pages.at(page.next);
        at = 0;
      }
    }
    return true;
  }

  /** A copy of a value that lies in several pages, or not in the one where its record begins. */
  #gathered(first: Page, from: number, length: number): Uint8Array {
    const value = new Uint8Array(length);
    let page = first;
    let at = from;
    for (let done = 0; done < length; ) {
      for (; at >= this.pages.size; at -= this.pages.size) page = this.pages.at(page.next);
      const size = Math.min(length - done, this.pages.size - at);
      value.set(page.bytes.subarray(at, at + size), done);
      done += size;
      at += size;
    }
    return value;
  }

  writeHead(place: Place, log: number, hash: number, key: Key, held: Held, { owner, epoch }: Note): void {
    const { words, doubles } = this.pageOf(place);
    const at = this.offsetOf(place) / 4;
    words[at + HASH] = hash;
    words[at + KEY_LENGTH] = key.length;
    words[at + VALUE_LENGTH] = held.bytes.length;
    words[at + USES] = 0;
    words[at + IS_DEAD] = 0;
    words[at + LOG] = log;
    words[at + OWNER] = owner;
    words[at + EPOCH] = epoch;
    doubles[at / 2 + EXPIRES_AT_DOUBLE] = held.expiresAt;
  }

  setLog(place: Place, log: number): void {
    this.#set(place, LOG, log);
  }

  #word(place: Place, field: number): number {
    return this.pageOf(place).words[(place & this.#mask) * 2 + field]!;
  }

  #set(place: Place, field: number, value: number): void {
    this.pageOf(place).words[(place & this.#mask) * 2 + field] = value;
  }
}
