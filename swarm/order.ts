// What a swarm tells its runners, and what they tell it.

import type { SimulationResult } from "blip-mesh/sim";

export interface Order {
  readonly seed: number;
  readonly members?: number;
  /** Kinds, or "all". */
  readonly weather?: readonly string[];
}

export interface Finding
  extends Pick<
    SimulationResult,
    "members" | "steps" | "messages" | "viewChanges" | "virtualMs" | "excused" | "violations"
  > {
  readonly seed: number;
}
