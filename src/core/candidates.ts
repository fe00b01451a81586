// Whom to ask for a way into a mesh, in which order: drawn at random, so that not everybody asks the same one, but those
// first of whom we know that they were where we want to go.

import type { Endpoint } from "./endpoint.ts";
import { type Random, shuffled } from "./random.ts";

/** Members that spoke to us, remembered as contacts. */
const HEARD_MAX = 8;
/** Once somebody spoke to us, so many at most wait to be asked: whoever speaks may give any number of names. */
const QUEUE_MAX = 1024;

/** What one knows of a mesh who was in it. */
export interface Acquaintance {
  /** Members of the last view we were in: they may still be there when no seed is. */
  readonly lastKnown: readonly Endpoint[];
  /** Asked before all others, be they among them or not. */
  readonly first?: readonly Endpoint[] | undefined;
}

export class Candidates {
  readonly #self: Endpoint;
  readonly #random: Random;
  readonly #lastKnown: readonly Endpoint[];
  readonly #first: readonly Endpoint[];
  /** They may let us in, or have done so already, when all others that we know of are gone. */
  readonly #heard = new Set<Endpoint>();
  /** Who was not asked yet; the last one is next. */
  #queue: Endpoint[] = [];
  #hasOnlyOne = true;

  constructor(self: Endpoint, { lastKnown, first = [] }: Acquaintance, random: Random) {
    this.#self = self;
    this.#random = random;
    this.#lastKnown = lastKnown;
    this.#first = first;
  }

  /** There was nobody else to ask when the last round began. */
  get hasOnlyOne(): boolean {
    return this.#hasOnlyOne;
  }

  /** Somebody is left to be asked. */
  get hasNext(): boolean {
    return this.#queue.length > 0;
  }

  /**
   * A member spoke to us; the last few are kept, since anybody may say that it is one. True where it had not before, and so is
   * next.
   */
  hear(sender: Endpoint): boolean {
    if (sender === this.#self) return false;
    const isNew = !this.#heard.delete(sender);
    this.#heard.add(sender);
    if (this.#heard.size > HEARD_MAX) this.#heard.delete(this.#heard.values().next().value!);
    if (isNew) this.#queue = [...this.#queue.filter((node) => node !== sender), sender].slice(-QUEUE_MAX);
    return isNew;
  }

  /** A new round begins, in which these may be asked, too. */
  begin(seeds: readonly Endpoint[]): void {
    const others = new Set([...seeds, ...this.#lastKnown, ...this.#first, ...this.#heard]);
    others.delete(this.#self);
    const mixed = shuffled([...others], this.#random);
    const isFirst = (node: Endpoint): boolean => this.#first.includes(node);
    this.#queue = [...mixed.filter((node) => !isFirst(node)), ...mixed.filter(isFirst)];
    this.#hasOnlyOne = others.size === 1;
  }

  /** Whom to ask next. */
  next(): Endpoint | undefined {
    return this.#queue.pop();
  }
}
