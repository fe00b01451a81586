// What this process knows of one member that it calls: the channel to it, how many calls are under way there, and
// how it has answered lately. All clients of a mesh share it, so that what one of them finds out the others know.

import type { Endpoint } from "../core/endpoint.ts";
import type { Channels } from "../grpc/index.ts";
import type { Member } from "./cut.ts";
import { Standing } from "./standing.ts";

export type Channel = ReturnType<Channels["to"]>;

/** A call with one response that waits for it. */
export interface Waiting {
  /** The member does not answer anybody, so that this answer may never come. It may be told again and again. */
  memberIsMissing(): void;
}

export class Line {
  readonly member: Member;
  readonly endpoint: Endpoint;
  readonly channel: Channel;
  readonly standing: Standing = new Standing();
  /** The member is in the newest configuration. */
  isWanted = true;
  /** When it was last heard, or when calls began to wait for it. */
  heardMs = 0;
  /** How long it took to say that it is there, when it was asked last. */
  answeredInMs = 0;
  readonly waiting: Set<Waiting> = new Set();
  #streams = 0;
  readonly #emptied: (line: Line) => void;
  readonly #began: () => void;
  readonly #judged: () => void;

  /** `began` is told of each call that waits, `emptied` when none is under way, `judged` when its standing changes. */
  constructor(
    member: Member,
    endpoint: Endpoint,
    channel: Channel,
    told: {
      readonly began: () => void;
      readonly emptied: (line: Line) => void;
      readonly judged: () => void;
    },
  ) {
    this.member = member;
    this.endpoint = endpoint;
    this.channel = channel;
    this.#began = told.began;
    this.#emptied = told.emptied;
    this.#judged = told.judged;
  }

  /** Calls that have not ended. */
  get underWay(): number {
    return this.waiting.size + this.#streams;
  }

  wait(call: Waiting): void {
    if (this.waiting.size === 0) this.heardMs = performance.now();
    this.waiting.add(call);
    this.#began();
  }

  endWait(call: Waiting): void {
    if (this.waiting.delete(call) && this.underWay === 0) this.#emptied(this);
  }

  beginStream(): void {
    this.#streams += 1;
  }

  endStream(): void {
    this.#streams -= 1;
    if (this.underWay === 0) this.#emptied(this);
  }

  /** An answer came; `isFault` where it speaks against the member. */
  answered(isFault: boolean): void {
    this.heard();
    if (!isFault) this.standing.answered();
    else if (this.standing.faulted(this.heardMs)) this.#judged();
  }

  /** A call broke off, or never reached the member. */
  broke(): void {
    if (this.standing.faulted(performance.now())) this.#judged();
  }

  heard(): void {
    this.heardMs = performance.now();
    if (this.standing.heard()) this.#judged();
  }

  /** Nothing comes from it, or there is no connection to it. */
  missed(): void {
    if (this.standing.missed()) this.#judged();
    this.tellMissing();
  }

  /** Who still waits there goes elsewhere, as soon as it may. */
  tellMissing(): void {
    for (const call of [...this.waiting]) call.memberIsMissing();
  }
}
