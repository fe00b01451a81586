// How long a lone founder waits for more joiners before it lets in those that it has. Whoever misses a view change asks
// all over again, of more members, so it pays to miss few; and each waits for the rest. All joiners come to the founder,
// which has told them their observers: it knows who is on the way, and from the lulls between those that came so far,
// whether a longer one means that this was the last.

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";

/** How long a batch waits after its last edge; the longest that one joiner's coming lets the others wait. */
export const BATCH_WINDOW_MS = 100;
const SHORTEST_WINDOW_MS = 20;
/** A lull that is so many times as long as any before it is the end. */
const LULLS = 3;
const EXPECTED_MAX = 20_000;

export class Arrivals {
  readonly #expected = new Set<Endpoint>();
  #lastAt: Millis = -Infinity;
  #longestLullMs = 0;

  /** This joiner was told its observers, and will come soon. */
  expect(node: Endpoint, now: Millis): void {
    this.#look(now);
    if (this.#expected.size < EXPECTED_MAX) this.#expected.add(node);
  }

  come(node: Endpoint, now: Millis): void {
    this.#look(now);
    this.#expected.delete(node);
  }

  /** How long to wait for the next, from the last on. */
  get windowMs(): Millis {
    if (this.#expected.size > 0) return BATCH_WINDOW_MS;
    return Math.min(BATCH_WINDOW_MS, Math.max(SHORTEST_WINDOW_MS, LULLS * this.#longestLullMs));
  }

  /** While somebody is on the way nothing can be told from waiting, nor where it began long after the others. */
  #look(now: Millis): void {
    const lullMs = now - this.#lastAt;
    if (this.#expected.size === 0 && lullMs <= BATCH_WINDOW_MS) {
      this.#longestLullMs = Math.max(this.#longestLullMs, lullMs);
    }
    this.#lastAt = now;
  }
}
