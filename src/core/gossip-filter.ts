// Remembers which broadcasts were heard, so that each is handled and told on once (PROTOCOL §10). Memory goes by the
// time of arrival on our own clock: a peer whose wall clock is wrong is neither mute nor deaf (PITFALLS B17).

import { Bitset } from "./bitset.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { View } from "./view.ts";

/** How long an id is remembered, at least. */
const MEMORY_MS = 3_600_000;
/** Ids remembered at most; a flood of new ones shortens the memory instead of growing it. */
const IDS_MAX = 1_000_000;
/** How many ids take as much memory as it takes to have a set for one more second. */
const IDS_PER_SET = 8;
/** Older than this by the corrected clock, it is a replay of something that we cannot remember. */
const REPLAY_SECONDS = 86_400;
/** Clocks that differ by less are called equal. */
const SKEW_SECONDS = 120;
/** Rust members drop what is an hour old by their clocks; stamps are to be younger by some minutes (PITFALLS B17). */
const RUST_PATIENCE_SECONDS = 3000;
/** A clock that is further ahead of ours tells nobody the time, lest stamps by it make others' look like replays. */
const AHEAD_MAX_SECONDS = REPLAY_SECONDS / 2;
/** Members whose clocks are compared, those heard last. */
const CLOCKS_MAX = 63;
/** In a small mesh that waits for us to be heard, a member says something once every few probe periods. */
const STAMPS_MIN = 5;

export class GossipFilter {
  // Two generations: ids live in the younger one until it is old or full, then once more as long. In each the random
  // numbers lie by the seconds that they came with, as numbers; no clock shows what these cannot.
  #young = new Map<number, Set<bigint>>();
  #old: ReadonlyMap<number, ReadonlySet<bigint>> | undefined;
  /** How full the younger one is, in ids. */
  #fill = 0;
  #turnedAt: Millis;
  #view: View | undefined;
  /**
   * Members that said something last: their positions in the view, or while there is none their addresses. They lie in a
   * circle, from the oldest round to the newest.
   */
  #heard: (number | Endpoint)[] = [];
  /** By how many seconds their last stamps were ahead of our clock. */
  #offsets: number[] = [];
  #oldest = 0;
  /** The positions among them. In a storm of votes everybody is looked for there once, and hardly anybody found. */
  #positions = new Bitset(0);
  #stamps = 0;
  #skewSeconds = 0;
  /** The same for stamps, which those Rust members must not take for old whose clocks are the fastest. */
  #stampSkewSeconds = 0;
  /** The same for what is a replay: of two clocks in the middle, the slower one. */
  #replaySkewSeconds = 0;

  constructor(now: Millis) {
    this.#turnedAt = now;
  }

  /** How far the peers' wall clocks are ahead of ours, in seconds; 0 while that is within minutes. */
  get skewSeconds(): number {
    return this.#skewSeconds;
  }

  /** The wall clock to stamp broadcasts with. */
  stamp(now: Millis): bigint {
    return BigInt(Math.max(0, Math.floor(now / 1000) + this.#stampSkewSeconds));
  }

  /** False where this broadcast was heard before, or is far too old to know. */
  add(unix: bigint, unique: bigint, now: Millis): boolean {
    if (now - this.#turnedAt >= MEMORY_MS || this.#fill >= IDS_MAX / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#fill = 0;
      this.#turnedAt = now;
    }
    const seconds = Number(unix);
    // Not before we have compared clocks: it may be ours that is wrong.
    const hasCompared = this.#stamps >= STAMPS_MIN;
    if (hasCompared && seconds + REPLAY_SECONDS < Math.floor(now / 1000) + this.#replaySkewSeconds)
      return false;
    if (this.#old?.get(seconds)?.has(unique)) return false;
    const known = this.#knownOf(seconds);
    const { size } = known;
    if (known.add(unique).size === size) return false;
    this.#fill += 1;
    return true;
  }

  #knownOf(seconds: number): Set<bigint> {
    let known = this.#young.get(seconds);
    if (known === undefined) {
      known = new Set();
      this.#young.set(seconds, known);
      this.#fill += IDS_PER_SET;
    }
    return known;
  }

  /** Whoever is gone does not tell the time any more. */
  follow(view: View): void {
    const members = this.#view?.members ?? [];
    const inOrder = this.#heard.map((_, i) => (this.#oldest + i) % this.#heard.length);
    const clocks = inOrder.map((i) => {
      const one = this.#heard[i]!;
      return {
        position: view.indexOf(typeof one === "number" ? members[one]! : one),
        offset: this.#offsets[i]!,
      };
    });
    const staying = clocks.filter(({ position }) => position >= 0);
    this.#view = view;
    this.#heard = staying.map(({ position }) => position);
    this.#offsets = staying.map(({ offset }) => offset);
    this.#oldest = 0;
    this.#positions = new Bitset(view.size);
    for (const { position } of staying) this.#positions.add(position);
    if (staying.length < clocks.length) this.#compare();
  }

  /** Learns from the stamp of a member's broadcast how far its clock is from ours. Each has one voice, however much it says. */
  compareClocks(member: Endpoint, unix: bigint, now: Millis): void {
    const one = this.#view?.indexOf(member) ?? member;
    if (one === -1) return;
    const offset = Number(unix) - Math.floor(now / 1000);
    this.#stamps += 1;
    const before = this.#hear(one, offset);
    // Where it takes the place of an equal one, as most do, the medians are what they were.
    if (before !== offset || this.#stamps === STAMPS_MIN) this.#compare();
  }

  /** Makes it the newest. Answers what it takes the place of: its own offset, or the oldest where there are many. */
  #hear(one: number | Endpoint, offset: number): number | undefined {
    const isNew = typeof one === "number" ? this.#positions.add(one) : !this.#heard.includes(one);
    const { length } = this.#heard;
    if (isNew && length < CLOCKS_MAX) {
      this.#heard.push(one);
      this.#offsets.push(offset);
      return undefined;
    }
    let i = isNew ? this.#oldest : this.#heard.indexOf(one);
    const before = this.#offsets[i];
    if (isNew) {
      const gone = this.#heard[i]!;
      if (typeof gone === "number") this.#positions.delete(gone);
      this.#oldest = (i + 1) % length;
    }
    // Who was heard since moves up.
    for (let next = (i + 1) % length; next !== this.#oldest; next = (i + 1) % length) {
      this.#heard[i] = this.#heard[next]!;
      this.#offsets[i] = this.#offsets[next]!;
      i = next;
    }
    this.#heard[i] = one;
    this.#offsets[i] = offset;
    return before;
  }

  /**
   * Ours is one of the clocks. Others stamp by what they heard, too, and without our own we could all go by that of one who
   * is gone. Of two in the middle we stamp by the faster: Rust members drop what seems old, and nothing that seems new. We
   * stamp by a later time than that where it would seem old to one of them.
   */
  #compare(): void {
    if (this.#stamps < STAMPS_MIN) return;
    const isCorrecting =
      this.#skewSeconds !== 0 || this.#stampSkewSeconds !== 0 || this.#replaySkewSeconds !== 0;
    if (!isCorrecting && this.#offsets.every((offset) => Math.abs(offset) <= SKEW_SECONDS)) return;
    const sorted = [0, ...this.#offsets].sort((a, b) => a - b);
    this.#skewSeconds = corrected(this.#skewSeconds, sorted[sorted.length >> 1]!);
    this.#stampSkewSeconds = Math.max(this.#skewSeconds, this.#fastestOfRust - RUST_PATIENCE_SECONDS);
    this.#replaySkewSeconds = corrected(this.#replaySkewSeconds, sorted[(sorted.length - 1) >> 1]!);
  }

  get #fastestOfRust(): number {
    const view = this.#view;
    let fastest = -Infinity;
    for (const [i, one] of this.#heard.entries()) {
      const offset = this.#offsets[i]!;
      const isRust = typeof one === "number" && view?.isNode(view.members[one]!) === false;
      if (isRust && offset > fastest && offset <= AHEAD_MAX_SECONDS) fastest = offset;
    }
    return fastest;
  }
}

/** Small differences are none, and small changes no news. */
function corrected(skewSeconds: number, median: number): number {
  const skew = Math.abs(median) > SKEW_SECONDS ? median : 0;
  return Math.abs(skew - skewSeconds) > SKEW_SECONDS ? skew : skewSeconds;
}
