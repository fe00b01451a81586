/** What it takes to simulate one view change of a large mesh: a member crashes, and the others agree that it is gone. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { spread } from "./figures.ts";
import type { Copies, Cost } from "./large-world.ts";
import { table } from "./table.ts";

const SCRIPT = fileURLToPath(new URL("large-world.ts", import.meta.url));
/** A simulation makes garbage as fast as it can. With more room for the young less of it is copied before it is dead. */
const ENGINE_FLAGS = ["--max-semi-space-size=64", "--single-threaded-gc"];
/** With more members than this, nobody wants to wait for every copy. */
const ALL_COPIES_MAX = 1000;
/** Ten thousand members take more memory than the engine allows itself. */
const ROOMY_FLAGS = ["--max-old-space-size=14000"];
const ROOMY_MIN = 5000;

export const scale: Benchmark = {
  summary: "CPU time and memory that one simulated view change takes, by members",
  run,
};

async function run({ quick, runs = 1, sizes }: BenchmarkOptions): Promise<BenchmarkResult> {
  const cases = (sizes ?? (quick ? [100] : [1000])).flatMap((size) => {
    const both: readonly Copies[] = size > ALL_COPIES_MAX ? ["needed"] : ["all", "needed"];
    return both.map((copies) => ({ size, copies }));
  });
  const data: { size: number; copies: Copies; costs: readonly Cost[] }[] = [];
  for (const { size, copies } of cases) {
    const costs: Cost[] = [];
    for (let i = 0; i < runs; i++) costs.push(await measure(size, copies));
    data.push({ size, copies, costs });
    process.stderr.write(`${size} members, ${copies} copies: ${runs} runs\n`);
  }
  const head = ["members, copies", "CPU s", "then CPU s", "peak MiB", "virtual ms", "messages", "steps"];
  const rows = data.map(({ size, copies, costs }) => {
    const of = (value: (cost: Cost) => number): string => spread(costs.map(value));
    return [
      `${size}, ${copies}`,
      of((cost) => cost.changeSeconds),
      of((cost) => cost.restSeconds),
      of((cost) => cost.peakMib),
      of((cost) => cost.virtualMs),
      of((cost) => cost.messages),
      of((cost) => cost.steps),
    ];
  });
  console.log(table(head, rows));
  console.log(`CPU time of all threads, from the crash until all survivors agree, then until the last copy has arrived.
Messages and steps until then. "All": every copy of a broadcast is delivered, as in production; "needed": those are
left out whose target has been given one. Simulations ran with node ${ENGINE_FLAGS.join(" ")}, and those of
${ROOMY_MIN} members or more with ${ROOMY_FLAGS.join(" ")}, too.`);
  return {
    passed: data.every(({ costs }) => costs.every((cost) => cost.violations === 0)),
    data: { cases: data },
  };
}

async function measure(size: number, copies: Copies): Promise<Cost> {
  const flags = size < ROOMY_MIN ? ENGINE_FLAGS : [...ENGINE_FLAGS, ...ROOMY_FLAGS];
  const args = [...flags, ...process.execArgv, SCRIPT, String(size), copies];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Cost;
}
