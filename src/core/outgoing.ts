// What one step of a member lets out, in order, and which of its calls are still open. It gathers; when to say what
// is for the member to know.

import type { CallId, Effect, Level, Millis, Token } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Reply, Request } from "./messages.ts";

/** `Purpose` is what the caller wants to remember of a call until its answer has come. */
export class Outgoing<Purpose> {
  readonly #calls = new Map<CallId, Purpose>();
  #effects: Effect[] = [];
  #lastCall: CallId = 0;

  /** All that was gathered since the last time. */
  take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  add(effect: Effect): void {
    this.#effects.push(effect);
  }

  send(to: readonly Endpoint[], request: Request): void {
    if (to.length > 0) this.add({ kind: "send", to, request });
  }

  call(purpose: Purpose, to: Endpoint, request: Request, timeoutMs: Millis): void {
    this.#lastCall += 1;
    this.#calls.set(this.#lastCall, purpose);
    this.add({ kind: "call", call: this.#lastCall, to, request, timeoutMs });
  }

  /** What this answer was asked for; `undefined` where nobody is interested any more. */
  answered(call: CallId): Purpose | undefined {
    const purpose = this.#calls.get(call);
    this.#calls.delete(call);
    return purpose;
  }

  /** No answer that is still to come is of interest. */
  cancelAll(): void {
    this.cancelThose(() => true);
  }

  /** Nor is that to any call which was made for such a purpose. */
  cancelThose(isOver: (purpose: Purpose) => boolean): void {
    for (const [call, purpose] of this.#calls) {
      if (!isOver(purpose)) continue;
      this.#calls.delete(call);
      this.add({ kind: "cancel", call });
    }
  }

  reply(token: Token, reply: Reply): void {
    this.add({ kind: "reply", token, reply });
  }

  note(level: Level, text: string): void {
    this.add({ kind: "note", level, text });
  }
}
