// Answers the probes that come on open streams, one stream for each Node observer.

import type { handleBidiStreamingCall, ServerDuplexStream } from "@grpc/grpc-js";
import type { Reply, Request } from "../core/messages.ts";
import { refuse } from "../core/refusals.ts";
import { encodeProbeResult } from "./peer-codec.ts";
import { errorOf } from "./status.ts";

/** Every member has few observers, and a stranger gains nothing by many streams. */
const STREAMS_MAX = 4096;

export class ProbeServer {
  readonly #ask: (request: Request, answer: (reply: Reply) => void) => void;
  readonly #streams = new Set<ServerDuplexStream<Buffer, Buffer>>();
  /** What was answered last, in both forms: members at rest say the same over and over. */
  #said: { readonly reply: Reply; readonly bytes: Buffer } | undefined;
  #closed = false;

  constructor(ask: (request: Request, answer: (reply: Reply) => void) => void) {
    this.#ask = ask;
  }

  get streams(): number {
    return this.#streams.size;
  }

  close(): void {
    this.#closed = true;
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }

  readonly probes: handleBidiStreamingCall<Buffer, Buffer> = (stream) => {
    if (this.#closed || this.#streams.size >= STREAMS_MAX) {
      stream.emit("error", errorOf(this.#closed ? refuse.closed : refuse.tooMany));
      return;
    }
    this.#streams.add(stream);
    stream.on("data", () => {
      this.#ask({ kind: "probe" }, (reply) => {
        if (!stream.writable) return;
        // A peer that does not read its answers is not read from either.
        if (!stream.write(this.#encode(reply))) stream.pause();
      });
    });
    stream.on("drain", () => stream.resume());
    stream.once("end", () => stream.end());
    for (const event of ["cancelled", "error", "close"]) {
      stream.once(event, () => this.#streams.delete(stream));
    }
  };
  #encode(reply: Reply): Buffer {
    if (this.#said === undefined || !isSame(reply, this.#said.reply)) {
      this.#said = { reply, bytes: encodeProbeResult(reply) };
    }
    return this.#said.bytes;
  }
}

function isSame(a: Reply, b: Reply): boolean {
  if (a.kind === "ack") return b.kind === "ack" && a.uuid === b.uuid && a.configuration === b.configuration;
  return false;
}
