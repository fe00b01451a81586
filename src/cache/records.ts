// What a record is: a head of numbers, then the key and the value, which may go over several pages. Whoever has its
// place can read it and change its numbers.

import { copyOfLongs } from "./copies.ts";
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
  return HEAD_BYTES + ((toWord(keyLength) + valueLength + 7) & ~7);
}

/** The value begins with a word, so that it can be read by words. */
export function toWord(bytes: number): number {
  return (bytes + 3) & ~3;
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

  expiresAt(place: Place): number {
    return this.pageOf(place).doubles[(place & this.#mask) + EXPIRES_AT_DOUBLE]!;
  }

  setUses(place: Place, uses: number): void {
    this.#set(place, USES, uses);
  }

  /** What a store shows of it. */
  read(place: Place): Kept {
    return new Window(this.pages, this.pageOf(place), place & this.#mask);
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

/** From the beginning of the page where its record begins, at this unit of eight bytes. */
function valueOffset(words: Int32Array, at: number): number {
  return at * 8 + HEAD_BYTES + toWord(words[at * 2 + KEY_LENGTH]!);
}

/** Reads a record when it is asked to. */
class Window implements Kept {
  readonly #pages: Pages;
  readonly #page: Page;
  /** Where the record begins, in units of eight bytes. */
  readonly #at: number;

  constructor(pages: Pages, page: Page, at: number) {
    this.#pages = pages;
    this.#page = page;
    this.#at = at;
  }

  get owner(): number {
    return this.#page.words[this.#at * 2 + OWNER]!;
  }

  get epoch(): number {
    return this.#page.words[this.#at * 2 + EPOCH]!;
  }

  get expiresAt(): number {
    return this.#page.doubles[this.#at + EXPIRES_AT_DOUBLE]!;
  }

  get bytes(): Uint8Array {
    const { words, bytes } = this.#page;
    const from = valueOffset(words, this.#at);
    const length = words[this.#at * 2 + VALUE_LENGTH]!;
    if (from + length > this.#pages.size) return this.#gathered(from, length);
    return new Uint8Array(bytes.buffer, from, length);
  }

  copy(): Uint8Array {
    const { words, longs } = this.#page;
    const from = valueOffset(words, this.#at);
    const length = words[this.#at * 2 + VALUE_LENGTH]!;
    if (from + length > this.#pages.size) return this.#gathered(from, length);
    return copyOfLongs(longs, from, length);
  }

  /** A copy of a value that lies in several pages, or not in the one where its record begins. */
  #gathered(from: number, length: number): Uint8Array {
    const { size } = this.#pages;
    const value = new Uint8Array(length);
    let page = this.#page;
    let at = from;
    for (let done = 0; done < length; ) {
      for (; at >= size; at -= size) page = this.#pages.at(page.next);
      const more = Math.min(length - done, size - at);
      value.set(page.bytes.subarray(at, at + more), done);
      done += more;
      at += more;
    }
    return value;
  }
}
