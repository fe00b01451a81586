// All scenarios, in the order of their names.

import type { Scenario } from "../scenario.ts";
import { crashKAtOnce } from "./crash-k-at-once.ts";
import { singleBootstrap } from "./single-bootstrap.ts";
import { threeNodeCrash } from "./three-node-crash.ts";
import { twoThenThree } from "./two-then-three.ts";

export const SCENARIOS: readonly Scenario[] = [singleBootstrap, twoThenThree, crashKAtOnce, threeNodeCrash];

/** By name, slug, or both: "S4", "crash-k-at-once", "S4-crash-k-at-once"; capital or not. */
export function scenarioOf(text: string): Scenario | undefined {
  const wanted = text.toLowerCase();
  return SCENARIOS.find(({ name, slug }) =>
    [name, slug, `${name}-${slug}`].some((known) => known.toLowerCase() === wanted),
  );
}
