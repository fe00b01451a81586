// The streams on which our Node subjects are probed, one each, opened by the first probe and anew where one ended.

import { status } from "@grpc/grpc-js";
import type { Endpoint } from "../core/endpoint.ts";
import type { Reply } from "../core/messages.ts";
import type { Channels } from "./channels.ts";
import { ProbeStream } from "./probe-stream.ts";
import { refusedBy } from "./status.ts";

export class Prober {
  readonly #channels: Channels;
  readonly #broken: (subject: Endpoint) => void;
  readonly #streams = new Map<Endpoint, ProbeStream>();
  /** Subjects that say they are Node members and yet know no such stream. */
  readonly #without = new Set<Endpoint>();

  /** `broken` is told of a subject whose stream broke after it had answered, without our doing. */
  constructor(channels: Channels, broken: (subject: Endpoint) => void) {
    this.#channels = channels;
    this.#broken = broken;
  }

  canStream(subject: Endpoint): boolean {
    return !this.#without.has(subject);
  }

  /** Closes the streams to all others. */
  follow(subjects: ReadonlySet<Endpoint>): void {
    for (const [subject, stream] of this.#streams) {
      if (subjects.has(subject)) continue;
      this.#streams.delete(subject);
      stream.close();
    }
    this.#without.clear();
  }

  probe(subject: Endpoint, timeoutMs: number, answer: (reply: Reply) => void): void {
    try {
      const stream = this.#streams.get(subject) ?? this.#open(subject);
      stream.ask(timeoutMs, answer);
    } catch (error) {
      // Only a channel that is shut down throws.
      process.nextTick(answer, refusedBy(status.UNAVAILABLE, String(error)));
    }
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
  }

  #open(subject: Endpoint): ProbeStream {
    const stream: ProbeStream = new ProbeStream(this.#channels.to(subject), (code, isBroken) => {
      if (this.#streams.get(subject) !== stream) return;
      this.#streams.delete(subject);
      if (code === status.UNIMPLEMENTED) this.#without.add(subject);
      if (isBroken) this.#broken(subject);
    });
    this.#streams.set(subject, stream);
    return stream;
  }
}
