/**
 * What callers see while members are restarted, killed and frozen under load. Every run has to show all of it: no
 * call fails in a rolling restart; of a killed member only the calls under way there, and none that is idempotent;
 * nobody waits for a frozen one.
 */
import { type FreezeSeen, freezeOne, killOne, rollingRestart, type Seen } from "../test/calls/scenarios.ts";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { load } from "./machine.ts";
import { table } from "./table.ts";

interface Trial {
  readonly what: string;
  readonly run: number;
  readonly load: number;
  readonly seen: Seen & Partial<Pick<FreezeSeen, "cutAfterMs" | "slowBefore">>;
  readonly faults: readonly string[];
}

const callsPerSecond = 200;
const slowMax = 20;

export const calls: Benchmark = {
  summary: "calls while members are restarted, killed and frozen: none fails that need not",
  run,
};

async function run({ quick, runs }: BenchmarkOptions): Promise<BenchmarkResult> {
  const many = runs ?? (quick ? 1 : 5);
  const few = runs ?? (quick ? 1 : 3);
  const trials: Trial[] = [];
  const repeat = async (
    what: string,
    count: number,
    tryOnce: () => Promise<Trial["seen"]>,
  ): Promise<void> => {
    for (let run = 1; run <= count; run++) {
      const loadBefore = load();
      const seen = await tryOnce();
      const faults = faultsOf(what, seen);
      trials.push({ what, run, load: loadBefore, seen, faults });
      const verdict = faults.length === 0 ? "well" : `FAILED: ${faults.join("; ")}`;
      process.stderr.write(`${what}, run ${run} of ${count}: ${verdict}\n`);
    }
  };
  const six = { members: 6, callsPerSecond };
  await repeat(rolling, many, () => rollingRestart(six));
  await repeat(killed, few, async () => {
    const { unexplained, ...seen } = await killOne(six, false);
    return { ...seen, failures: unexplained };
  });
  await repeat(killedIdempotent, few, () => killOne(six, true));
  const freeze = { idempotent: true, timeoutMs: 1000, frozenMs: 20_000 };
  await repeat(frozen, few, () => freezeOne({ members: 10, callsPerSecond }, freeze));
  console.log(report(trials));
  return { passed: trials.every(({ faults }) => faults.length === 0), data: { trials } };
}

const rolling = "rolling restart of 6";
const killed = "SIGKILL of 1 of 6: calls not under way there";
const killedIdempotent = "SIGKILL of 1 of 6, idempotent";
const frozen = "SIGSTOP of 1 of 10 for 20 s, idempotent, deadline 1 s";

function faultsOf(what: string, { failures, slow }: Seen): string[] {
  const faults: string[] = [];
  const [first] = failures;
  if (first !== undefined) faults.push(`${failures.length} calls failed, the first with ${first.message}`);
  if (what === frozen && slow > slowMax) faults.push(`${slow} calls took more than 500 ms`);
  return faults;
}

function report(trials: readonly Trial[]): string {
  const rows = trials.map(({ what, run, load, seen }) => [
    `${what}, run ${run}`,
    String(seen.made),
    String(seen.failures.length),
    String(seen.slow),
    seen.cutAfterMs === undefined ? "–" : String(seen.slowBefore),
    String(seen.slowestMs),
    seen.cutAfterMs === undefined ? "–" : (seen.cutAfterMs / 1000).toFixed(1),
    load.toFixed(1),
  ]);
  const head = [
    "at 200 calls/s",
    "calls",
    "failed",
    "> 500 ms",
    "before",
    "slowest, ms",
    "cut after, s",
    "load",
  ];
  const well = trials.filter(({ faults }) => faults.length === 0).length;
  return `${table(head, rows)}\n${well} of ${trials.length} runs were well in all.`;
}
