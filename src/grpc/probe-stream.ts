// The open stream to one Node subject on which it is probed. Answers come in the order of the probes; a probe that is
// not answered in time breaks that order and so ends the stream, and the next probe opens another.

import { type ChannelInterface, type experimental, Metadata, status } from "@grpc/grpc-js";
import type { Reply } from "../core/messages.ts";
import { PROBES } from "./methods.ts";
import { decodeProbeResult } from "./peer-codec.ts";
import { refusedBy } from "./status.ts";

const NOTHING = Buffer.alloc(0);
const NO_HEADERS = new Metadata();

interface Asked {
  readonly answer: (reply: Reply) => void;
  readonly timer: NodeJS.Timeout;
}

export class ProbeStream {
  readonly #call: experimental.CallStream;
  readonly #ended: (code: number, isBroken: boolean) => void;
  #asked: Asked[] = [];
  #wasAnswered = false;
  /** We ended it ourselves. */
  #isCancelled = false;
  #isOver = false;

  /**
   * `ended` is told with a gRPC status when the stream is over, and whether it was in use and then broke without our
   * doing.
   * @throws Error where the channel is shut down.
   */
  constructor(channel: ChannelInterface, ended: (code: number, isBroken: boolean) => void) {
    this.#ended = ended;
    this.#call = channel.createCall(PROBES, Infinity, null, null, null);
    this.#call.start(NO_HEADERS, {
      onReceiveMetadata() {},
      onReceiveMessage: (bytes: Buffer) => this.#answered(bytes),
      onReceiveStatus: ({ code, details }) => this.#end(code, details),
    });
    this.#call.startRead();
  }

  /** Probes once; `answer` is called exactly once, later. */
  ask(timeoutMs: number, answer: (reply: Reply) => void): void {
    const timer = setTimeout(() => {
      this.#cancel(status.DEADLINE_EXCEEDED, `no answer within ${timeoutMs} ms`);
    }, timeoutMs);
    this.#asked.push({ answer, timer });
    this.#call.sendMessageWithContext({}, NOTHING);
  }

  /** Ends the stream. Probes under way are refused. */
  close(): void {
    this.#cancel(status.CANCELLED, "closed");
  }

  #cancel(code: number, why: string): void {
    this.#isCancelled = true;
    this.#call.cancelWithStatus(code, why);
  }

  #answered(bytes: Buffer): void {
    const asked = this.#isOver ? undefined : this.#asked.shift();
    if (asked === undefined) return;
    clearTimeout(asked.timer);
    this.#wasAnswered = true;
    this.#call.startRead();
    asked.answer(readReply(bytes));
  }

  #end(code: number, details: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const asked = this.#asked;
    this.#asked = [];
    this.#ended(code, this.#wasAnswered && !this.#isCancelled);
    for (const { answer, timer } of asked) {
      clearTimeout(timer);
      answer(refusedBy(code, details));
    }
  }
}

function readReply(bytes: Buffer): Reply {
  try {
    return decodeProbeResult(bytes);
  } catch {
    return refusedBy(status.INTERNAL, "the answer to a probe cannot be read");
  }
}
