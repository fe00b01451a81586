// Whose word still gets to a member when others are down. Rust members tell their successors on the rings only, also where
// these are dead (PITFALLS B14); Node members look past those whom they suspect. So in a small mesh in which many crash at
// once the living may fall apart into groups that hear nothing of each other, though any of them can be asked.

import type { Endpoint } from "./endpoint.ts";
import type { View } from "./view.ts";

/** How far members look past suspects on one ring. */
export const LOOK_PAST_MAX = 16;

/** The members whose word gets to this one, itself included, while it does not get past those that are down. */
export function companyOf(
  node: Endpoint,
  view: View,
  isDown: (member: Endpoint) => boolean,
): ReadonlySet<Endpoint> {
  const company = new Set([node]);
  for (const member of company) {
    for (let ring = 0; ring < view.observers; ring++) {
      let teller = view.observersOf(member)[ring]!;
      const isNear = !isDown(teller);
      for (let i = 0; i < LOOK_PAST_MAX && isDown(teller); i++) teller = view.observersOf(teller)[ring]!;
      if (!isDown(teller) && (isNear || view.isNode(teller))) company.add(teller);
    }
  }
  return company;
}
