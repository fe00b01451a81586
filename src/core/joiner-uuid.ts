// By which uuid a joiner asks to be let in. It stays the same over all attempts until it is used up, because whoever changes
// it within one configuration may split the mesh (PITFALLS B3).

import type { Millis } from "./doorway.ts";
import type { NodeId } from "./endpoint.ts";
import { drawNodeId, type Random } from "./random.ts";

/** Members that were left behind find out in less. */
const DISPUTE_MAX_MS = 30_000;

export class JoinerUuid {
  readonly #random: Random;
  #uuid: NodeId;
  #isUsed = false;
  #isGood = false;
  #disputedSince: Millis = Infinity;

  constructor(random: Random) {
    this.#random = random;
    this.#uuid = drawNodeId(random);
  }

  get uuid(): NodeId {
    return this.#uuid;
  }

  /** A contact, or an observer that it named, says that it is used. */
  used(now: Millis): void {
    this.#isUsed = true;
    this.#disputedSince = Math.min(this.#disputedSince, now);
  }

  /** A contact named observers for it. */
  good(): void {
    this.#isGood = true;
  }

  /**
   * All contacts were asked. What is used is so for everybody, but a Rust member that broke within a decision knows joiners
   * who were never admitted, and is not believed where others know better; nor are these for ever, for they may be behind.
   */
  judge(now: Millis): void {
    if (this.#isUsed && (!this.#isGood || now - this.#disputedSince >= DISPUTE_MAX_MS)) {
      this.#uuid = drawNodeId(this.#random);
      this.#disputedSince = Infinity;
    } else if (this.#isGood && !this.#isUsed) {
      this.#disputedSince = Infinity;
    }
    this.#isUsed = false;
    this.#isGood = false;
  }
}
