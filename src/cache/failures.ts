// How getting a value fails: the source failed, which is final, or the one who was asked did not do what was asked,
// so that somebody else may be.

import { status } from "@grpc/grpc-js";
import { BlipError, isBlipError } from "../mesh/errors.ts";

/** The member that was asked is dead, slow, overloaded, or knows nothing of this cache. Never seen by users. */
export class OwnerFailed extends Error {
  readonly address: string;

  constructor(address: string, cause: unknown) {
    super(`${address}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    this.address = address;
  }
}

/** What the source threw here. It keeps a gRPC status that the source gave its error, for those who ask from afar. */
export function sourceFailed(cause: unknown): BlipError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return new BlipError("BLIP_SOURCE_FAILED", `the source failed: ${why}`, {
    cause,
    status: isStatus(code) ? code : status.UNKNOWN,
  });
}

/** What the codec threw over bytes that the source, or another member, came up with. */
export function unreadable(cause: unknown): BlipError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BlipError("BLIP_SOURCE_FAILED", `the codec cannot read the value: ${why}`, { cause });
}

/** What the source of the member at this address threw, as far as it was told. */
export function sourceFailedAt(address: string, reason: string, code: number): BlipError {
  return new BlipError("BLIP_SOURCE_FAILED", `at ${address}: ${reason}`, { address, status: code });
}

/** What a call to a member came to, as one of the two. */
export function failureOf(address: string, error: unknown): Error {
  if (!isBlipError(error) || error.code !== "BLIP_CALL_FAILED") return new OwnerFailed(address, error);
  if (error.status === undefined || OF_THE_OWNER.has(error.status)) return new OwnerFailed(address, error);
  const { cause } = error;
  const details = cause instanceof Error && "details" in cause ? String(cause.details) : error.message;
  return sourceFailedAt(address, details, error.status);
}

/** An error that ends a gRPC call with the status that goes with it. */
export function statusError(error: unknown): Error & { readonly code: status } {
  const { status: given, code } = (isBlipError(error) ? error : {}) as Partial<BlipError>;
  const message = error instanceof Error ? error.message : String(error);
  return Object.assign(new Error(message), { code: given ?? STATUS_OF[code ?? ""] ?? status.UNKNOWN });
}

const STATUS_OF: Readonly<Record<string, status>> = {
  BLIP_INVALID_OPTIONS: status.INVALID_ARGUMENT,
  BLIP_OVERLOADED: status.RESOURCE_EXHAUSTED,
  BLIP_TIMEOUT: status.DEADLINE_EXCEEDED,
  BLIP_ABORTED: status.CANCELLED,
  BLIP_CLOSED: status.UNAVAILABLE,
};

/** Statuses that say something of the member, or of the way to it, and nothing of the key. */
const OF_THE_OWNER: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
  status.UNAUTHENTICATED,
  status.UNAVAILABLE,
  status.UNIMPLEMENTED,
]);

function isStatus(code: unknown): code is number {
  return Number.isInteger(code) && Number(code) in status && code !== 0;
}
