/**
 * Where the time of a view change goes, in virtual time, so that nothing but the protocol's own waiting counts:
 * members of a simulated mesh die, and it is written down when enough of it was reported, voted for and decided, and
 * how many members began a classic round.
 */
import type { Millis } from "../src/core/doorway.ts";
import type { Endpoint } from "../src/core/endpoint.ts";
import type { Gossip } from "../src/core/messages.ts";
import { LARGE_MESH } from "../src/sim/network.ts";
import type { Process } from "../src/sim/process.ts";
import { World } from "../src/sim/world.ts";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { spread } from "./figures.ts";
import { table } from "./table.ts";

interface Change {
  /** From the deaths until the last report of an observer was sent that the first vote waited for. */
  readonly reportedMs: number;
  /** From there until half of the survivors have voted. */
  readonly votedMs: number;
  /** From there until the last survivor has the view. */
  readonly decidedMs: number;
  readonly totalMs: number;
  readonly coordinators: number;
  readonly cuts: number;
  readonly messages: number;
}

interface Case {
  readonly size: number;
  readonly dead: number;
  /** Machines go down with the processes, so that nobody refuses connections. */
  readonly isSilent: boolean;
}

const SIZES = [3, 10, 32, 100];

export const viewChanges: Benchmark = {
  summary: "where the time of a view change goes, in virtual time, and what classic rounds cost in duels",
  run,
};

async function run({ quick, runs, sizes }: BenchmarkOptions): Promise<BenchmarkResult> {
  const data = casesOf(sizes ?? (quick ? SIZES.slice(0, 2) : SIZES)).map((one) => {
    const seeds = Array.from({ length: runs ?? (quick ? 2 : 5) }, (_, i) => i + 1);
    const changes = seeds.map((seed) => measure(one, seed));
    process.stderr.write(`${nameOf(one)}: ${seeds.length} runs\n`);
    return { ...one, changes };
  });
  const head = [
    "virtual time, ms",
    "reported",
    "then voted",
    "then decided",
    "in all",
    "cuts",
    "coordinators",
    "messages",
  ];
  console.log(
    table(
      head,
      data.map(({ changes, ...one }) => [nameOf(one), ...rowOf(changes)]),
    ),
  );
  console.log(`Median (lowest–highest) over seeds. Of "reported", the last 100 ms are the batch window. One way takes 1 to
5 ms. Of a quarter and more dead the fast round cannot decide, so that a classic one has to.`);
  return { passed: true, data: { cases: data } };
}

/** Of each size: one dies, a tenth, and more than a quarter, which always takes a classic round. */
function casesOf(sizes: readonly number[]): readonly Case[] {
  return sizes.flatMap((size) => {
    const counts = new Set([
      1,
      Math.max(1, Math.floor(size / 10)),
      Math.min(Math.floor((size - 1) / 2), Math.ceil(0.3 * size)),
    ]);
    return [...counts].flatMap((dead) => [
      { size, dead, isSilent: false },
      ...(dead === 1 ? [{ size, dead, isSilent: true }] : []),
    ]);
  });
}

function measure({ size, dead, isSilent }: Case, seed: number): Change {
  const world = new World({ seed, ...(size > 100 && LARGE_MESH) });
  const processes = world.grow(size);
  world.run(5000 + seed * 271);
  const dice = world.dice("who dies");
  const left = [...processes];
  const victims = Array.from({ length: dead }, () => left.splice(dice.below(left.length), 1)[0]!);

  const reports: Millis[] = [];
  const votes = new Map<Endpoint, Millis>();
  const coordinators = new Set<Endpoint>();
  const { now: diedAt } = world;
  world.network.fateOf = ({ from, request }) => {
    const own =
      request.kind === "broadcast" && request.gossip.sender === from.endpoint ? request.gossip : undefined;
    if (own !== undefined) note(own);
    return "pass";
  };
  const note = (gossip: Gossip): void => {
    if (gossip.kind === "alerts" && votes.size === 0 && reports.at(-1) !== world.now) reports.push(world.now);
    if (gossip.kind === "fastAccepted" && !votes.has(gossip.sender)) votes.set(gossip.sender, world.now);
    if (gossip.kind === "prepare") coordinators.add(gossip.sender);
  };
  const messages = world.network.messages;
  const seen = new Map(left.map((process): [Process, number] => [process, process.cuts.length]));
  if (isSilent) world.powerOff(...victims);
  else world.crash(...victims);
  world.until("the survivors agree", () => world.agree(left), 120_000);

  const inOrder = [...votes.values()].sort((a, b) => a - b);
  const reportedAt = reports.at(-1)!;
  const votedAt = inOrder[Math.floor(inOrder.length / 2)]!;
  return {
    reportedMs: reportedAt - diedAt,
    votedMs: votedAt - reportedAt,
    decidedMs: world.now - votedAt,
    totalMs: world.now - diedAt,
    coordinators: coordinators.size,
    cuts: Math.max(...left.map((process) => process.cuts.length - seen.get(process)!)),
    messages: world.network.messages - messages,
  };
}

function rowOf(changes: readonly Change[]): readonly string[] {
  const of = (value: (change: Change) => number): string => spread(changes.map(value));
  return [
    of(({ reportedMs }) => reportedMs),
    of(({ votedMs }) => votedMs),
    of(({ decidedMs }) => decidedMs),
    of(({ totalMs }) => totalMs),
    of(({ cuts }) => cuts),
    of(({ coordinators }) => coordinators),
    of(({ messages }) => messages),
  ];
}

function nameOf({ size, dead, isSilent }: Case): string {
  return `${dead} of ${size} ${isSilent ? "with its machine" : "crashed"}`;
}
