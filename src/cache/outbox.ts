// What waits to be sent to one member. Everything that has come up by the time that the connection takes the next
// message travels in it.

import type { AskInit, WireAsks } from "./wire.ts";

/** Of one message. */
const ASKS_MAX = 1000;
const BYTES_MAX = 1024 * 1024;

export class Outbox implements AsyncIterableIterator<WireAsks, undefined> {
  #waiting: AskInit[] = [];
  #reader: ((result: IteratorResult<WireAsks, undefined>) => void) | undefined;
  #isFlushing = false;
  #isEnded = false;

  /** @param isPatient more may come in this turn of the event loop, and may have a share in the message. */
  add(ask: AskInit, isPatient: boolean): void {
    this.#waiting.push(ask);
    if (this.#isFlushing || this.#reader === undefined) return;
    this.#isFlushing = true;
    if (isPatient) setImmediate(() => this.#flush());
    else queueMicrotask(() => this.#flush());
  }

  /** Ends once all is sent. */
  end(): void {
    this.#isEnded = true;
    this.#flush();
  }

  next(): Promise<IteratorResult<WireAsks, undefined>> {
    return new Promise((resolve) => {
      this.#reader = resolve;
      this.#flush();
    });
  }

  async return(): Promise<IteratorResult<WireAsks, undefined>> {
    this.#waiting = [];
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #flush(): void {
    this.#isFlushing = false;
    const reader = this.#reader;
    if (reader === undefined || (this.#waiting.length === 0 && !this.#isEnded)) return;
    this.#reader = undefined;
    if (this.#waiting.length === 0) reader({ done: true, value: undefined });
    else reader({ done: false, value: { asks: this.#take() } });
  }

  #take(): AskInit[] {
    let bytes = 0;
    let count = 0;
    for (const { key } of this.#waiting) {
      if (count === ASKS_MAX || (count > 0 && bytes + key.length > BYTES_MAX)) break;
      bytes += key.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
