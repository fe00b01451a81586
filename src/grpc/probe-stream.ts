// The open stream to one Node subject on which it is probed. Answers come in the order of the probes. One that comes too
// late for its own probe still says that the subject lives, and answers those that wait by then: a machine that is
// short of CPU is slow, not dead.

import { type ChannelInterface, type experimental, Metadata, status } from "@grpc/grpc-js";
import type { Reply } from "../core/messages.ts";
import { PROBES } from "./methods.ts";
import { decodeProbeResult } from "./peer-codec.ts";
import { refusedBy } from "./status.ts";

/** Who owes more answers than this is asked on another stream. */
const OWED_MAX = 8;

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
  /** Answers that are still to come, and that nobody waits for. */
  #owed = 0;
  #wasAnswered = false;
  /** The answer that was read last, in both forms: members at rest say the same over and over. */
  #heard: { readonly bytes: Buffer; readonly reply: Reply } | undefined;
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
    // What has arrived by then is read first.
    const timer = setTimeout(() => setImmediate(() => this.#late(asked, timeoutMs)), timeoutMs);
    const asked: Asked = { answer, timer };
    this.#asked.push(asked);
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

  #late(asked: Asked, timeoutMs: number): void {
    const at = this.#asked.indexOf(asked);
    if (at < 0) return;
    this.#asked.splice(at, 1);
    this.#owed += 1;
    const why = `no answer within ${timeoutMs} ms`;
    if (this.#owed > OWED_MAX) this.#cancel(status.DEADLINE_EXCEEDED, why);
    asked.answer(refusedBy(status.DEADLINE_EXCEEDED, why));
  }

  #answered(bytes: Buffer): void {
    const isAwaited = this.#owed > 0 || this.#asked.length > 0;
    if (this.#isOver || !isAwaited) return;
    this.#wasAnswered = true;
    this.#call.startRead();
    const answered = this.#owed > 0 ? this.#asked.splice(0) : [this.#asked.shift()!];
    if (this.#owed > 0) this.#owed += answered.length - 1;
    // A copy, for the bytes are a window on all that was read from the socket with them.
    if (!this.#heard?.bytes.equals(bytes)) {
      this.#heard = { bytes: Buffer.from(bytes), reply: readReply(bytes) };
    }
    const { reply } = this.#heard;
    for (const { answer, timer } of answered) {
      clearTimeout(timer);
      answer(reply);
    }
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
