/**
 * Members with the low-latency preset on a machine whose cores other processes take, for minutes: nobody who is alive
 * may be removed. A mesh of the crate goes through the same beside it. When the time is over one member is frozen and
 * another is killed, still under load: who is careful must not have become blind.
 */
import { availableParallelism } from "node:os";
import type { MemberKind } from "../test/member-process.ts";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { Burners } from "./burners.ts";
import { HeldMesh, type Outcome } from "./held-mesh.ts";
import { availableKinds } from "./kinds.ts";
import { keepRecord } from "./record.ts";
import { table } from "./table.ts";

/** What one mesh went through. */
interface Trial {
  readonly kind: MemberKind;
  readonly size: number;
  readonly boot: Outcome;
  readonly soak: Outcome;
  readonly freeze: Outcome;
  readonly kill: Outcome;
  readonly faults: readonly string[];
}

const bootTimeoutMs = 60_000;
const lossTimeoutMs = 30_000;
const sizeDefault = 10;
const minutesDefault = 5;
const minutesQuick = 0.25;

export const soak: Benchmark = {
  summary: "low-latency members beside processes that take all CPU: nobody alive may be removed",
  run,
};

async function run({ quick, minutes, burners, sizes }: BenchmarkOptions): Promise<BenchmarkResult> {
  const kinds = availableKinds();
  const soakMs = (minutes ?? (quick ? minutesQuick : minutesDefault)) * 60_000;
  const trials: Trial[] = [];
  for (const size of sizes ?? [sizeDefault]) {
    const fire = await Burners.light(burners ?? availableParallelism());
    try {
      const seen = await Promise.all(kinds.map((kind) => tryOnce(kind, size, soakMs)));
      const weather = `${soakMs / 1000} s beside ${fire.count} processes that took ${fire.cores.toFixed(2)} cores`;
      console.log(report(seen, weather));
      trials.push(...seen);
    } finally {
      fire.quench();
    }
  }
  // The crate is there to compare with, and need not pass.
  const passed = trials.every(({ kind, faults }) => kind === "rust" || faults.length === 0);
  return { passed, data: { soakMs, trials } };
}

async function tryOnce(kind: MemberKind, size: number, soakMs: number): Promise<Trial> {
  const mesh = await HeldMesh.start(kind, size, ["--low-latency"]);
  try {
    const boot = await mesh.join(bootTimeoutMs);
    process.stderr.write(`${kind} ${size}: ${boot.why ?? "all are in one configuration"}\n`);
    const soak = await mesh.watch(soakMs);
    process.stderr.write(`${kind} ${size}: ${soak.wronglyRemoved.length} removed in ${soakMs / 1000} s\n`);
    const freeze = await mesh.freeze(1, lossTimeoutMs);
    const kill = await mesh.kill(1, lossTimeoutMs);
    const faults = Object.entries({ boot, soak, freeze, kill }).flatMap(([step, outcome]) => [
      ...(outcome.why === undefined ? [] : [`${step}: ${outcome.why}`]),
      ...outcome.wronglyRemoved.map((address) => `${step}: ${address} was removed, and is alive`),
    ]);
    for (const fault of faults) process.stderr.write(`${kind} ${size}: ${fault}\n`);
    if (faults.length > 0) process.stderr.write(`${await keepRecord(mesh, `soak ${kind} ${size}`)}\n`);
    return { kind, size, boot, soak, freeze, kill, faults };
  } finally {
    await mesh.stop();
  }
}

function report(trials: readonly Trial[], weather: string): string {
  const shown = ({ tookMs }: Outcome): string => (tookMs === undefined ? "not" : (tookMs / 1000).toFixed(2));
  const rows = trials.map(({ kind, size, boot, soak, freeze, kill }) => [
    `${size} ${kind} members`,
    shown(boot),
    `${soak.wronglyRemoved.length} of ${size}`,
    String(soak.cuts),
    shown(freeze),
    shown(kill),
  ]);
  const head = [
    "low latency",
    "joined, s",
    "removed alive",
    "view changes",
    "one frozen, s",
    "one killed, s",
  ];
  return `${table(head, rows)}\n${weather}, and beside each other`;
}
