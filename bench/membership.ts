/**
 * How long members need to agree, and what agreeing costs: the same work by Node members and by Rust members
 * in one run, in turn. Each run boots one mesh, watches it at rest and kills one member, and boots another
 * one and kills a third of its members at once. `--only agreement` watches none at rest, which takes most of the time;
 * `--only rest` leaves out the second mesh.
 */
import type { MemberKind } from "../test/member-process.ts";
import { type AtRest, measureAtRest, type Window } from "./at-rest.ts";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { HeldMesh, type Outcome, type StartUp } from "./held-mesh.ts";
import { availableKinds } from "./kinds.ts";
import { load } from "./machine.ts";
import { report } from "./membership-report.ts";
import { keepRecord } from "./record.ts";

/** What one mesh went through. */
export interface MeshRun {
  readonly kind: MemberKind;
  readonly size: number;
  readonly run: number;
  /** Load average when it was started. */
  readonly load: number;
  readonly startUp: StartUp;
  readonly boot: Outcome;
  readonly atRest?: AtRest;
  readonly killed: number;
  /** Absent where the mesh did not boot. */
  readonly kill?: Outcome;
  /** The folder with the cuts and logs of its members, where something went wrong. */
  readonly record?: string;
}

const bootTimeoutMs = 90_000;
const killTimeoutMs = 60_000;

export const membership: Benchmark = {
  summary: "time to agree after a start at once and after kills, and cost at rest, beside the Rust crate",
  parts: ["agreement", "rest"],
  run,
};

async function run({ quick, runs, sizes, only }: BenchmarkOptions): Promise<BenchmarkResult> {
  const isPart = (part: string): boolean => only?.includes(part) ?? true;
  const kinds = availableKinds();
  const window: Window = { settleMs: quick ? 40_000 : 120_000, windowMs: quick ? 10_000 : 30_000 };
  const meshRuns: MeshRun[] = [];
  for (const size of sizes ?? (quick ? [3, 10] : [3, 10, 32])) {
    const count = runs ?? (quick ? 2 : 5);
    for (let run = 1; run <= count; run++) {
      // Neither kind is always the first to find the machine warm, or busy.
      const inTurn = run % 2 === 1 ? kinds : [...kinds].reverse();
      for (const kind of inTurn) {
        meshRuns.push(await runMesh({ kind, size, run, killed: 1, ...(isPart("rest") && { window }) }));
        const third = Math.floor(size / 3);
        if (third > 1 && isPart("agreement"))
          meshRuns.push(await runMesh({ kind, size, run, killed: third }));
      }
    }
  }
  console.log(report(meshRuns, window));
  const isNodeWell = meshRuns.every(({ kind, boot, kill }) => kind === "rust" || isWell(boot, kill));
  return { passed: isNodeWell, data: { window, bootTimeoutMs, killTimeoutMs, meshRuns } };
}

interface Plan {
  readonly kind: MemberKind;
  readonly size: number;
  readonly run: number;
  readonly killed: number;
  /** Absent: it is not watched at rest. */
  readonly window?: Window;
}

async function runMesh({ window, ...plan }: Plan): Promise<MeshRun> {
  const name = `${plan.kind} ${plan.size}, run ${plan.run}`;
  const loadBefore = load();
  const mesh = await HeldMesh.start(plan.kind, plan.size);
  try {
    const started = { ...plan, load: loadBefore, startUp: mesh.startUp };
    const boot = await mesh.join(bootTimeoutMs);
    tell(`${name}: start ${shown(boot)}`);
    if (boot.tookMs === undefined) return { ...started, boot, ...(await recordOf(mesh, name)) };

    const atRest = window && (await measureAtRest(mesh, window));
    const kill = await mesh.kill(plan.killed, killTimeoutMs);
    tell(`${name}: SIGKILL of ${plan.killed} ${shown(kill)}`);
    const record = isWell(boot, kill) ? {} : await recordOf(mesh, name);
    return { ...started, boot, ...(atRest && { atRest }), kill, ...record };
  } finally {
    await mesh.stop();
  }
}

/** Whether the members agreed in each step, and removed nobody healthy. */
function isWell(...outcomes: readonly (Outcome | undefined)[]): boolean {
  return outcomes.every((outcome) => outcome?.tookMs !== undefined && outcome.wronglyRemoved.length === 0);
}

async function recordOf(mesh: HeldMesh, name: string): Promise<{ readonly record: string }> {
  return { record: await keepRecord(mesh, name) };
}

function shown({ tookMs, why, cuts }: Outcome): string {
  const viewChanges = `${cuts} view ${cuts === 1 ? "change" : "changes"}`;
  if (tookMs === undefined) return `FAILED (${viewChanges}): ${why}`;
  return `agreed after ${(tookMs / 1000).toFixed(2)} s (${viewChanges})`;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
