/**
 * `npm run swarm -- --seconds S [--from SEED] [--seeds N] [--jobs N] [--members N] [--weather KIND]…`: simulates one seed
 * after the other on all cores, and says what was run. Exit status 1 where a seed failed, each with the command that
 * replays it, and 2 on wrong flags.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { MEMBERS_MAX, WEATHER, WEATHER_KINDS } from "blip-mesh/sim";
import type { Finding, Order } from "./order.ts";

interface Wish {
  readonly seconds: number;
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  readonly order: Omit<Order, "seed">;
}

const SEEDS_MAX = Number.MAX_SAFE_INTEGER;

function readFlags(): Wish {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string" },
      from: { type: "string" },
      seeds: { type: "string" },
      jobs: { type: "string" },
      members: { type: "string" },
      weather: { type: "string", multiple: true },
    },
  });
  const wholeOf = (
    flag: "seconds" | "from" | "seeds" | "jobs" | "members",
    most: number,
  ): number | undefined => {
    const text = values[flag];
    if (text === undefined) return undefined;
    const least = flag === "from" ? 0 : 1;
    if (/^\d{1,16}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new Error(`--${flag} ${text}: expected a whole number from ${least} to ${most}`);
  };
  const weather = values.weather ?? [];
  const unknown = weather.find((kind) => kind !== "all" && !Object.hasOwn(WEATHER, kind));
  if (unknown !== undefined) {
    throw new Error(`--weather ${unknown}: expected all, or one of ${WEATHER_KINDS.join(", ")}`);
  }
  const seeds = wholeOf("seeds", SEEDS_MAX);
  const seconds = wholeOf("seconds", 1_000_000);
  if (seconds === undefined && seeds === undefined) throw new Error("--seconds: expected how long to go on");
  const members = wholeOf("members", MEMBERS_MAX);
  return {
    seconds: seconds ?? Infinity,
    // Other seeds every time: a swarm is for what has not been tried.
    from: wholeOf("from", SEEDS_MAX) ?? Math.floor(Date.now() / 1000) * 1_000_000,
    seeds: seeds ?? Infinity,
    jobs: wholeOf("jobs", 1024) ?? availableParallelism(),
    order: { ...(members !== undefined && { members }), ...(weather.length > 0 && { weather }) },
  };
}

/** A run that took its process with it. */
class Broken extends Error {}

function commandOf(seed: number, { members, weather = [] }: Omit<Order, "seed">): string {
  const size = members === undefined ? "" : ` --members ${members}`;
  return `npm run sim -- --seed ${seed}${size}${weather.map((kind) => ` --weather ${kind}`).join("")}`;
}

/** Sends one seed after the other to one process, until there are no more. */
function work(next: () => number | undefined, order: Omit<Order, "seed">, found: (finding: Finding) => void) {
  return new Promise<void>((resolve, reject) => {
    // Most of what a simulation makes is gone in a moment: with more room for the young, less of it is copied first.
    const execArgv = [...process.execArgv, "--max-semi-space-size=32"];
    const runner = fork(new URL("./runner.ts", import.meta.url), { stdio: "inherit", execArgv });
    let current: number | undefined;
    const give = (): void => {
      current = next();
      if (current === undefined) runner.disconnect();
      else runner.send({ ...order, seed: current } satisfies Order);
    };
    runner.on("message", (message) => {
      found(message as Finding);
      give();
    });
    runner.on("error", reject);
    runner.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Broken(`a runner ended with ${code ?? signal} at: ${commandOf(current ?? 0, order)}`));
    });
    give();
  });
}

async function main({ seconds, from, seeds, jobs, order }: Wish): Promise<number> {
  const end = performance.now() + 1000 * seconds;
  const sum = { seeds: 0, members: 0, steps: 0, messages: 0, viewChanges: 0, virtualMs: 0, excused: 0 };
  const failed: Finding[] = [];
  let given = 0;
  const next = (): number | undefined => {
    if (given === seeds || performance.now() > end) return undefined;
    given += 1;
    return from + given - 1;
  };
  const found = (finding: Finding): void => {
    sum.seeds += 1;
    for (const field of ["members", "steps", "messages", "viewChanges", "virtualMs", "excused"] as const) {
      sum[field] += finding[field];
    }
    if (finding.violations.length === 0) return;
    failed.push(finding);
    const [{ invariant, what }] = finding.violations as [Finding["violations"][0]];
    console.log(
      `seed ${finding.seed}: ${invariant === 0 ? "" : `invariant ${invariant}: `}${what.split("\n")[0]}`,
    );
    console.log(`  ${commandOf(finding.seed, order)}`);
  };
  console.log(`swarm: from seed ${from}, ${jobs} at a time`);
  await Promise.all(Array.from({ length: jobs }, () => work(next, order, found)));
  console.log(
    `swarm: ${sum.seeds} seeds, ${sum.members} members, ${sum.steps} steps, ${sum.messages} messages, ` +
      `${sum.viewChanges} view changes, ${Math.round(sum.virtualMs / 3_600_000)} virtual hours, ` +
      `${sum.excused} excused, ${failed.length} failed`,
  );
  return failed.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(readFlags());
} catch (error) {
  console.error(`swarm: ${error instanceof Error ? error.message : error}`);
  process.exitCode = error instanceof Broken ? 1 : 2;
}
