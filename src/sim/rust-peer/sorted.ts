// The order in which Rust's sorted sets give their endpoints back.

import { compareEndpoints, type Endpoint } from "../../core/endpoint.ts";

export function sortedEndpoints(endpoints: Iterable<Endpoint>): readonly Endpoint[] {
  return [...endpoints].sort(compareEndpoints);
}
