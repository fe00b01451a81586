// Loads from the source, each key once at a time, whoever wants it. What the source does wrong stays with those who
// asked for that key: it may throw, hang, or come up with something that is no value.

import { BlipError } from "../mesh/errors.ts";
import { sourceFailed } from "./failures.ts";
import { expiryIn, type Held } from "./held.ts";
import { bytesOf, type Key } from "./key.ts";
import { SingleFlight } from "./single-flight.ts";

/** What a source is told beside the key. */
export interface LoadContext {
  /** The key, read as UTF-8. */
  readonly text: string;
  /** Aborted when the load has taken too long: nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * Where values come from; called for a key that is held nowhere. It throws where there is no value, for `undefined` and
 * `null` are none; a gRPC status as the `code` of its error reaches those who ask from other members.
 */
export type Source<V> = (key: Uint8Array, context: LoadContext) => V | PromiseLike<V>;

export interface LoaderOptions {
  /** The value and for how long it may be kept. Throws where what the source returned is no value. */
  readonly source: (key: Uint8Array, context: LoadContext) => Promise<{ bytes: Uint8Array; livesMs: number }>;
  /** Asks for it elsewhere first; `undefined` where nobody has it. */
  readonly takeOver: (key: Key) => Promise<Held | undefined>;
  readonly keep: (key: Key, held: Held) => void;
  readonly timeoutMs: number;
  readonly loadsMax: number;
}

/** The longest delay that setTimeout knows: whoever waits longer, waits for ever. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class Loader {
  readonly #options: LoaderOptions;
  readonly #loads = new SingleFlight<Held>();
  /** Those that have got as far as the source. */
  readonly #atSource = new Map<Key, Promise<Held>>();
  loads = 0;
  failures = 0;
  takenOver = 0;
  /** How many found a load for their key under way. */
  joined = 0;

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#loads.size;
  }

  /** @throws BlipError BLIP_SOURCE_FAILED, BLIP_OVERLOADED */
  load(key: Key): Promise<Held> {
    const underWay = this.#loads.join(key);
    if (underWay !== undefined) {
      this.joined += 1;
      return underWay.work;
    }
    const { loadsMax } = this.#options;
    if (this.#loads.size >= loadsMax) {
      const why = `${loadsMax} loads are under way, and no more are begun`;
      return Promise.reject(new BlipError("BLIP_OVERLOADED", why));
    }
    const flight = this.#loads.begin(key, async (isCurrent) => {
      const taken = await this.#options.takeOver(key);
      if (taken !== undefined) this.takenOver += 1;
      const held = taken ?? (await this.#fromSource(key));
      if (isCurrent()) this.#options.keep(key, held);
      return held;
    });
    return flight.work;
  }

  /** The value of a key that the source was asked for and has not come up with yet. */
  atSource(key: Key): Promise<Held> | undefined {
    return this.#atSource.get(key);
  }

  /** Lets nobody join the load that is under way, nor keeps what it comes to. */
  forget(key: Key): void {
    this.#loads.forget(key);
    this.#atSource.delete(key);
  }

  #fromSource(key: Key): Promise<Held> {
    this.loads += 1;
    const load = this.#ask(key).finally(() => {
      if (this.#atSource.get(key) === load) this.#atSource.delete(key);
    });
    this.#atSource.set(key, load);
    return load;
  }

  async #ask(key: Key): Promise<Held> {
    const { source, timeoutMs } = this.#options;
    const controller = new AbortController();
    const { signal } = controller;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      if (timeoutMs > TIMER_MS_MAX) return;
      timer = setTimeout(() => {
        const error = new BlipError("BLIP_TIMEOUT", `there was no value within ${timeoutMs} ms`);
        reject(error);
        controller.abort(error);
      }, timeoutMs);
      // Those who wait keep the process alive; a source that hangs does not.
      timer.unref();
    });
    try {
      const bytes = bytesOf(key);
      const value = await Promise.race([source(bytes, { text: bytes.toString("utf8"), signal }), late]);
      return { bytes: value.bytes, expiresAt: expiryIn(value.livesMs) };
    } catch (error) {
      this.failures += 1;
      throw sourceFailed(error);
    } finally {
      clearTimeout(timer);
    }
  }
}
