// A member on its way out, of its own accord: asks its observers to report it, and asks again, until it is removed or its
// time is over. Once removed it waits until somebody who stays knows of it.

import type { Finding } from "./configuration-check.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import { FAREWELL_AGAIN_MS, farewell } from "./leaving.ts";
import type { Alerts, Compare, PromiseMessage, Reply } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";
import { Parting } from "./parting.ts";
import { type Random, shuffled } from "./random.ts";
import { refuse } from "./refusals.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

/** "Where are you?", asked before we go. */
export interface PartingCall {
  readonly kind: "parting";
  readonly to: Endpoint;
}

/** What is known of others' whereabouts. */
interface Whereabouts {
  question(to: Endpoint, view: View): Compare | PromiseMessage;
  locate(node: Endpoint, reply: Reply, view: View, now: Millis): Finding;
}

export interface ExitOptions {
  readonly self: Endpoint;
  readonly settings: Settings;
  readonly random: Random;
}

export class Exit {
  readonly #options: ExitOptions;
  readonly #out: Pick<Outgoing<PartingCall>, "send" | "call">;
  readonly #whereabouts: Whereabouts;
  /** When it is out at the latest. */
  #by: Millis | undefined;
  #askAgainAt: Millis = Infinity;
  #isDone = false;
  /** Present once we are removed. */
  #parting: Parting | undefined;
  /** The first configuration without us. */
  #stay: View | undefined;

  constructor(
    options: ExitOptions,
    out: Pick<Outgoing<PartingCall>, "send" | "call">,
    whereabouts: Whereabouts,
  ) {
    this.#options = options;
    this.#out = out;
    this.#whereabouts = whereabouts;
  }

  get wakeAt(): Millis {
    return Math.min(this.#by ?? Infinity, this.#askAgainAt, this.#parting?.wakeAt ?? Infinity);
  }

  /** On its way, and not out yet. */
  get isLeaving(): boolean {
    return this.#by !== undefined;
  }

  /** Removed, and about to go. */
  get isParting(): boolean {
    return this.#parting !== undefined;
  }

  /** Out, and nothing brings it back. */
  get isDone(): boolean {
    return this.#isDone;
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
    const { ask, request, say } = farewell(view, this.#options.self);
    for (const observer of ask) this.#out.send([observer], request);
    return say;
  }

  /** Goes on without us, in this view. Who stays has as long to learn of it as it takes to find out who is dead. */
  part(stay: View, now: Millis): void {
    const { random, settings } = this.#options;
    this.#stay = stay;
    this.#parting = new Parting(shuffled([...stay.members], random), now);
    this.#by = Math.min(this.#by!, now + settings.faultStrikes * settings.faultTimeoutMs);
    this.#askAgainAt = Infinity;
  }

  /** Does what is due; true when it is time to go, whatever has come of it. */
  wake(now: Millis): boolean {
    for (const to of this.#parting?.due(now) ?? []) {
      const question = this.#whereabouts.question(to, this.#stay!);
      this.#out.call({ kind: "parting", to }, to, question, this.#options.settings.faultTimeoutMs / 4);
    }
    return this.#parting?.isOver === true || now >= (this.#by ?? Infinity);
  }

  answered(to: Endpoint, reply: Reply, now: Millis): void {
    if (this.#parting === undefined) return;
    const isGone = reply.kind === "refused" && reply.code === "unavailable";
    // One that has left itself knew of this before.
    const hasLeft = isGone && reply.why === refuse.closed.why;
    const finding = isGone ? "gone" : this.#whereabouts.locate(to, reply, this.#stay!, now);
    this.#parting.answered(to, hasLeft ? "same" : finding);
  }

  end(): void {
    this.#isDone = true;
    this.#parting = undefined;
    this.#by = undefined;
    this.#askAgainAt = Infinity;
  }
}
