// gRPC's status codes by number and by the names that the core uses.

import { status } from "@grpc/grpc-js";
import type { RefusalCode, Refused } from "../core/messages.ts";
import { refused } from "../core/refusals.ts";

const NUMBERS: { readonly [code in RefusalCode]: number } = {
  cancelled: status.CANCELLED,
  unknown: status.UNKNOWN,
  invalid_argument: status.INVALID_ARGUMENT,
  deadline_exceeded: status.DEADLINE_EXCEEDED,
  not_found: status.NOT_FOUND,
  already_exists: status.ALREADY_EXISTS,
  permission_denied: status.PERMISSION_DENIED,
  resource_exhausted: status.RESOURCE_EXHAUSTED,
  failed_precondition: status.FAILED_PRECONDITION,
  aborted: status.ABORTED,
  out_of_range: status.OUT_OF_RANGE,
  unimplemented: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
  unavailable: status.UNAVAILABLE,
  data_loss: status.DATA_LOSS,
  unauthenticated: status.UNAUTHENTICATED,
};
const NAMES = new Map(Object.entries(NUMBERS).map(([name, number]) => [number, name as RefusalCode]));

export function numberOf(code: RefusalCode): number {
  return NUMBERS[code];
}

/** The name of a status other than OK; numbers that gRPC does not define are `unknown`, as it demands. */
export function nameOf(number: number): RefusalCode {
  return NAMES.get(number) ?? "unknown";
}

export function refusedBy(number: number, details: string): Refused {
  return refused(nameOf(number), details);
}

/** A refusal as a handler of grpc-js answers it. */
export function errorOf({ code, why }: Refused): { code: number; details: string } {
  return { code: NUMBERS[code], details: why };
}
