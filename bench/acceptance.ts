/**
 * What must hold of Node members whatever the machine: 32 started at once agree, ten of them killed at once
 * go in few view changes and soon, and nobody healthy is ever removed. Every run has to show all of it.
 */
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { spread } from "./figures.ts";
import { HeldMesh, type Outcome, type StartUp } from "./held-mesh.ts";
import { load } from "./machine.ts";
import { keepRecord } from "./record.ts";
import { table } from "./table.ts";

interface Trial {
  readonly size: number;
  readonly run: number;
  readonly load: number;
  readonly startUp: StartUp;
  readonly boot: Outcome;
  readonly kill?: Outcome;
  readonly faults: readonly string[];
}

const bootTimeoutMs = 90_000;
const killTimeoutMs = 60_000;
const killLimitMs = 15_000;
const viewChangesMax = 3;

export const acceptance: Benchmark = {
  summary: "32 Node members started at once, 10 of them killed at once: every run has to agree",
  run,
};

async function run({ quick, runs, sizes }: BenchmarkOptions): Promise<BenchmarkResult> {
  const trials: Trial[] = [];
  for (const size of sizes ?? [quick ? 10 : 32]) {
    const count = runs ?? (quick ? 2 : 10);
    for (let run = 1; run <= count; run++) {
      const trial = await tryOnce(size, run);
      trials.push(trial);
      const verdict = trial.faults.length === 0 ? "well" : `FAILED: ${trial.faults.join("; ")}`;
      process.stderr.write(`node ${size}, run ${run} of ${count}: ${verdict}\n`);
    }
  }
  console.log(report(trials));
  return { passed: trials.every(({ faults }) => faults.length === 0), data: { trials } };
}

async function tryOnce(size: number, run: number): Promise<Trial> {
  const killed = Math.floor(size / 3);
  const trial = { size, run, load: load() };
  const mesh = await HeldMesh.start("node", size);
  try {
    const boot = await mesh.join(bootTimeoutMs);
    const kill = boot.tookMs === undefined ? undefined : await mesh.kill(killed, killTimeoutMs);
    const faults = [
      ...faultsOf("joining", boot, Infinity),
      ...(kill ? faultsOf("the kill", kill, viewChangesMax) : []),
    ];
    if (kill?.tookMs !== undefined && kill.tookMs > killLimitMs) faults.push("the survivors were late");
    if (faults.length > 0) faults.push(await keepRecord(mesh, `acceptance ${size} run ${run}`));
    return { ...trial, startUp: mesh.startUp, boot, ...(kill && { kill }), faults };
  } finally {
    await mesh.stop();
  }
}

function faultsOf(step: string, { why, cuts, wronglyRemoved }: Outcome, cutsMax: number): string[] {
  return [
    ...(why === undefined ? [] : [`${step}: ${why}`]),
    ...(wronglyRemoved.length === 0
      ? []
      : [`${step}: healthy members were removed: ${wronglyRemoved.join(" ")}`]),
    ...(cuts <= cutsMax ? [] : [`${step}: took ${cuts} view changes`]),
  ];
}

function report(trials: readonly Trial[]): string {
  const rows = [...new Set(trials.map(({ size }) => size))].flatMap((size) => {
    const of = trials.filter((trial) => trial.size === size);
    const row = (name: string, outcomes: readonly (Outcome | undefined)[]): string[] => {
      const agreed = outcomes.flatMap((outcome) =>
        outcome?.tookMs === undefined ? [] : outcome.tookMs / 1000,
      );
      const changes = outcomes.flatMap((outcome) => outcome?.cuts ?? []);
      return [name, `${agreed.length} of ${of.length}`, spread(agreed), spread(changes)];
    };
    return [
      row(
        `${size} joining at once`,
        of.map(({ boot }) => boot),
      ),
      row(
        `SIGKILL of ${Math.floor(size / 3)} of ${size}`,
        of.map(({ kill }) => kill),
      ),
    ];
  });
  const well = trials.filter(({ faults }) => faults.length === 0).length;
  return `${table(["Node members, each a process", "agreed", "after, s", "view changes"], rows)}
load average when a mesh was started: ${spread(trials.map(({ load }) => load))}
${well} of ${trials.length} runs were well in all: the survivors agreed on just each other within
${killLimitMs / 1000} s and ${viewChangesMax} view changes of the kill, and nobody healthy was ever removed.`;
}
