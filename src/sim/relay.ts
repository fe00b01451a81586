// Whether a step tells on what it has just heard, rather than something of its own.

import type { Request } from "../core/messages.ts";

/** `heard` is the request that the step deals with, if it deals with one. */
export function isRelay(heard: Request | undefined, request: Request): boolean {
  if (heard === request) return true;
  // A peer of another kind tells on what it could read of it.
  return heard?.kind === "broadcast" && request.kind === "broadcast" && heard.unique === request.unique;
}
