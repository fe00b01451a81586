// Records one behind the other, in the order in which they were added: the one that was added first is the first to
// go. A record that is no longer wanted keeps its place until then.

import type { Held, Note } from "./held.ts";
import type { Key } from "./key.ts";
import type { Pages } from "./pages.ts";
import { HEAD_BYTES, NOWHERE, type Place, type Records, recordBytes, toWord } from "./records.ts";

export class RecordLog {
  readonly number: number;
  readonly #records: Records;
  readonly #pages: Pages;
  #firstPage = NOWHERE;
  #firstAt = 0;
  #lastPage = NOWHERE;
  #lastAt = 0;
  /** How many there are, and how many of them are dead. */
  records = 0;
  dead = 0;
  /** What they take. */
  bytes = 0;

  constructor(number: number, records: Records) {
    this.number = number;
    this.#records = records;
    this.#pages = records.pages;
  }

  get live(): number {
    return this.records - this.dead;
  }

  /** Where the one is that was added first; only where there are records. */
  get first(): Place {
    return this.#records.placeOf(this.#firstPage, this.#firstAt);
  }

  add(hash: number, key: Key, held: Held, note: Note): Place {
    const place = this.#begin();
    this.#records.writeHead(place, this.number, hash, key, held, note);
    this.#lastAt += HEAD_BYTES;
    this.#appendKey(key);
    this.#lastAt = toWord(this.#lastAt);
    this.#append(held.bytes);
    this.#end(recordBytes(key.length, held.bytes.length));
    return place;
  }

  /** Takes the first record of another log, or of this one, and answers where it is now. */
  takeFirst(from: RecordLog): Place {
    const place = this.#begin();
    const bytes = this.#records.bytes(from.first);
    let left = bytes;
    // Piece by piece, so that a page of the one can be the next page of the other.
    while (left > 0) {
      const size = Math.min(left, this.#pages.size - from.#firstAt);
      const piece = this.#pages.at(from.#firstPage).bytes.subarray(from.#firstAt, from.#firstAt + size);
      this.#append(piece);
      left -= size;
      from.#firstAt += size;
      if (left > 0) from.#dropPage();
    }
    this.#records.setLog(place, this.number);
    this.#end(bytes);
    from.#dropped(bytes);
    return place;
  }

  dropFirst(): void {
    const { first } = this;
    if (this.#records.isDead(first)) this.dead -= 1;
    const bytes = this.#records.bytes(first);
    this.#firstAt += bytes;
    while (this.#firstAt > this.#pages.size) {
      this.#firstAt -= this.#pages.size;
      this.#dropPage(this.#firstAt);
    }
    this.#dropped(bytes);
  }

  /** A place for the head of a record. */
  #begin(): Place {
    if (this.#lastPage === NOWHERE) {
      this.#lastPage = this.#pages.take();
      this.#firstPage = this.#lastPage;
      this.#firstAt = 0;
      this.#lastAt = 0;
    } else if (this.#pages.size - this.#lastAt < HEAD_BYTES) this.#addPage();
    return this.#records.placeOf(this.#lastPage, this.#lastAt);
  }

  #end(bytes: number): void {
    this.#lastAt = (this.#lastAt + 7) & ~7;
    this.records += 1;
    this.bytes += bytes;
  }

  #addPage(): void {
    const page = this.#pages.take();
    this.#pages.at(this.#lastPage).next = page;
    this.#lastPage = page;
    this.#lastAt = 0;
  }

  #appendKey(key: Key): void {
    const room = this.#pages.size - this.#lastAt;
    if (key.length > room) {
      this.#append(Buffer.from(key, "latin1"));
      return;
    }
    this.#pages.at(this.#lastPage).bytes.write(key, this.#lastAt, "latin1");
    this.#lastAt += key.length;
  }

  #append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      if (this.#lastAt === this.#pages.size) this.#addPage();
      const size = Math.min(bytes.length - done, this.#pages.size - this.#lastAt);
      const whole = done === 0 && size === bytes.length;
      this.#pages
        .at(this.#lastPage)
        .bytes.set(whole ? bytes : bytes.subarray(done, done + size), this.#lastAt);
      done += size;
      this.#lastAt += size;
    }
  }

  #dropPage(firstAt = 0): void {
    const page = this.#firstPage;
    this.#firstPage = this.#pages.at(page).next;
    this.#firstAt = firstAt;
    this.#pages.giveBack(page);
  }

  #dropped(bytes: number): void {
    this.records -= 1;
    this.bytes -= bytes;
    if (this.records === 0) {
      this.#pages.giveBack(this.#firstPage);
      this.#firstPage = NOWHERE;
      this.#lastPage = NOWHERE;
    } else if (this.#pages.size - this.#firstAt < HEAD_BYTES) this.#dropPage();
  }
}
