// How calls fail: what a status says of the member, whether the call may be made again elsewhere, and the BlipError
// that a caller gets.

import { Metadata, status } from "@grpc/grpc-js";
import { isTarget } from "../grpc/index.ts";
import type { Member } from "./cut.ts";
import { BlipError } from "./errors.ts";
import type { Line } from "./line.ts";

/** How an attempt at a call ended that did not succeed. */
export interface Failure {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
  /** A handler may have seen the request. */
  readonly isReached: boolean;
  /** What came is not the member's own answer: the connection broke, or the deadline passed. */
  readonly isBroken: boolean;
}

/** A failure where something is thrown. */
export class AttemptFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.details);
    this.failure = failure;
  }
}

interface Status {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** Statuses that speak against the member, and not against the request. */
const FAULTS: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.RESOURCE_EXHAUSTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** Made by grpc-js, not by the other side; it has no other sign of it. */
const REFUSED = "Stream refused by server";
const RESET = /^Received RST_STREAM with code/;

/** Reads a status, and lets the line to the member know. `peer` is what the call says of where it went. */
export function judged(line: Line, ended: Status, peer: string, hasHeaders: boolean): Failure {
  const { code, details, metadata = new Metadata() } = ended;
  const isAnswer = hasHeaders || Object.keys(metadata.getMap()).length > 0;
  if (isAnswer) line.answered(FAULTS.has(code));
  else if (code !== status.CANCELLED) line.broke();
  const hasStream = !isTarget(peer);
  const isRefused = !isAnswer && code === status.UNAVAILABLE && details === REFUSED;
  return { code, details, metadata, isReached: hasStream && !isRefused, isBroken: !isAnswer };
}

/** There is no connection to the member. */
export function unreached(error?: unknown): Failure {
  const details = error === undefined ? "there is no connection" : String(error);
  return {
    code: status.UNAVAILABLE,
    details,
    metadata: new Metadata(),
    isReached: false,
    isBroken: true,
  };
}

/** Whether a call that may be done twice is worth another attempt. */
export function isTransient({ code, details, isBroken }: Failure): boolean {
  if (code === status.UNAVAILABLE) return true;
  // A server that goes away resets its streams, with one code or another.
  return isBroken && (code === status.CANCELLED || (code === status.INTERNAL && RESET.test(details)));
}

export function errorOf(path: string, { address }: Member, failure: Failure): BlipError {
  const { code, details, metadata, isReached } = failure;
  const cause = Object.assign(new Error(`${code} ${status[code]}: ${details}`), { code, details, metadata });
  if (code === status.DEADLINE_EXCEEDED) {
    return new BlipError("BLIP_TIMEOUT", `${path} at ${address}: there was no answer in time`, {
      cause,
      status: code,
      address,
    });
  }
  if (!isReached) {
    return new BlipError("BLIP_UNREACHABLE", `${path}: ${address} cannot be reached`, {
      cause,
      status: code,
      address,
    });
  }
  return new BlipError(
    "BLIP_CALL_FAILED",
    `${path} at ${address}: ${status[code] ?? `status ${code}`}: ${details}`,
    { cause, status: code, address },
  );
}

export function late(path: string, cause?: unknown): BlipError {
  const details = { cause, status: status.DEADLINE_EXCEEDED };
  return new BlipError("BLIP_TIMEOUT", `${path}: there was no answer in time`, details);
}

export function closed(path: string, cause?: unknown): BlipError {
  return new BlipError("BLIP_CLOSED", `${path}: the mesh was closed`, { cause });
}
