// What is to be told to one peer and was not told yet. To a Rust member each broadcast is a call, and the number of
// calls under way is limited. To a Node member broadcasts travel on a stream; those that have to wait share a frame,
// so that the slower peer and wire are, the less each one costs (PITFALLS B20).

import { type ChannelInterface, status } from "@grpc/grpc-js";
import type { Request } from "../core/messages.ts";
import { refuse } from "../core/refusals.ts";
import { encodeRequest } from "./codec.ts";
import { type Letter, Letters } from "./letters.ts";
import { PATHS } from "./methods.ts";
import { encodeRelay } from "./peer-codec.ts";
import { RelayStream } from "./relay-stream.ts";
import { numberOf } from "./status.ts";
import { unary } from "./unary.ts";

export interface OutboxLimits {
  /** Messages and bytes that may wait; the oldest make room. */
  readonly messages: number;
  readonly bytes: number;
  /** Calls that may be under way, and frames that may be unanswered. */
  readonly calls: number;
  readonly frames: number;
  /** Broadcasts and bytes in one frame. */
  readonly frameMessages: number;
  readonly frameBytes: number;
  /** How long the answer to a call or a frame may take. */
  readonly timeoutMs: number;
}

export const OUTBOX_LIMITS: OutboxLimits = {
  messages: 10_000,
  bytes: 32 * 1024 * 1024,
  calls: 32,
  frames: 2,
  frameMessages: 512,
  frameBytes: 1024 * 1024,
  timeoutMs: 10_000,
};

/** What became of messages, over all peers. */
export interface Tally {
  /** Calls and frames that were begun. */
  trips: number;
  delivered: number;
  dropped: number;
  failed: number;
}

/** What an outbox has to know of its peer and its owner. */
export interface OutboxSurroundings {
  readonly channel: ChannelInterface;
  readonly limits: OutboxLimits;
  readonly tally: Tally;
  /** The peer is a Node member, and so is expected to take frames. */
  readonly isNode: () => boolean;
  /** Messages had to make room for newer ones. */
  readonly overflowed: () => void;
  /** The connection broke, over which a Node peer had taken frames. */
  readonly broken: () => void;
  /** Nothing waits and nothing is under way. */
  readonly emptied: () => void;
}

export class Outbox {
  readonly #around: OutboxSurroundings;
  readonly #broadcasts: Letters;
  readonly #others: Letters;
  readonly #calls = new Set<() => void>();
  #stream: RelayStream | undefined;
  /** What the unanswered frames of the stream carry, the oldest first. */
  #frames: (readonly Letter[])[] = [];
  #takesFrames = true;

  constructor(around: OutboxSurroundings) {
    const { messages, bytes } = around.limits;
    this.#around = around;
    this.#broadcasts = new Letters(messages, bytes);
    this.#others = new Letters(messages, bytes);
  }

  get isIdle(): boolean {
    return this.#waiting === 0 && this.#calls.size === 0 && this.#frames.length === 0;
  }

  /** Puts in line. Nothing leaves before `flush`, so that what is said in one turn can travel together. */
  push(request: Request): void {
    const letters = request.kind === "broadcast" ? this.#broadcasts : this.#others;
    const dropped = letters.push({ path: PATHS[request.kind], bytes: encodeRequest(request) });
    this.#around.tally.dropped += dropped;
    if (dropped > 0) this.#around.overflowed();
  }

  /** Sends what may be sent now. */
  flush(): void {
    const inFrames = this.#takesFrames && this.#around.isNode();
    if (inFrames) this.#flushFrames();
    else this.#closeStream();
    const { calls } = this.#around.limits;
    for (const letters of [this.#others, this.#broadcasts]) {
      if (letters === this.#broadcasts && inFrames) continue;
      while (letters.size > 0 && this.#calls.size < calls) this.#call(letters.take(1, Infinity)[0]!);
    }
  }

  /** Gives up on everything. */
  close(): void {
    this.#around.tally.dropped += this.#broadcasts.clear() + this.#others.clear();
    for (const cancel of this.#calls) cancel();
    this.#closeStream();
  }

  get #waiting(): number {
    return this.#broadcasts.size + this.#others.size;
  }

  #call({ path, bytes }: Letter): void {
    const { channel, limits, tally } = this.#around;
    tally.trips++;
    const cancel = unary(channel, path, bytes, limits.timeoutMs, (code, details) => {
      this.#calls.delete(cancel);
      if (code === status.OK || isRedundant(code, details)) tally.delivered++;
      else this.#failed(1, code);
      this.#proceed();
    });
    this.#calls.add(cancel);
  }

  #flushFrames(): void {
    const { limits, tally } = this.#around;
    while (this.#broadcasts.size > 0 && this.#frames.length < limits.frames) {
      this.#stream ??= this.#openStream();
      if (!this.#stream.isWritable) return;
      const frame = this.#broadcasts.take(limits.frameMessages, limits.frameBytes);
      tally.trips++;
      this.#frames.push(frame);
      this.#stream.write(encodeRelay(frame.map((letter) => letter.bytes)));
    }
  }

  #openStream(): RelayStream {
    const { channel, limits, tally } = this.#around;
    return new RelayStream(channel, limits.timeoutMs, {
      handled: () => {
        tally.delivered += this.#frames.shift()?.length ?? 0;
        this.#proceed();
      },
      writable: () => this.#flushFrames(),
      ended: (code, isBroken) => {
        const lost = this.#frames.flat();
        this.#stream = undefined;
        this.#frames = [];
        if (code === status.UNIMPLEMENTED) {
          // It says that it is a Node member and yet takes no frames: tell it one by one, as a Rust member.
          this.#takesFrames = false;
          this.#broadcasts.putBack(lost);
        } else this.#failed(lost.length, code);
        if (isBroken) this.#around.broken();
        this.#proceed();
      },
    });
  }

  #closeStream(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#around.tally.failed += this.#frames.flat().length;
    this.#frames = [];
  }

  #failed(messages: number, code: number): void {
    this.#around.tally.failed += messages;
    // A peer that cannot be reached now could not have been told the rest either, had it not waited here.
    if (code !== status.UNAVAILABLE) return;
    this.#around.tally.dropped += this.#broadcasts.clear() + this.#others.clear();
  }

  #proceed(): void {
    this.flush();
    if (this.isIdle) this.#around.emptied();
  }
}

function isRedundant(code: number, details: string): boolean {
  return code === numberOf(refuse.redundant.code) && details === refuse.redundant.why;
}
