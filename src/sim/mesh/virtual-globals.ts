// Timers, dates and dice of the language, on virtual time. While a simulated mesh plays, whoever uses the global ones gets
// these: the library's own clients and the user's services alike. They belong to the process in whose code they were
// made: they stand still with it and end with it.

import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

type Run = (...args: unknown[]) => void;

/** In which process the code that runs now is at home; none for that of the test itself. */
export const home: AsyncLocalStorage<Process | undefined> = new AsyncLocalStorage();

const NAMES = [
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "Date",
] as const;

/** What stands for a timer: what Node's own can, where nothing has to be kept alive. */
class VirtualTimer {
  readonly #world: World;
  readonly #run: () => void;
  readonly #ms: number;
  readonly #repeats: boolean;
  readonly #process: Process | undefined;
  /** Grows with each arming, so that what was armed before is off. */
  #armed = 0;

  constructor(world: World, run: Run, ms: number, args: readonly unknown[], repeats: boolean) {
    this.#world = world;
    this.#run = AsyncResource.bind(() => run(...args));
    this.#ms = ms;
    this.#repeats = repeats;
    this.#process = home.getStore();
    this.refresh();
  }

  refresh(): this {
    this.#armed += 1;
    const armed = this.#armed;
    const ring = (): void => {
      if (armed !== this.#armed) return;
      this.#armed += 1;
      if (this.#repeats) this.refresh();
      this.#run();
    };
    const due = this.#world.now + this.#ms;
    if (this.#process === undefined) this.#world.later(this.#ms, ring);
    else this.#world.network.at(this.#process, due, ring);
    return this;
  }

  close(): this {
    this.#armed += 1;
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Puts virtual ones in place of the global ones; the answer puts them back. */
export function installVirtualGlobals(world: World): () => void {
  const globals = globalThis as unknown as Record<string, unknown>;
  const before = new Map<string, unknown>(NAMES.map((name) => [name, globals[name]]));
  const { random } = Math;
  const { timeout } = AbortSignal;
  const dice = world.dice("language");
  const clear =
    (real: (timer: never) => void) =>
    (timer: unknown): void =>
      void (timer instanceof VirtualTimer ? timer.close() : real(timer as never));
  const timer = (run: Run, ms: number, args: readonly unknown[], repeats = false): VirtualTimer => {
    if (typeof run !== "function") throw new TypeError("expected a function to call");
    return new VirtualTimer(world, run, ms, args, repeats);
  };
  globals.setTimeout = (run: Run, ms?: unknown, ...args: unknown[]) => timer(run, delayOf(ms), args);
  globals.setInterval = (run: Run, ms?: unknown, ...args: unknown[]) => timer(run, delayOf(ms), args, true);
  globals.setImmediate = (run: Run, ...args: unknown[]) => timer(run, 0, args);
  globals.clearTimeout = clear(clearTimeout);
  globals.clearInterval = clear(clearInterval);
  globals.clearImmediate = clear(clearImmediate);
  globals.Date = class extends Date {
    constructor(...given: [] | ConstructorParameters<DateConstructor>) {
      if (given.length === 0) super(world.now);
      else super(...given);
    }

    static override now(): number {
      return Math.floor(world.now);
    }
  };
  Math.random = () => dice.below(2 ** 32) / 2 ** 32;
  performance.now = () => world.elapsed;
  AbortSignal.timeout = (ms) => {
    const late = new AbortController();
    timer(
      () => late.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError")),
      ms,
      [],
    );
    return late.signal;
  };
  return () => {
    for (const [name, value] of before) globals[name] = value;
    Math.random = random;
    Reflect.deleteProperty(performance, "now");
    AbortSignal.timeout = timeout;
  };
}

/** As Node understands it. */
function delayOf(ms: unknown): number {
  return typeof ms === "number" && ms >= 1 && ms < 2 ** 31 ? ms : 1;
}
