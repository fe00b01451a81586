// How a member is, for those who run it: what it takes part in, and what it doubts.

import type { Doubts } from "../core/doorway.ts";

export interface MeshState {
  /**
   * - `member`: in the newest configuration that it knows.
   * - `degraded`: removed by the others, or left behind by them; it joins again by itself.
   * - `leaving`: asked to leave; calls under way end.
   * - `closed`: at its end.
   */
  readonly phase: "member" | "degraded" | "leaving" | "closed";
  /**
   * So many members are silent, for some five probe periods, that no majority seems to be left. Nobody joins and nobody is
   * removed until they are back, or an operator says that they are dead (docs/lost-quorum.md). Calls go on. Where there
   * are more than 17 members it is an estimate from a sample.
   */
  readonly noQuorum: boolean;
  /** Most members that answer seem to be in another configuration; should it last, this one joins again by itself. */
  readonly stale: boolean;
  /**
   * Seconds by which this machine's clock is ahead of most members', negative where it is behind; 0 while that is within
   * two minutes. Node members do without equal clocks; Rust ones forget what they have heard too early or too late.
   */
  readonly clockAheadSeconds: number;
}

/** A member as it is when nothing is wrong. */
export const WELL: MeshState = { phase: "member", noQuorum: false, stale: false, clockAheadSeconds: 0 };

export function isSameState(a: MeshState, b: MeshState): boolean {
  return (
    a.phase === b.phase &&
    a.noQuorum === b.noQuorum &&
    a.stale === b.stale &&
    a.clockAheadSeconds === b.clockAheadSeconds
  );
}

export function stateOf(
  phase: MeshState["phase"],
  { noQuorum, stale, clockAheadSeconds }: Doubts,
): MeshState {
  return { phase, noQuorum, stale, clockAheadSeconds };
}
