// Cuts on their way to readers, each at its own pace. Nothing is queued: a reader that is slow finds the newest
// configuration and how many it missed, and never one older than it has seen.

import type { View } from "../core/view.ts";
import { onAbort } from "../host/abort-fan.ts";
import type { Announced, Cut, CutMaker } from "./cut.ts";

/** All the readers of one mesh. */
export class CutFeed {
  readonly #maker: CutMaker;
  readonly #readers = new Set<CutReader>();
  #newest: Announced | undefined;
  #isClosed = false;

  constructor(maker: CutMaker) {
    this.#maker = maker;
  }

  publish(announced: Announced): void {
    this.#newest = announced;
    for (const reader of this.#readers) reader.offer(announced);
  }

  /** Readers get what they have not seen yet, and then the end. */
  close(): void {
    this.#isClosed = true;
    for (const reader of this.#readers) reader.close();
    this.#readers.clear();
  }

  /** A reader that sees the newest cut first, and then each later one. It ends when `signal` is aborted. */
  subscribe(signal?: AbortSignal): CutReader {
    let release: (() => void) | undefined;
    const reader = new CutReader(this.#maker, () => {
      this.#readers.delete(reader);
      release?.();
    });
    const end = (): void => void reader.return();
    if (this.#newest !== undefined) reader.offer(this.#newest);
    if (signal?.aborted) end();
    else if (this.#isClosed) reader.close();
    else {
      this.#readers.add(reader);
      release = signal && onAbort(signal, end);
    }
    return reader;
  }
}

type Turn = IteratorResult<Cut, undefined>;

const END: Turn = { done: true, value: undefined };

export class CutReader implements AsyncIterableIterator<Cut, undefined> {
  readonly #maker: CutMaker;
  readonly #unsubscribe: () => void;
  #delivered: View | undefined;
  #waiting: Announced | undefined;
  #missed = 0;
  #isClosed = false;
  readonly #asked: ((turn: Turn) => void)[] = [];

  constructor(maker: CutMaker, unsubscribe: () => void) {
    this.#maker = maker;
    this.#unsubscribe = unsubscribe;
  }

  offer(announced: Announced): void {
    if (this.#waiting !== undefined) this.#missed++;
    this.#waiting = announced;
    const answer = this.#asked.shift();
    answer?.({ done: false, value: this.#take(announced) });
  }

  close(): void {
    this.#isClosed = true;
    for (const answer of this.#asked.splice(0)) answer(END);
  }

  /** What there is to read now: the newest cut, where this reader has not seen it. */
  poll(): Cut | undefined {
    return this.#waiting && this.#take(this.#waiting);
  }

  async next(): Promise<Turn> {
    const cut = this.poll();
    if (cut !== undefined) return { done: false, value: cut };
    if (this.#isClosed) return END;
    return new Promise((answer) => this.#asked.push(answer));
  }

  async return(): Promise<Turn> {
    this.#waiting = undefined;
    this.#unsubscribe();
    this.close();
    return END;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(announced: Announced): Cut {
    const cut = this.#maker.make(announced, this.#delivered, this.#missed);
    this.#delivered = announced.view;
    this.#waiting = undefined;
    this.#missed = 0;
    return cut;
  }
}
