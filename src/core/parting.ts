// The last thing that a leaver does: it is out, by a decision that it knows of, but those who stay may lack the votes
// that it took, its own among them. Where two are left they could not decide anything without it. So it asks a few of
// them where they are, by which those who are behind learn that there is something to follow, and is there to be asked
// until one of them has followed.

import type { Finding } from "./configuration-check.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";

/** Asked at a time. */
const OPEN_MAX = 3;
/** Who is only slower than we are knows a moment later. */
const ASK_AGAIN_MS = 50;

export class Parting {
  /** Whom to ask next, first to last. */
  readonly #queue: Endpoint[];
  #open = 0;
  #askAt: Millis;
  #isKnown = false;

  /** `stay`: the members of the first configuration without us, in any order. */
  constructor(stay: readonly Endpoint[], now: Millis) {
    this.#queue = [...stay];
    this.#askAt = now;
  }

  get wakeAt(): Millis {
    const isWaiting = this.#open === OPEN_MAX || this.#queue.length === 0;
    return isWaiting && !this.isOver ? Infinity : this.#askAt;
  }

  /** Somebody who stays knows, or nobody is left who could. */
  get isOver(): boolean {
    return this.#isKnown || this.#open + this.#queue.length === 0;
  }

  /** Whom to ask now; each of them is answered for. */
  due(now: Millis): readonly Endpoint[] {
    if (this.isOver || now < this.wakeAt) return [];
    const asked = this.#queue.splice(0, OPEN_MAX - this.#open);
    this.#open += asked.length;
    this.#askAt = now + ASK_AGAIN_MS;
    return asked;
  }

  /** Where one of them is, seen from the configuration without us; "gone" where no process is there any more. */
  answered(node: Endpoint, finding: Finding | "gone"): void {
    this.#open -= 1;
    if (finding === "same" || finding === "stranger") this.#isKnown = true;
    else if (finding !== "gone") this.#queue.push(node);
  }
}
