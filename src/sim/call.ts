// A request on its way, and a call that waits for its answer.

import type { Endpoint } from "../core/endpoint.ts";
import type { Reply, Request } from "../core/messages.ts";
import type { Task } from "./agenda.ts";
import type { Process } from "./process.ts";

/** A request on its way. */
export interface Letter {
  readonly from: Process;
  readonly to: Endpoint;
  readonly request: Request;
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
