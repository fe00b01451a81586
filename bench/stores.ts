/**
 * Which keys to keep: the store of the cache beside others, by hit ratio and by time, on traces. Those that are drawn
 * are always there; `--trace FILE` adds recorded ones.
 */
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { ratio, spread } from "./figures.ts";
import { policies } from "./stores/policies.ts";
import { drawnTraces, type Trace } from "./stores/traces.ts";
import { table } from "./table.ts";

interface Run {
  readonly trace: string;
  readonly keys: number;
  readonly policy: string;
  readonly hitRatio: number;
  readonly nsPerAccess: readonly number[];
}

/** How many of a trace's different keys fit in. */
const shares = [0.01, 0.1, 0.5];

export const stores: Benchmark = {
  summary: "which keys the cache keeps, beside 2Q, LRU and SIEVE, on traces (--trace FILE)",
  run,
};

async function run({ quick, runs, traces: recorded }: BenchmarkOptions): Promise<BenchmarkResult> {
  const repeats = runs ?? (quick ? 1 : 3);
  // One at a time, for some are large.
  const traces = [...drawnTraces(quick ? 50_000 : 1_000_000).map((trace) => () => trace), ...recorded];
  const measured: Run[] = [];
  for (const open of traces) {
    const trace = open();
    process.stderr.write(`stores: ${trace.name}, ${trace.keys.length} accesses, ${trace.footprint} keys\n`);
    for (const keys of new Set(shares.map((share) => Math.max(10, Math.round(trace.footprint * share))))) {
      measured.push(...compare(trace, keys, repeats));
    }
  }
  console.log(report(measured));
  return { passed: true, data: { runs: measured } };
}

/** In turn, so that what else the machine does falls on all alike. */
function compare(trace: Trace, keys: number, repeats: number): readonly Run[] {
  const results = new Map<string, { hitRatio: number; nsPerAccess: number[] }>();
  for (let i = 0; i < repeats; i++) {
    for (const [name, make] of Object.entries(policies)) {
      const policy = make(keys);
      let hits = 0;
      const from = process.hrtime.bigint();
      for (const key of trace.keys) if (policy.access(key)) hits += 1;
      const ns = Number(process.hrtime.bigint() - from) / trace.keys.length;
      const result = results.get(name) ?? { hitRatio: hits / trace.keys.length, nsPerAccess: [] };
      result.nsPerAccess.push(ns);
      results.set(name, result);
    }
  }
  return [...results].map(([policy, result]) => ({ trace: trace.name, keys, policy, ...result }));
}

function report(measured: readonly Run[]): string {
  const names = Object.keys(policies);
  const cells = new Map<string, Run[]>();
  for (const one of measured) {
    const cell = `${one.trace}, ${one.keys} keys`;
    cells.set(cell, [...(cells.get(cell) ?? []), one]);
  }
  const ofEach = (show: (run: Run, runs: readonly Run[]) => string): string[][] =>
    [...cells].map(([cell, runs]) => [
      cell,
      ...names.map((name) => show(runs.find(({ policy }) => policy === name)!, runs)),
    ]);
  const hits = ofEach(({ hitRatio }, runs) => {
    const best = Math.max(...runs.map((run) => run.hitRatio));
    return `${(hitRatio * 100).toFixed(2)}${hitRatio === best ? " *" : "  "}`;
  });
  const sums = names.map((name) => measured.filter(({ policy }) => policy === name));
  const mean = sums.map((runs) => runs.reduce((sum, { hitRatio }) => sum + hitRatio, 0) / runs.length);
  hits.push(["mean", ...mean.map((one) => `${(one * 100).toFixed(2)}  `)]);
  const times = names.map((name, i) => {
    const ns = sums[i]!.flatMap(({ nsPerAccess }) => nsPerAccess);
    return [
      name,
      spread(ns),
      ratio(
        ns,
        sums[0]!.flatMap(({ nsPerAccess }) => nsPerAccess),
      ),
    ];
  });
  return `${table(["% of accesses that hit", ...names], hits)}
* the best of the row

${table(["time", "ns per access", "× ours"], times)}
Medians (and ranges) over all traces and sizes; hits and what follows a miss together.`;
}
