// A search goes after bugs on purpose: it puts messages where they hurt, instead of waiting for weather that does.

import type { MakeMachine } from "../process.ts";
import type { SimulationResult } from "../simulation.ts";

export interface SearchOptions {
  readonly seed: bigint;
  readonly makeMachine?: MakeMachine | undefined;
  readonly keepsTranscript?: boolean | undefined;
}

export interface Search {
  /** "vote-schedules" */
  readonly name: string;
  /** What it tries, in a sentence. */
  readonly about: string;
  /** One attempt, drawn from the seed. */
  run(options: SearchOptions): SimulationResult;
}

/** What came of an attempt without a world: every step takes one message, no time passes, and no view changes. */
export function outcomeOf(
  attempt: Pick<
    SimulationResult,
    "seed" | "scenario" | "members" | "steps" | "violations" | "traceHash" | "lines"
  >,
): SimulationResult {
  return { ...attempt, virtualMs: 0, messages: attempt.steps, viewChanges: 0, excused: 0 };
}
