// How a member is, for those who run it: what it takes part in, and what it doubts.

import type { Doubts } from "../core/doorway.ts";

export interface MeshState extends Doubts {
  /**
   * - `member`: in the newest configuration that it knows.
   * - `degraded`: removed by the others, or left behind by them; it joins again by itself.
   * - `leaving`: asked to leave; calls under way end.
   * - `closed`: at its end.
   */
  readonly phase: "member" | "degraded" | "leaving" | "closed";
}
