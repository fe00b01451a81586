/** The runs of the membership benchmark as one table for each size of mesh, and what went wrong in them. */
import type { MemberKind } from "../test/member-process.ts";
import type { AtRest, Window } from "./at-rest.ts";
import { ratio, spread } from "./figures.ts";
import type { Outcome } from "./held-mesh.ts";
import type { MeshRun } from "./membership.ts";
import { table } from "./table.ts";

interface Measured {
  readonly values: readonly number[];
  /** How often it was tried, where a try may have no value. */
  readonly of?: number;
}

type Row = readonly [name: string, measure: (runs: readonly MeshRun[]) => Measured];

export function report(runs: readonly MeshRun[], window: Window): string {
  const sizes = [...new Set(runs.map(({ size }) => size))];
  const tables = sizes.map((size) => reportSize(runs.filter((run) => run.size === size)));
  return [...tables, failures(runs), notes(window)].join("\n\n");
}

function reportSize(runs: readonly MeshRun[]): string {
  const ofKind = (kind: MemberKind): MeshRun[] => runs.filter((run) => run.kind === kind);
  const rows = rowsOf(runs).map(([name, measure]) => {
    const [node, rust] = [measure(ofKind("node")), measure(ofKind("rust"))];
    return [
      name,
      kOfN(node),
      spread(node.values),
      kOfN(rust),
      spread(rust.values),
      ratio(node.values, rust.values),
    ];
  });
  const title = `${runs[0]?.size} members, each a process`;
  return `${table([title, "", "Node", "", "Rust", "Node ÷ Rust"], rows)}
load average when a mesh was started: ${spread(runs.map(({ load }) => load))}`;
}

function rowsOf(runs: readonly MeshRun[]): Row[] {
  const killed = [...new Set(runs.map((run) => run.killed))];
  return [
    ["all joining at once: agreed after, s", (of) => agreements(of.map(({ boot }) => boot))],
    ...killed.flatMap((count): Row[] => {
      const kills = (of: readonly MeshRun[]): Outcome[] =>
        of.flatMap((run) => (run.killed === count && run.kill) || []);
      return [
        [`SIGKILL of ${count}: survivors agreed after, s`, (of) => agreements(kills(of))],
        [
          `SIGKILL of ${count}: view changes`,
          (of) => ({ values: kills(of).flatMap(({ tookMs, cuts }) => (tookMs === undefined ? [] : cuts)) }),
        ],
      ];
    }),
    ["at rest: CPU of each member, % of a core", resting(({ cpuPercentEach }) => cpuPercentEach)],
    ["at rest: RSS of each member, MiB", resting(({ rssMibEach }) => rssMibEach)],
    ["at rest: TCP connections opened in all, /s", resting(({ tcpOpensPerSecond }) => tcpOpensPerSecond)],
    ["at rest: RPCs begun in all, /s", resting(({ rpcsPerSecond }) => rpcsPerSecond)],
    ["at rest: messages sent in all, /s", resting(({ messagesPerSecond }) => messagesPerSecond)],
    [
      "apart: start of all processes, s",
      (of) => ({ values: of.map(({ startUp }) => startUp.wallMs / 1000) }),
    ],
    [
      "apart: CPU to start one process, ms",
      (of) => ({ values: of.flatMap(({ startUp }) => startUp.cpuMsEach ?? []) }),
    ],
  ];
}

function resting(value: (atRest: AtRest) => number | undefined): Row[1] {
  return (runs) => ({ values: runs.flatMap(({ atRest }) => (atRest && value(atRest)) ?? []) });
}

function agreements(outcomes: readonly Outcome[]): Measured {
  const values = outcomes.flatMap(({ tookMs }) => (tookMs === undefined ? [] : tookMs / 1000));
  return { values, of: outcomes.length };
}

function kOfN({ values, of }: Measured): string {
  return of === undefined || of === 0 ? "" : `${values.length} of ${of}`;
}

function failures(runs: readonly MeshRun[]): string {
  const lines = runs.flatMap((run) => {
    const name = `${run.kind} ${run.size}, run ${run.run}`;
    const where = run.record === undefined ? "" : ` (${run.record})`;
    const steps = [
      ["joining at once", run.boot],
      [`SIGKILL of ${run.killed}`, run.kill],
    ] as const;
    return steps.flatMap(([step, outcome]) => [
      ...(outcome?.why === undefined ? [] : [`${name}, ${step}: not agreed: ${outcome.why}${where}`]),
      ...(outcome?.wronglyRemoved.length
        ? [`${name}, ${step}: healthy members were removed: ${outcome.wronglyRemoved.join(" ")}${where}`]
        : []),
    ]);
  });
  return lines.length === 0 ? "All runs agreed, and no healthy member was removed." : lines.join("\n");
}

function notes({ settleMs, windowMs }: Window): string {
  const [after, length] = [settleMs / 1000, windowMs / 1000];
  return `Median (lowest–highest) of the runs that agreed, and how many did. Joining counts from the moment at
which all processes were up and the last one was told to join. At rest: ${length} s, begun ${after} s after
the agreement. TCP connections are those of the whole network namespace, where others may open some too;
alone it is in one of its own:
  unshare -rn sh -c 'ip link set lo up && npm run bench -- membership'
RPCs and messages are counted in the Node members, which keep streams open; the crate opens a connection for
each message, so that its connections are its RPCs and its messages. Answers are not counted.`;
}
