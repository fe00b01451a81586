// What one step of a member lets out, in order, and which of its calls are still open. It gathers; when to say what
// is for the member to know.

import type { CallId, Effect, Level, Millis, Token } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Reply, Request } from "./messages.ts";

/** Of a caller that cancels by the kind of purpose alone. */
export interface CancelsByKind {
  cancelThose(isOver: (purpose: { readonly kind: string }) => boolean): void;
}

/** Nothing is ever added to it. */
const NOTHING: Effect[] = [];

/** `Purpose` is what the caller wants to remember of a call until its answer has come. */
export class Outgoing<Purpose extends { readonly kind: string }> {
  readonly #calls = new Map<CallId, Purpose>();
  #effects: Effect[] = NOTHING;
  #lastCall: CallId = 0;

  /** All that was gathered since the last time. */
  take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = NOTHING;
    return effects;
  }

  add(effect: Effect): void {
    // Most steps have one effect or two. An array that grows by a push makes room for sixteen more.
    const [first, second] = this.#effects;
    if (first === undefined) this.#effects = [effect];
    else if (second === undefined) this.#effects = [first, effect];
    else this.#effects.push(effect);
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

  /** How many calls of this kind wait for an answer. */
  countOpen(kind: Purpose["kind"]): number {
    let count = 0;
    for (const purpose of this.#calls.values()) if (purpose.kind === kind) count += 1;
    return count;
  }

  /** Answers that are still to come to calls which were made for such a purpose are of no interest. */
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
