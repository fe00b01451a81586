/**
 * A thousand callers on three processes ask at once for a key that nobody has, in a calm mesh, while a fourth member
 * joins, and while one is killed (every other time the one that loads).
 */
import { type HerdEvent, type HerdSeen, Herds, TIMEOUT_MS } from "../test/herd/herds.ts";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { load } from "./machine.ts";
import { table } from "./table.ts";

const loadsMax: Readonly<Record<HerdEvent, number>> = { calm: 1, join: 2, kill: 2 };
const titles: Readonly<Record<HerdEvent, string>> = {
  calm: "nothing happens",
  join: "a fourth member joins",
  kill: "SIGKILL of one of the three",
};

export const herd: Benchmark = {
  summary: "1,000 callers on 3 processes and one cold key: how often it is loaded, and who fails",
  run,
};

async function run({ quick, runs = quick ? 2 : 20 }: BenchmarkOptions): Promise<BenchmarkResult> {
  const data: Partial<Record<HerdEvent, readonly HerdSeen[]>> = {};
  const rows: string[][] = [];
  let passed = true;
  for (const event of ["calm", "join", "kill"] as const) {
    const loadBefore = load();
    const seen: HerdSeen[] = [];
    const herds = await Herds.open();
    try {
      for (let i = 1; i <= runs; i++) {
        const one = await herds.run(event);
        seen.push(one);
        const faults = faultsOf(event, one);
        if (faults.length > 0) passed = false;
        const verdict = faults.length === 0 ? "well" : `FAILED: ${faults.join("; ")}`;
        process.stderr.write(`${titles[event]}, run ${i} of ${runs}: ${verdict}\n`);
      }
    } finally {
      await herds.close();
    }
    data[event] = seen;
    rows.push([...row(event, seen), loadBefore.toFixed(1)]);
  }
  console.log(
    table(
      [
        "while",
        "runs",
        "1 load",
        "2 loads",
        "more",
        "in the middle",
        "of the loader",
        "callers",
        "failed",
        "slowest, ms",
        "load",
      ],
      rows,
    ),
  );
  return { passed, data };
}

function faultsOf(event: HerdEvent, { loads, failures, slowestMs }: HerdSeen): string[] {
  const faults: string[] = [];
  if (loads < 1 || loads > loadsMax[event]) faults.push(`${loads} loads`);
  if (failures.length > 0) faults.push(`${failures.length} callers failed, the first with ${failures[0]}`);
  if (slowestMs > TIMEOUT_MS) faults.push(`somebody waited ${slowestMs} ms`);
  return faults;
}

function row(event: HerdEvent, seen: readonly HerdSeen[]): string[] {
  const count = (isSo: (one: HerdSeen) => boolean): string => String(seen.filter(isSo).length);
  const sum = (of: (one: HerdSeen) => number): string =>
    String(seen.reduce((total, one) => total + of(one), 0));
  return [
    titles[event],
    String(seen.length),
    count(({ loads }) => loads === 1),
    count(({ loads }) => loads === 2),
    count(({ loads }) => loads > 2),
    event === "calm" ? "–" : count(({ inTheMiddle }) => inTheMiddle),
    event === "kill" ? count(({ hitsLoader }) => hitsLoader) : "–",
    sum(({ callers }) => callers),
    sum(({ failures }) => failures.length),
    String(Math.max(...seen.map(({ slowestMs }) => slowestMs))),
  ];
}
