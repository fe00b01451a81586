// One piece of work for all who want the same at the same time. Nobody who waits owns the work: when one goes away,
// the others get what they came for.

import { onAbort } from "../host/abort-fan.ts";
import { aborted, BlipError } from "../mesh/errors.ts";
import type { Key } from "./key.ts";

/** How long somebody waits. */
export interface Patience {
  readonly signal: AbortSignal | undefined;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
}

export interface Flight<T> {
  readonly work: Promise<T>;
  /** Others wait for it than the one who began it. */
  isShared: boolean;
}

export class SingleFlight<T> {
  readonly #underWay = new Map<Key, Flight<T>>();

  get size(): number {
    return this.#underWay.size;
  }

  /** What is under way already, for one more to wait for. */
  join(key: Key): Flight<T> | undefined {
    const flight = this.#underWay.get(key);
    if (flight !== undefined) flight.isShared = true;
    return flight;
  }

  /**
   * Begins the work. `isCurrent` says whether what it comes to is still wanted: not once the key was forgotten.
   */
  begin(key: Key, work: (isCurrent: () => boolean) => Promise<T>): Flight<T> {
    const isCurrent = (): boolean => this.#underWay.get(key) === flight;
    const promise = Promise.resolve()
      .then(() => work(isCurrent))
      .finally(() => {
        if (isCurrent()) this.#underWay.delete(key);
      });
    const flight: Flight<T> = { work: promise, isShared: false };
    this.#underWay.set(key, flight);
    // All who waited may have gone by the time that it fails.
    promise.catch(() => {});
    return flight;
  }

  /** Who comes from now on begins anew; who waits already gets what is under way. */
  forget(key: Key): void {
    this.#underWay.delete(key);
  }
}

/** The longest delay that setTimeout knows. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * What `work` comes to, unless this caller's patience ends first.
 * @throws BlipError BLIP_ABORTED, BLIP_TIMEOUT; and what `work` throws.
 */
export function waitFor<T>(work: Promise<T>, { signal, deadline }: Patience, doing: string): Promise<T> {
  return new Promise((resolve, reject) => {
    let unheard: (() => void) | undefined;
    const giveUp = (error: BlipError): void => {
      release();
      reject(error);
    };
    const late = (): void => giveUp(new BlipError("BLIP_TIMEOUT", `${doing}: there was no value in time`));
    const stop = (): void => giveUp(aborted(signal!, doing));
    const release = (): void => {
      clearTimeout(timer);
      unheard?.();
    };
    const waitMs = Math.max(0, deadline - performance.now());
    const timer = waitMs <= TIMER_MS_MAX ? setTimeout(late, waitMs) : undefined;
    if (signal?.aborted) return stop();
    unheard = signal && onAbort(signal, stop);
    work.finally(release).then(resolve, reject);
  });
}
