// Messages of a call as bytes and back, within the limit that the client has set.

import type { Method } from "./bridge-definition.ts";
import type { Member } from "./cut.ts";
import { BlipError, invalid } from "./errors.ts";

export interface Messages {
  readonly method: Method;
  readonly maxMessageBytes: number;
}

/** @throws BlipError BLIP_INVALID_OPTIONS, BLIP_CALL_FAILED */
export function encodeRequest({ method, maxMessageBytes }: Messages, request: unknown): Buffer {
  let bytes: Buffer;
  try {
    bytes = method.encodeRequest(request);
  } catch (cause) {
    const why = `${method.path}: the request cannot be encoded: ${cause}`;
    throw new BlipError("BLIP_CALL_FAILED", why, { cause });
  }
  if (bytes.length <= maxMessageBytes) return bytes;
  throw invalid("request", `at most ${maxMessageBytes} bytes for ${method.path}`, bytes.length);
}

/** @throws BlipError BLIP_INVALID_OPTIONS, BLIP_CALL_FAILED */
export function decodeResponse(
  { method, maxMessageBytes }: Messages,
  bytes: Buffer,
  { address }: Member,
): unknown {
  if (bytes.length > maxMessageBytes) {
    const expected = `at most ${maxMessageBytes} bytes from ${method.path} at ${address}`;
    throw invalid("response", expected, bytes.length);
  }
  try {
    return method.decodeResponse(bytes);
  } catch (cause) {
    const why = `${method.path} at ${address}: the response cannot be decoded: ${cause}`;
    throw new BlipError("BLIP_CALL_FAILED", why, { cause, address });
  }
}
