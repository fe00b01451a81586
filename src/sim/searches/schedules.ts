// Goes through drawn schedules, each with a council of its own, until one of them breaks a rule.

import type { Violation } from "../checkers/checker.ts";
import type { SimulationResult } from "../simulation.ts";
import { TraceHash } from "../trace-hash.ts";
import type { Line } from "../transcript.ts";
import type { Council } from "./council.ts";
import { outcomeOf } from "./search.ts";

interface Schedules {
  readonly scenario: string;
  readonly seed: bigint;
  readonly count: number;
}

/** `play` has the council of this seed play one schedule to its end. */
export function goThrough(
  { scenario, seed, count }: Schedules,
  play: (seed: bigint) => Council,
): SimulationResult {
  const lines: Line[] = [];
  const trace = new TraceHash();
  let steps = 0;
  let members = 0;
  let violations: readonly Violation[] = [];
  for (let i = 0; i < count && violations.length === 0; i++) {
    const council = play(seed + BigInt(1000 * i));
    lines.push({ atMs: 0, who: undefined, what: `== schedule ${i + 1}` }, ...council.lines);
    trace.addText(council.trace.digest());
    steps += council.steps;
    members = council.members.length;
    violations = council.violations;
  }
  return outcomeOf({ seed, scenario, members, steps, violations, traceHash: trace.digest(), lines });
}
