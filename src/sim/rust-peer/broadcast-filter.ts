// Which broadcasts a Rust node has seen. It goes by the wall clock: a node whose clock is an hour slow is heard by nobody,
// and one whose clock is an hour fast hears nobody (PITFALLS B17).

import type { Millis } from "../../core/doorway.ts";
import type { Broadcast } from "../../core/messages.ts";

const WINDOW_SECONDS = 3600n;
/** Looking through all ids for each new one, as the crate does, is not what a simulation should spend its time on. */
const PURGED_EACH = 1024;

export class BroadcastFilter {
  readonly #seen = new Map<string, bigint>();

  /** False where it was seen, or is too old. */
  add({ unix, unique }: Pick<Broadcast, "unix" | "unique">, wallClockMs: Millis): boolean {
    const oldest = secondsOf(wallClockMs) - WINDOW_SECONDS;
    const id = `${unix} ${unique}`;
    if (unix <= oldest || this.#seen.has(id)) return false;
    this.#seen.set(id, unix);
    if (this.#seen.size % PURGED_EACH === 0) {
      for (const [one, from] of this.#seen) if (from <= oldest) this.#seen.delete(one);
    }
    return true;
  }
}

export function secondsOf(wallClockMs: Millis): bigint {
  return BigInt(Math.max(0, Math.floor(wallClockMs / 1000)));
}
