// The process of one mutant: hunts it until something is found or the time is over, and tells its parent.

import { hunt, huntsFor } from "./hunts.ts";

/** What came of the hunt for one mutant. */
export interface Finding {
  /** The hunt that caught it; absent where none did. */
  readonly hunt?: string;
  readonly invariant?: number;
  readonly what?: string;
  /** Steps of members until then, over all hunts. */
  readonly steps: number;
  readonly hunts: number;
}

const [first = "", patienceMs = "0"] = process.argv.slice(2);

function goHunting(): Finding {
  const end = performance.now() + Number(patienceMs);
  let steps = 0;
  let hunts = 0;
  for (const name of huntsFor(first)) {
    if (performance.now() > end) break;
    hunts += 1;
    let result: ReturnType<typeof hunt>;
    try {
      result = hunt(name);
    } catch (error) {
      return { hunt: name, invariant: 9, what: `broke: ${error}`, steps, hunts };
    }
    steps += result.steps;
    const [violation] = result.violations;
    if (violation === undefined) continue;
    const { invariant, what } = violation;
    return { hunt: name, invariant, what: what.split("\n")[0]!, steps, hunts };
  }
  return { steps, hunts };
}

process.send!(goHunting());
process.disconnect();
