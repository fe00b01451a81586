// The stream on which one member asks another about keys. It is opened by the first question and closed when there
// was none for a while, or when the other leaves. Questions that come up together travel together.

import type { CallOptions } from "../index.ts";
import { OwnerFailed } from "./failures.ts";
import { bytesOf, type Key } from "./key.ts";
import { Outbox } from "./outbox.ts";
import type { Answer, Kind, WireAsks } from "./wire.ts";

/** Calls the other's Exchange method. */
export type Open = (
  asks: AsyncIterable<WireAsks>,
  options: CallOptions,
) => AsyncIterable<{ readonly answers: readonly Answer[] }>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: OwnerFailed) => void;
  readonly timer: NodeJS.Timeout;
}

/** So many questions may be without an answer. */
const WAITING_MAX = 20_000;
const IDLE_MS = 30_000;
/** The longest delay that setTimeout knows. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class Exchange {
  readonly #address: string;
  readonly #open: Open;
  readonly #headers: CallOptions["metadata"];
  readonly #waiting = new Map<number, Waiting>();
  #outbox: Outbox | undefined;
  #lastId = 0;
  #idle: NodeJS.Timeout | undefined;
  /** No stream stays open without a question. */
  #isBrief = false;

  constructor(address: string, open: Open, headers: CallOptions["metadata"]) {
    this.#address = address;
    this.#open = open;
    this.#headers = headers;
  }

  /** @throws OwnerFailed */
  ask(kind: Kind, key: Key, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size >= WAITING_MAX) {
        const why =
          `${WAITING_MAX} questions to it are without an answer, and no more are asked: ask for fewer at a time, or by ` +
          "getMany, which takes turns";
        return reject(new OwnerFailed(this.#address, why));
      }
      this.#lastId = (this.#lastId + 1) >>> 0;
      const id = this.#lastId;
      const late = (): void => {
        if (!this.#waiting.delete(id)) return;
        reject(new OwnerFailed(this.#address, `there was no answer within ${Math.round(timeoutMs)} ms`));
        this.#rest();
      };
      // Where this process stood still, timers come before what was received meanwhile: first, that is to be heard.
      const timer = setTimeout(() => setImmediate(late), Math.min(timeoutMs, TIMER_MS_MAX));
      this.#waiting.set(id, { resolve, reject, timer });
      this.#outbox ??= this.#begin();
      this.#outbox.add({ id, kind, key: bytesOf(key) }, this.#waiting.size > 1);
    });
  }

  /** Ends the stream once all is answered, and every later one as well. */
  close(): void {
    this.#isBrief = true;
    this.#rest();
  }

  #begin(): Outbox {
    const outbox = new Outbox();
    void this.#run(outbox);
    return outbox;
  }

  async #run(outbox: Outbox): Promise<void> {
    let failure: unknown = "the stream ended";
    try {
      const options = this.#headers === undefined ? {} : { metadata: this.#headers };
      for await (const { answers } of this.#open(outbox, options)) this.#hear(answers);
    } catch (error) {
      failure = error;
    }
    outbox.end();
    if (this.#outbox !== outbox) return;
    this.#outbox = undefined;
    const unanswered = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { timer, reject } of unanswered) {
      clearTimeout(timer);
      reject(new OwnerFailed(this.#address, failure));
    }
  }

  #hear(answers: readonly Answer[]): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id);
      // Too late, or never asked.
      if (waiting === undefined) continue;
      this.#waiting.delete(answer.id);
      clearTimeout(waiting.timer);
      waiting.resolve(answer);
    }
    this.#rest();
  }

  /** Nothing is under way any more: the stream may go, now or after a while. */
  #rest(): void {
    if (this.#waiting.size > 0) return;
    if (this.#isBrief) return this.#end();
    if (this.#idle !== undefined) this.#idle.refresh();
    else {
      this.#idle = setTimeout(() => {
        if (this.#waiting.size === 0) this.#end();
      }, IDLE_MS);
      this.#idle.unref();
    }
  }

  #end(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    const outbox = this.#outbox;
    this.#outbox = undefined;
    outbox?.end();
  }
}
