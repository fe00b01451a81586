// What the cache holds for a key.

/** Nobody writes to the bytes once they are in here: whoever hands them out to somebody who might, hands out a copy. */
export interface Held {
  readonly bytes: Uint8Array;
  /** On the clock of `performance.now()`; Infinity: it may be kept for ever. */
  readonly expiresAt: number;
}

/** What a store notes with a value. */
export interface Note {
  /** For whose key it was taken when that was looked at last, as a hash of the address. */
  readonly owner: number;
  /** The number of the configuration in which that was so. */
  readonly epoch: number;
}

/**
 * A value as a store shows it. This is a window on the memory of the store, and so are the bytes: they are to be read or
 * copied at once, for the next value that is kept may be written there.
 */
export interface Kept extends Held, Note {
  copy(): Uint8Array;
}

/** Whether this time has come, on the clock of `performance.now()`. */
export function isPast(time: number): boolean {
  return time !== Infinity && performance.now() >= time;
}

/** For how much longer it may be kept, as it travels: whole milliseconds, 0 for ever. */
export function livesMsOf({ expiresAt }: Held): number {
  if (expiresAt === Infinity) return 0;
  return Math.min(Math.max(1, Math.ceil(expiresAt - performance.now())), 0xffff_ffff);
}

export function expiryIn(livesMs: number | undefined): number {
  return livesMs === undefined || livesMs === 0 || livesMs === Infinity
    ? Infinity
    : performance.now() + livesMs;
}
