// How a joiner asks its observers to let it in (PROTOCOL §8).

import type { Endpoint } from "./endpoint.ts";

interface JoinCall {
  readonly to: Endpoint;
  readonly ring: number;
  readonly moreRings: number[];
}

/** One call for each ring, as the crate makes them, except that an observer that can take several rings gets one. */
export function callsFor(observers: readonly Endpoint[], nodeRings: readonly number[]): readonly JoinCall[] {
  const calls: JoinCall[] = [];
  const shared = new Map<Endpoint, JoinCall>();
  for (const [ring, to] of observers.entries()) {
    const first = shared.get(to);
    if (first !== undefined && nodeRings.includes(ring)) {
      first.moreRings.push(ring);
      continue;
    }
    const call: JoinCall = { to, ring, moreRings: [] };
    calls.push(call);
    if (nodeRings.includes(ring)) shared.set(to, call);
  }
  return calls;
}
