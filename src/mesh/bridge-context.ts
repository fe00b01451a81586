// What a handler is told of the call that it answers, beside the request; and what its errors become.

import { X509Certificate } from "node:crypto";
import { type Deadline, Metadata, type ServerErrorResponse, status } from "@grpc/grpc-js";
import { type CertificateInfo, infoOf } from "../grpc/index.ts";

/** What a handler may know of its call. */
export interface CallContext {
  /** Aborted when the caller gave up, when the deadline has passed, and in the end: nobody waits any more. */
  readonly signal: AbortSignal;
  /** Until when the caller waits; `undefined` where the caller set no limit. */
  readonly deadline: Date | undefined;
  /** The headers that the caller sent. */
  readonly metadata: Metadata;
  /** Where the call comes from, as "ip:port". */
  readonly peer: string;
  /** What the caller showed; only where the mesh has `tls.clientAuth`. */
  readonly certificate: CertificateInfo | undefined;
}

/** What all kinds of calls of grpc-js have in common. */
interface AnyCall {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPeer(): string;
  getDeadline(): Deadline;
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw: Buffer } };
  once(event: "cancelled", listener: () => void): unknown;
}

export class ServerCallContext implements CallContext {
  readonly #call: AnyCall;
  #signal: AbortSignal | undefined;

  constructor(call: AnyCall) {
    this.#call = call;
  }

  // Made on demand: most handlers never look, and a signal costs more than the rest of the context.
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      const abort = (): void => controller.abort(new Error("the caller does not wait any more"));
      if (this.#call.cancelled) abort();
      else this.#call.once("cancelled", abort);
      this.#signal = controller.signal;
    }
    return this.#signal;
  }

  get deadline(): Date | undefined {
    const deadline = this.#call.getDeadline();
    return deadline === Infinity ? undefined : new Date(deadline);
  }

  get metadata(): Metadata {
    return this.#call.metadata;
  }

  get peer(): string {
    return this.#call.getPeer();
  }

  get certificate(): CertificateInfo | undefined {
    const { sslPeerCertificate } = this.#call.getAuthContext();
    return sslPeerCertificate && infoOf(new X509Certificate(sslPeerCertificate.raw));
  }
}

/** Statuses travel in a header, which must not grow without limit. */
const DETAILS_MAX = 4096;

/** An error with a numeric gRPC `code` keeps it; anything else that is thrown is UNKNOWN, with its message. */
export function statusOf(error: unknown): ServerErrorResponse {
  const thrown = (error ?? {}) as Partial<Record<"code" | "details" | "metadata" | "message", unknown>>;
  const isStatus =
    error instanceof Error &&
    Number.isInteger(thrown.code) &&
    Number(thrown.code) in status &&
    thrown.code !== 0;
  const words = typeof thrown.details === "string" && isStatus ? thrown.details : thrown.message;
  return Object.assign(new Error(), {
    code: isStatus ? (thrown.code as status) : status.UNKNOWN,
    details: wellFormed(typeof words === "string" ? words : String(error)),
    ...(thrown.metadata instanceof Metadata ? { metadata: thrown.metadata } : {}),
  });
}

function wellFormed(text: string): string {
  // Half of a surrogate pair cannot be encoded for the header, and would fail far from here.
  return Buffer.from(text.slice(0, DETAILS_MAX)).toString("utf8");
}
