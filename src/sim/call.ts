// A request on its way, to one or to many, and a call that waits for its answer.

import type { Endpoint } from "../core/endpoint.ts";
import type { Refused, Reply, Request } from "../core/messages.ts";
import type { Task } from "./agenda.ts";
import type { Spread } from "./known-copies.ts";
import type { Place } from "./places.ts";
import type { Process } from "./process.ts";

/** A request on its way. */
export interface Letter {
  readonly from: Process;
  readonly to: Endpoint;
  readonly request: Request;
}

/**
 * A request on its way to several places, be it from one process or from all who tell it on. Copies are counted by the
 * million, so each is no more than this and a place.
 */
export class Mail implements Task<Place> {
  readonly request: Request;
  /** What arrives of it. */
  readonly received: Request | Refused;
  readonly call: Call | undefined;
  /** How far it has come, where copies to those who know of it are dropped. */
  readonly spread: Spread | undefined;
  readonly #deliver: (mail: Mail, to: Place) => void;

  constructor(
    request: Request,
    received: Request | Refused,
    call: Call | undefined,
    spread: Spread | undefined,
    deliver: (mail: Mail, to: Place) => void,
  ) {
    this.request = request;
    this.received = received;
    this.call = call;
    this.spread = spread;
    this.#deliver = deliver;
  }

  run(to: Place): void {
    this.#deliver(this, to);
  }
}

/** A call from one process to another, until it is answered or called off. */
export class Call {
  readonly letter: Letter;
  isOpen = true;
  /** Where it waits for an answer: usually in one place, in several when it was duplicated. */
  readonly waitsAt: { readonly process: Process; readonly token: number }[] = [];
  timeout: Task | undefined;
  readonly #answered: (reply: Reply) => void;

  constructor(letter: Letter, answered: (reply: Reply) => void) {
    this.letter = letter;
    this.#answered = answered;
    letter.from.openCalls += 1;
  }

  finish(reply: Reply): void {
    if (this.#close()) this.#answered(reply);
  }

  /** The caller does not wait any more; whoever was going to answer is told. */
  hangUp(): void {
    this.#close();
    for (const { process, token } of this.waitsAt) {
      if (process.isUp && process.waiting.delete(token)) process.feed({ kind: "hangup", token });
    }
  }

  #close(): boolean {
    if (!this.isOpen) return false;
    this.isOpen = false;
    this.letter.from.openCalls -= 1;
    if (this.timeout !== undefined) this.timeout.isOff = true;
    return true;
  }
}
