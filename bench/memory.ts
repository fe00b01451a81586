/**
 * What the memory of a member is made of: processes that load more and more of what it needs, one that waits to be
 * told to join, a mesh of one, and members of larger ones, all of them at rest at the same time; Rust members beside.
 */
import { setTimeout as pass } from "node:timers/promises";
import type { MemberKind } from "../test/member-process.ts";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { HeldMesh } from "./held-mesh.ts";
import { availableKinds } from "./kinds.ts";
import { type Memory, memoryOf } from "./machine.ts";
import { Loader, STAGES, type Stage } from "./memory/loader.ts";
import { report } from "./memory/report.ts";
import { keepRecord } from "./record.ts";

/** What one process had resident, or the processes of one mesh on average. */
export interface Sample extends Memory {
  readonly run: number;
  readonly kind: MemberKind;
  /** What it had loaded; that it waited to be told to join; or how many members its mesh had. */
  readonly what: Stage | "held" | number;
}

interface Watched {
  readonly kind: MemberKind;
  readonly what: Sample["what"];
  readonly pids: readonly number[];
}

/** By then V8 has given back what starting and joining took; at-rest.ts says why so late. */
const settleMs = 40_000;
const bootTimeoutMs = 90_000;

export const memory: Benchmark = {
  summary: "what the memory of a member is made of, from Node alone to a member of 32, beside the Rust crate",
  run,
};

async function run({ quick, runs, sizes }: BenchmarkOptions): Promise<BenchmarkResult> {
  const kinds = availableKinds();
  const members = [1, ...(sizes ?? (quick ? [10] : [10, 32]))];
  const count = runs ?? (quick ? 1 : 3);
  const samples: Sample[] = [];
  const failures: string[] = [];
  let passed = true;
  for (let run = 1; run <= count; run++) {
    const { watched, meshes, loaders } = await startAll(kinds);
    try {
      for (const kind of kinds) {
        for (const size of members) {
          const mesh = await HeldMesh.start(kind, size);
          meshes.push(mesh);
          const { why } = await mesh.join(bootTimeoutMs);
          if (why === undefined) {
            watched.push({ kind, what: size, pids: mesh.members.map(({ pid }) => pid) });
            continue;
          }
          const where = await keepRecord(mesh, `memory ${kind} ${size} run ${run}`);
          failures.push(`run ${run}, ${size} ${kind} members: not agreed: ${why} (${where})`);
          // The crate is there to compare with, and need not pass.
          if (kind === "node") passed = false;
        }
      }
      await pass(settleMs);
      for (const { kind, what, pids } of watched) {
        const mean = meanOf(pids.map(memoryOf));
        if (mean !== undefined) samples.push({ run, kind, what, ...mean });
      }
    } finally {
      await Promise.all([...meshes, ...loaders].map((one) => one.stop()));
    }
    process.stderr.write(`memory: run ${run} of ${count}\n`);
  }
  console.log([report(samples, members, settleMs), ...failures].join("\n"));
  return { passed, data: { settleMs, samples, failures } };
}

interface Started {
  readonly watched: Watched[];
  readonly meshes: HeldMesh[];
  readonly loaders: readonly Loader[];
}

/** Those that take part in no mesh. */
async function startAll(kinds: readonly MemberKind[]): Promise<Started> {
  const loaders = await Promise.all(STAGES.map((stage) => Loader.start(stage)));
  const meshes = await Promise.all(kinds.map((kind) => HeldMesh.start(kind, 1)));
  const watched: Watched[] = [
    ...loaders.map(({ stage, pid }) => ({ kind: "node" as const, what: stage, pids: [pid] })),
    ...meshes.map(({ kind, members }) => ({ kind, what: "held" as const, pids: [members[0]!.pid] })),
  ];
  return { watched, meshes, loaders };
}

/** Undefined where one of them is unknown. */
function meanOf(memories: readonly (Memory | undefined)[]): Memory | undefined {
  const known = memories.filter((one) => one !== undefined);
  if (known.length < memories.length) return undefined;
  const mean = (of: (one: Memory) => number): number =>
    known.reduce((sum, one) => sum + of(one), 0) / known.length;
  return { rssMib: mean(({ rssMib }) => rssMib), ownMib: mean(({ ownMib }) => ownMib) };
}
