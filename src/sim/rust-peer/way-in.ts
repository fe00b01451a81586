// How a Rust node joins (PROTOCOL §8): one contact per attempt, a new uuid for each (PITFALLS B3), pauses without jitter
// (A2). For as long as an attempt lasts it holds the lock on all that the node knows, so that whoever asks it anything
// waits (B12).

import type { Millis } from "../../core/doorway.ts";
import type { Endpoint, NodeId } from "../../core/endpoint.ts";
import type { Contacts, Metadata, Reply, Request } from "../../core/messages.ts";
import { drawNodeId, type Random } from "../../core/random.ts";
import type { View } from "../../core/view.ts";

const FIRST_ATTEMPT_MS = 5000;
const ATTEMPT_MAX_MS = 15_000;
const FIRST_PAUSE_MS = 200;
const PAUSE_MAX_MS = 4000;

export interface JoinCall {
  readonly kind: "preJoin" | "join";
}

/** The peer's calls, of which those to join are some. */
interface Calls {
  call(purpose: JoinCall, to: Endpoint, request: Request, timeoutMs: Millis): void;
  cancelThose(isOver: (purpose: { readonly kind: string }) => boolean): void;
}

export interface WayInOptions {
  readonly self: Endpoint;
  readonly metadata: Metadata;
  readonly random: Random;
}

export class WayIn {
  readonly #options: WayInOptions;
  readonly #out: Calls;
  /** Whom each attempt asks first; absent where there is no need to join. */
  #contact: (() => Endpoint) | undefined;
  #endsAt: Millis = Infinity;
  #resumesAt: Millis = Infinity;
  #attemptMs: Millis = 0;
  #pauseMs: Millis = 0;
  #openJoins = 0;
  /** Of the newest attempt; a node that founds a mesh does so with the one it has. */
  uuid: NodeId;

  constructor(options: WayInOptions, out: Calls) {
    this.#options = options;
    this.#out = out;
    this.uuid = drawNodeId(options.random);
  }

  get isUnderWay(): boolean {
    return this.#contact !== undefined;
  }

  /** An attempt is being made; in the pauses between them the node goes on with what it has. */
  get holdsLock(): boolean {
    return this.#endsAt !== Infinity;
  }

  get wakeAt(): Millis {
    return Math.min(this.#endsAt, this.#resumesAt);
  }

  begin(contact: () => Endpoint, now: Millis): void {
    this.#contact = contact;
    this.#attemptMs = FIRST_ATTEMPT_MS;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#attempt(now);
  }

  wake(now: Millis): void {
    if (now >= this.#endsAt) this.#fail(now);
    else if (now >= this.#resumesAt) this.#attempt(now);
  }

  /** The view to take, as soon as anybody gives one. */
  answered(call: JoinCall, reply: Reply, now: Millis): View | undefined {
    if (call.kind === "preJoin") {
      if (reply.kind === "contacts" && reply.observers.length > 0) this.#askObservers(reply, now);
      else this.#fail(now);
      return undefined;
    }
    this.#openJoins -= 1;
    if (reply.kind === "joined") {
      this.#contact = undefined;
      this.#stop();
      return reply.view;
    }
    if (this.#openJoins === 0) this.#fail(now);
    return undefined;
  }

  #attempt(now: Millis): void {
    const { self, random } = this.#options;
    this.uuid = drawNodeId(random);
    this.#resumesAt = Infinity;
    this.#endsAt = now + this.#attemptMs;
    this.#openJoins = 0;
    const request = { kind: "preJoin", sender: self, uuid: this.uuid } as const;
    this.#out.call({ kind: "preJoin" }, this.#contact!(), request, this.#attemptMs);
  }

  #askObservers({ observers, configuration }: Contacts, now: Millis): void {
    const { self, metadata } = this.#options;
    this.#openJoins = observers.length;
    for (const [ring, observer] of observers.entries()) {
      const request = { kind: "join", sender: self, ring, uuid: this.uuid, configuration, metadata } as const;
      this.#out.call({ kind: "join" }, observer, request, this.#endsAt - now);
    }
  }

  #fail(now: Millis): void {
    this.#stop();
    this.#resumesAt = now + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MAX_MS);
    this.#attemptMs = Math.min(1.5 * this.#attemptMs, ATTEMPT_MAX_MS);
  }

  #stop(): void {
    this.#endsAt = Infinity;
    this.#out.cancelThose(({ kind }) => kind === "preJoin" || kind === "join");
  }
}
