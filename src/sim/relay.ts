// Whether a step tells on what it has just heard, rather than something of its own.

import type { Event } from "../core/doorway.ts";
import type { Request } from "../core/messages.ts";

export function isRelay(event: Event, request: Request): boolean {
  if (event.kind !== "request") return false;
  const heard = event.request;
  if (heard === request) return true;
  // A peer of another kind tells on what it could read of it.
  return heard.kind === "broadcast" && request.kind === "broadcast" && heard.unique === request.unique;
}
