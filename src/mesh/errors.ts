// Every way in which this library fails, as one class with a closed set of codes.

/**
 * Why a {@link BlipError} was thrown.
 *
 * - `BLIP_INVALID_OPTIONS`: an option is unknown or its value cannot work; `field` names it.
 * - `BLIP_ADDRESS_IN_USE`: another process listens on the port already.
 * - `BLIP_CANNOT_LISTEN`: the listen address is not this machine's, does not resolve, or is not permitted.
 * - `BLIP_WRONG_MESH`: the members that were found are of a mesh of another name; this member left it again.
 * - `BLIP_ABORTED`: the caller's AbortSignal was aborted; `cause` is the signal's reason.
 * - `BLIP_TIMEOUT`: the time given for a wait or a call was over first.
 * - `BLIP_CLOSED`: the mesh was closed, before or meanwhile.
 * - `BLIP_NO_MEMBERS`: no member of the mesh serves what is called, or none that `where` accepts.
 * - `BLIP_CALL_FAILED`: a call was answered with a gRPC status other than OK, or broke; `status` is its number.
 * - `BLIP_UNREACHABLE`: a member could not be reached at all.
 * - `BLIP_SOURCE_FAILED`: the source of a cache failed, here or at `address`, or its codec could not read the value;
 *   `cause` is what it threw here.
 * - `BLIP_OVERLOADED`: so much is under way already that nothing more is begun.
 * - `BLIP_INTERNAL`: a defect of this library; the mesh was closed. Please report it.
 */
export type BlipErrorCode =
  | "BLIP_INVALID_OPTIONS"
  | "BLIP_ADDRESS_IN_USE"
  | "BLIP_CANNOT_LISTEN"
  | "BLIP_WRONG_MESH"
  | "BLIP_ABORTED"
  | "BLIP_TIMEOUT"
  | "BLIP_CLOSED"
  | "BLIP_NO_MEMBERS"
  | "BLIP_CALL_FAILED"
  | "BLIP_UNREACHABLE"
  | "BLIP_SOURCE_FAILED"
  | "BLIP_OVERLOADED"
  | "BLIP_INTERNAL";

/** What else is known of a failure. */
export interface BlipErrorDetails {
  readonly cause?: unknown;
  readonly field?: string;
  readonly status?: number;
  readonly address?: string;
}

/** The one class of errors that this library throws; tell them apart by `code`. */
export class BlipError extends Error {
  override readonly name: string = "BlipError";
  readonly code: BlipErrorCode;
  /** The option that was refused, as it is written: `cutDetector.high`, `seeds[1]`. */
  declare readonly field?: string;
  /** The gRPC status of a failed call, by its number. */
  declare readonly status?: number;
  /** The member that was called. */
  declare readonly address?: string;

  constructor(code: BlipErrorCode, message: string, details: BlipErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.field !== undefined) this.field = details.field;
    if (details.status !== undefined) this.status = details.status;
    if (details.address !== undefined) this.address = details.address;
  }
}

/** Whether this was thrown by blip-mesh; true also across two installed copies of the package. */
export function isBlipError(value: unknown): value is BlipError {
  if (value instanceof BlipError) return true;
  return (
    value instanceof Error &&
    value.name === "BlipError" &&
    "code" in value &&
    typeof value.code === "string" &&
    value.code.startsWith("BLIP_")
  );
}

/** An option was refused: its name, what it should be, and what it is. */
export function invalid(field: string, expected: string, got?: unknown): BlipError {
  const shown = got === undefined ? "" : `, got ${shownValue(got)}`;
  return new BlipError("BLIP_INVALID_OPTIONS", `${field}: expected ${expected}${shown}`, { field });
}

export function aborted(signal: AbortSignal, doing: string): BlipError {
  return new BlipError("BLIP_ABORTED", `${doing} was aborted`, { cause: signal.reason });
}

const SHOWN_MAX = 100;

function shownValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(clipped(value));
  if (typeof value === "function") return "a function";
  if (value === null || typeof value !== "object") return clipped(String(value));
  return Array.isArray(value) ? `an array of ${value.length}` : `a ${value.constructor?.name ?? "object"}`;
}

function clipped(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
