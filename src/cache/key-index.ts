// Finds the record of a key by a hash of it: open addressing with linear probing (Knuth, The Art of Computer
// Programming, volume 3, 6.4), in two arrays of numbers.

import type { Key } from "./key.ts";
import { NOWHERE, type Place } from "./records.ts";

const SLOTS_MIN = 16;
/** Fuller than that, probing takes long. */
const LOAD_MAX = 0.8;
const GROWTH = 1.5;

/** Whoever chooses keys so that they collide would have to know it. */
const SEED = Math.floor(Math.random() * 2 ** 32);

/** FNV-1a from a random beginning, with the finalizer of MurmurHash3. */
export function hashOf(key: string): number {
  let h = SEED;
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  return finished(h);
}

/** The same of a text that is ASCII, and so its own key; nothing for others. To go through it once takes half as long. */
export function hashOfAscii(text: string): number | undefined {
  let h = SEED;
  let all = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    all |= c;
    h = Math.imul(h ^ c, 0x01000193);
  }
  return all > 0x7f ? undefined : finished(h);
}

function finished(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** What knows the keys of records. */
interface Keyed {
  hasKey(place: Place, key: Key): boolean;
}

export class KeyIndex {
  readonly #records: Keyed;
  #hashes = new Int32Array(SLOTS_MIN);
  #places = new Int32Array(SLOTS_MIN).fill(NOWHERE);
  size = 0;

  constructor(records: Keyed) {
    this.#records = records;
  }

  get bytes(): number {
    return this.#places.length * 8;
  }

  find(hash: number, key: Key): Place {
    for (let slot = this.#home(hash); ; slot = this.#after(slot)) {
      const place = this.#places[slot]!;
      if (place === NOWHERE) return NOWHERE;
      if (this.#hashes[slot] === hash && this.#records.hasKey(place, key)) return place;
    }
  }

  /** Room for one more. */
  reserve(): void {
    if (this.size + 1 > this.#places.length * LOAD_MAX) this.#grow();
  }

  add(hash: number, place: Place): void {
    this.reserve();
    this.#put(hash, place);
    this.size += 1;
  }

  /** The record has moved. */
  move(hash: number, from: Place, to: Place): void {
    this.#places[this.#slotOf(hash, from)] = to;
  }

  remove(hash: number, place: Place): void {
    let hole = this.#slotOf(hash, place);
    this.size -= 1;
    // Those behind it come closer to where they are looked for.
    for (let slot = this.#after(hole); this.#places[slot] !== NOWHERE; slot = this.#after(slot)) {
      const distance = this.#distance(this.#home(this.#hashes[slot]!), slot);
      if (distance < this.#distance(hole, slot)) continue;
      this.#hashes[hole] = this.#hashes[slot]!;
      this.#places[hole] = this.#places[slot]!;
      hole = slot;
    }
    this.#places[hole] = NOWHERE;
  }

  #put(hash: number, place: Place): void {
    let slot = this.#home(hash);
    while (this.#places[slot] !== NOWHERE) slot = this.#after(slot);
    this.#hashes[slot] = hash;
    this.#places[slot] = place;
  }

  #slotOf(hash: number, place: Place): number {
    let slot = this.#home(hash);
    while (this.#places[slot] !== place) slot = this.#after(slot);
    return slot;
  }

  /** Spreads hashes over any number of slots, by their upper bits (Lemire, 2019). */
  #home(hash: number): number {
    return Math.floor(((hash >>> 0) * this.#places.length) / 2 ** 32);
  }

  #after(slot: number): number {
    return slot + 1 === this.#places.length ? 0 : slot + 1;
  }

  #distance(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.#places.length;
  }

  #grow(): void {
    const [hashes, places] = [this.#hashes, this.#places];
    const slots = Math.ceil(places.length * GROWTH);
    this.#hashes = new Int32Array(slots);
    this.#places = new Int32Array(slots).fill(NOWHERE);
    for (let i = 0; i < places.length; i++) if (places[i] !== NOWHERE) this.#put(hashes[i]!, places[i]!);
  }
}
