/** Figure 5 and Table 1: one founds a mesh, and ten seconds later all others join it at once. */
import { LARGE_MESH, World } from "../../src/sim/index.ts";
import { spread } from "../figures.ts";
import { draw } from "./chart.ts";
import type { Experiment, ExperimentOptions, Findings } from "./experiment.ts";
import { faultsOf, ReportedSizes } from "./reported-sizes.ts";

/** Seconds, read off the bars of Figure 5. */
const PAPER_SECONDS = {
  ZooKeeper: { 1000: 33, 1500: 81, 2000: 166 },
  Memberlist: { 1000: 46, 1500: 69, 2000: 98 },
  Rapid: { 1000: 30, 1500: 40, 2000: 54 },
} as const;
/** Table 1. */
const PAPER_SIZES: Readonly<Record<number, string>> = {
  1000: "4 / 901 / 1000",
  1500: "8 / 1383 / 1500",
  2000: "4 / 1858 / 2000",
};

interface Bootstrap {
  readonly seconds: number;
  readonly sizes: number;
  readonly faults: readonly string[];
}

export const bootstrap: Experiment = { title: "Bootstrap (Figure 5, Table 1)", run };

function run({ sizes, runs, quick }: ExperimentOptions): Findings {
  const cases = (sizes ?? (quick ? [50, 100] : [1000, 1500, 2000])).map((members) => {
    const seeds = Array.from({ length: runs ?? (quick ? 1 : 5) }, (_, i) => i + 1);
    return { members, found: seeds.map((seed) => bootstrapOf(members, seed)) };
  });
  const ours = cases.map(({ members, found }): [number, number] => [
    members,
    found.reduce((sum, { seconds }) => sum + seconds, 0) / found.length,
  ]);
  const theirs = Object.entries(PAPER_SECONDS).map(([name, seconds]) => ({
    name: `${name}, paper`,
    points: Object.entries(seconds).map(([members, value]): [number, number] => [Number(members), value]),
    style: "joined" as const,
    isOurs: false,
  }));
  return {
    head: [
      "members",
      "seconds",
      "sizes seen",
      "seconds in the paper: Rapid / Memberlist / ZooKeeper",
      "sizes in the paper",
    ],
    rows: cases.map(({ members, found }) => [
      String(members),
      spread(found.map(({ seconds }) => seconds)),
      spread(found.map((one) => one.sizes)),
      paperSeconds(members),
      PAPER_SIZES[members] ?? "–",
    ]),
    pictures: {
      bootstrap: draw({
        title: "Until all members report all members",
        x: "members",
        y: "seconds",
        from: 0,
        series: [{ name: "ours, virtual time", points: ours, style: "joined", isOurs: true }, ...theirs],
      }),
    },
    faults: cases.flatMap(({ found }) => found.flatMap(({ faults }) => faults)),
  };
}

function bootstrapOf(members: number, seed: number): Bootstrap {
  const sizes = new ReportedSizes(() => world.now);
  const world: World = new World({ seed, ...LARGE_MESH, checkers: [sizes] });
  const founder = world.start(1);
  world.run(10_000);
  const { now } = world;
  const processes = [founder];
  for (let i = 2; i <= members; i++) processes.push(world.start(i, { seeds: [founder.endpoint] }));
  world.until("all are in", () => world.agree(processes), 600_000);
  return {
    seconds: (world.now - now) / 1000,
    sizes: sizes.unique(new Set(processes)).length,
    faults: faultsOf(world),
  };
}

function paperSeconds(members: number): string {
  const { Rapid, Memberlist, ZooKeeper } = PAPER_SECONDS;
  if (!(members in Rapid)) return "–";
  const key = members as keyof typeof Rapid;
  return `${Rapid[key]} / ${Memberlist[key]} / ${ZooKeeper[key]}`;
}
