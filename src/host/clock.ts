// The clock of a member in the real world: it never goes back, and it reads as Unix time when the process starts.

import type { Millis } from "../core/doorway.ts";

export interface Clock {
  now(): Millis;
  /** Runs `run` once at `at`, or soon after; the returned function calls it off. */
  wake(at: Millis, run: () => void): () => void;
}

/** setTimeout takes no longer delay than this; a longer one is slept in parts. */
const DELAY_MAX_MS = 2 ** 31 - 1;

export const steadyClock: Clock = { now, wake };

function now(): Millis {
  return performance.timeOrigin + performance.now();
}

function wake(at: Millis, run: () => void): () => void {
  let timer: NodeJS.Timeout;
  const sleep = (): void => {
    // A live member keeps its process alive by its listening socket; its timers alone must not.
    timer = setTimeout(ring, Math.min(Math.max(0, Math.ceil(at - now())), DELAY_MAX_MS)).unref();
  };
  const ring = (): void => {
    // Timers count whole milliseconds and may ring a little early.
    if (now() < at) sleep();
    else run();
  };
  sleep();
  return () => clearTimeout(timer);
}
