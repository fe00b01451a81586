// Remembers which broadcasts were heard, so that each is handled and told on once (PROTOCOL §10). Memory goes by the
// time of arrival on our own clock: a peer whose wall clock is wrong is neither mute nor deaf (PITFALLS B17).

import type { Millis } from "./doorway.ts";

/** How long an id is remembered, at least. */
const MEMORY_MS = 3_600_000;
/** Ids remembered at most; a flood of new ones shortens the memory instead of growing it. */
const IDS_MAX = 1_000_000;
/** Older than this by the corrected clock, it is a replay of something that we cannot remember. */
const REPLAY_SECONDS = 86_400;
/** Clocks that differ by less are called equal. */
const SKEW_SECONDS = 120;
const SAMPLES_MAX = 63;
/** In a small mesh that waits for us to be heard, a member says something once every few probe periods. */
const SAMPLES_MIN = 5;

export class GossipFilter {
  // Two generations: ids live in the younger one until it is old or full, then once more as long. Seconds are kept as
  // numbers, which take no memory of their own; no clock shows what they cannot.
  #young = new Map<bigint, number>();
  #old = new Map<bigint, number>();
  #turnedAt: Millis;
  readonly #offsets: number[] = [];
  #skewSeconds = 0;

  constructor(now: Millis) {
    this.#turnedAt = now;
  }

  /** How far the peers' wall clocks are ahead of ours, in seconds; 0 while that is within minutes. */
  get skewSeconds(): number {
    return this.#skewSeconds;
  }

  /** The wall clock to stamp broadcasts with. */
  stamp(now: Millis): bigint {
    return BigInt(Math.max(0, Math.floor(now / 1000) + this.#skewSeconds));
  }

  /** False where this broadcast was heard before, or is far too old to know. */
  add(unix: bigint, unique: bigint, now: Millis): boolean {
    if (now - this.#turnedAt >= MEMORY_MS || this.#young.size >= IDS_MAX / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#turnedAt = now;
    }
    const seconds = Number(unix);
    if (this.#young.get(unique) === seconds || this.#old.get(unique) === seconds) return false;
    // Not before we have compared clocks: it may be ours that is wrong.
    const hasCompared = this.#offsets.length >= SAMPLES_MIN;
    if (hasCompared && unix + BigInt(REPLAY_SECONDS) < this.stamp(now)) return false;
    this.#young.set(unique, seconds);
    return true;
  }

  /** Learns from the stamp of a member's broadcast how far its clock is from ours. */
  compareClocks(unix: bigint, now: Millis): void {
    const offset = Number(unix) - Math.floor(now / 1000);
    this.#offsets.push(offset);
    if (this.#offsets.length < SAMPLES_MIN) return;
    // Where it takes the place of an equal one, as most do, the median is what it was.
    if (this.#offsets.length > SAMPLES_MAX && this.#offsets.shift() === offset) return;
    const median = [...this.#offsets].sort((a, b) => a - b)[this.#offsets.length >> 1]!;
    const skew = Math.abs(median) > SKEW_SECONDS ? median : 0;
    if (Math.abs(skew - this.#skewSeconds) > SKEW_SECONDS) this.#skewSeconds = skew;
  }
}
