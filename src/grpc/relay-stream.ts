// The open stream to one Node peer on which broadcasts travel, several in a frame. A frame on a stream that is open
// costs a third of a call, and the peer's answer to each frame is the clock by which the next is sent.

import { type ChannelInterface, type experimental, Metadata, status } from "@grpc/grpc-js";
import { RELAY } from "./methods.ts";

export interface RelayEvents {
  /** The peer has handled the oldest frame that it had not answered yet. */
  readonly handled: () => void;
  /** The stream takes another frame. */
  readonly writable: () => void;
  /**
   * The stream is over; frames that were not handled may or may not have been. It broke where it had been in use and
   * ended without our doing. Told once, unless it was closed.
   */
  readonly ended: (code: number, isBroken: boolean) => void;
}

const NO_HEADERS = new Metadata();

export class RelayStream {
  readonly #call: experimental.CallStream;
  readonly #events: RelayEvents;
  readonly #timeoutMs: number;
  #overdue: NodeJS.Timeout | undefined;
  #unanswered = 0;
  /** grpc-js keeps one message only until it is connected: the next has to wait for it. */
  #writing = false;
  #wasAnswered = false;
  #isOverdue = false;
  #over = false;

  /** @throws Error where the channel is shut down. */
  constructor(channel: ChannelInterface, timeoutMs: number, events: RelayEvents) {
    this.#events = events;
    this.#timeoutMs = timeoutMs;
    this.#call = channel.createCall(RELAY, Infinity, null, null, null);
    this.#call.start(NO_HEADERS, {
      onReceiveMetadata() {},
      onReceiveMessage: () => this.#answered(),
      onReceiveStatus: ({ code }) => this.#end(code),
    });
    this.#call.startRead();
  }

  get unanswered(): number {
    return this.#unanswered;
  }

  get isWritable(): boolean {
    return !this.#writing && !this.#over;
  }

  write(frame: Buffer): void {
    this.#unanswered++;
    this.#writing = true;
    this.#overdue ??= this.#timer();
    const callback = (): void => {
      this.#writing = false;
      if (!this.#over) this.#events.writable();
    };
    this.#call.sendMessageWithContext({ callback }, frame);
  }

  /** Ends the stream. Nothing is told any more. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#overdue);
    this.#call.cancelWithStatus(status.CANCELLED, "closed");
  }

  #timer(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#isOverdue = true;
      this.#call.cancelWithStatus(status.DEADLINE_EXCEEDED, `no answer within ${this.#timeoutMs} ms`);
    }, this.#timeoutMs).unref();
  }

  #answered(): void {
    if (this.#over || this.#unanswered === 0) return;
    this.#unanswered--;
    this.#wasAnswered = true;
    if (this.#unanswered > 0) this.#overdue?.refresh();
    else {
      clearTimeout(this.#overdue);
      this.#overdue = undefined;
    }
    this.#call.startRead();
    this.#events.handled();
  }

  #end(code: number): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#overdue);
    this.#events.ended(code, this.#wasAnswered && !this.#isOverdue);
  }
}
