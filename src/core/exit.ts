// A member on its way out, of its own accord: asks its observers to report it, and asks again, until it is removed or its
// time is over.

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import { FAREWELL_AGAIN_MS, farewell } from "./leaving.ts";
import type { Alerts } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";
import type { View } from "./view.ts";

export class Exit {
  readonly #self: Endpoint;
  readonly #out: Pick<Outgoing<never>, "send">;
  /** When it is out at the latest. */
  #by: Millis | undefined;
  #askAgainAt: Millis = Infinity;
  #isDone = false;

  constructor(self: Endpoint, out: Pick<Outgoing<never>, "send">) {
    this.#self = self;
    this.#out = out;
  }

  get wakeAt(): Millis {
    return Math.min(this.#by ?? Infinity, this.#askAgainAt);
  }

  /** On its way, and not out yet. */
  get isLeaving(): boolean {
    return this.#by !== undefined;
  }

  /** Out, and nothing brings it back. */
  get isDone(): boolean {
    return this.#isDone;
  }

  isOverdue(now: Millis): boolean {
    return this.#by !== undefined && now >= this.#by;
  }

  mustAskAgain(now: Millis): boolean {
    return now >= this.#askAgainAt;
  }

  begin(by: Millis): void {
    this.#by = by;
  }

  /** Asks the observers that can be asked; answers what is to be said in the name of the others. */
  ask(view: View, now: Millis): readonly Alerts[] {
    this.#askAgainAt = now + FAREWELL_AGAIN_MS;
    const { ask, request, say } = farewell(view, this.#self);
    for (const observer of ask) this.#out.send([observer], request);
    return say;
  }

  end(): void {
    this.#isDone = true;
    this.#by = undefined;
    this.#askAgainAt = Infinity;
  }
}
