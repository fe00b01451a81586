/**
 * Figures 8, 9 and 10: one per cent of a mesh of a thousand fails: crashes, hears nothing every other twenty seconds, or
 * loses four fifths of what it is sent, or of what it sends. All others should see all of them go, at once, and nobody else.
 */
import { LARGE_MESH, type Process, World } from "../../src/sim/index.ts";
import { spread } from "../figures.ts";
import { draw } from "./chart.ts";
import type { Experiment, ExperimentOptions, Findings } from "./experiment.ts";
import { faultsOf, ReportedSizes } from "./reported-sizes.ts";

interface Fault {
  readonly name: string;
  /** What the paper says of Rapid and of the others. */
  readonly paper: string;
  /** How long it lasts, in seconds, and what happens at each of them. */
  readonly seconds: number;
  at(second: number, world: World, failing: readonly Process[]): void;
}

const FLIP_SECONDS = 20;

const crashed: Fault = {
  name: "processes crash",
  paper: "all in one step, about 10 s after Memberlist reacts",
  seconds: 20,
  at: (second, world, failing) => {
    if (second === 0) world.crash(...failing);
  },
};
const silent: Fault = {
  name: "machines fall silent",
  paper: "the same",
  seconds: 20,
  at: (second, world, failing) => {
    if (second === 0) world.powerOff(...failing);
  },
};
const flipping: Fault = {
  name: "hear nothing, 20 s on and 20 s off",
  paper: "all in one step; Memberlist never all, ZooKeeper none",
  seconds: 200,
  at: (second, world, failing) => {
    if (second % FLIP_SECONDS !== 0) return;
    const inbound = (second / FLIP_SECONDS) % 2 === 0 ? 1 : 0;
    for (const process of failing) world.lose(process, { inbound });
  },
};

function losing(direction: "inbound" | "outbound"): Fault {
  return {
    name: `lose 80 % of what ${direction === "inbound" ? "comes" : "goes"}`,
    paper: "all in one step, 50 to 60 s after it began; Memberlist and ZooKeeper never all",
    seconds: 120,
    at: (second, world, failing) => {
      if (second === 0) for (const process of failing) world.lose(process, { [direction]: 0.8 });
    },
  };
}

export const crashes: Experiment = {
  title: "One in a hundred crashes (Figure 8)",
  run: (options) => findingsOf("crashes", [crashed, silent], options),
};
export const flipFlop: Experiment = {
  title: "One in a hundred hears nothing every other 20 s (Figure 9)",
  run: (options) => findingsOf("flip-flop", [flipping], options),
};
export const loss: Experiment = {
  title: "One in a hundred loses 80 % (Figure 10)",
  run: (options) => findingsOf("loss", [losing("inbound"), losing("outbound")], options),
};

interface Outcome {
  /** Until the last of the others has seen all that fail gone. */
  readonly goneSeconds: number | undefined;
  /** Views that others took from the beginning of the fault until then. */
  readonly steps: number;
  /** Views that they took in all. */
  readonly views: number;
  /** Who was removed and had no fault. */
  readonly wronged: number;
  readonly dots: readonly (readonly [number, number])[];
  readonly faults: readonly string[];
}

function findingsOf(file: string, faults: readonly Fault[], options: ExperimentOptions): Findings {
  const { sizes, runs, quick } = options;
  const cases = (sizes ?? [quick ? 100 : 1000]).flatMap((members) =>
    faults.map((fault) => {
      const seeds = Array.from({ length: runs ?? 1 }, (_, i) => i + 1);
      return { members, fault, outcomes: seeds.map((seed) => outcomeOf(members, fault, seed)) };
    }),
  );
  return {
    head: ["fault", "members", "all gone after, s", "in steps", "views in all", "removed wrongly", "paper"],
    rows: cases.map(({ members, fault, outcomes }) => [
      fault.name,
      String(members),
      spread(outcomes.flatMap(({ goneSeconds }) => goneSeconds ?? [])),
      spread(outcomes.map(({ steps }) => steps)),
      spread(outcomes.map(({ views }) => views)),
      spread(outcomes.map(({ wronged }) => wronged)),
      fault.paper,
    ]),
    pictures: Object.fromEntries(
      cases
        .slice(0, faults.length)
        .map(({ members, fault, outcomes }, i) => [
          faults.length === 1 ? file : `${file}-${i + 1}`,
          picture(members, fault, outcomes[0]!),
        ]),
    ),
    faults: cases.flatMap(({ outcomes }) => outcomes.flatMap((outcome) => outcome.faults)),
  };
}

function outcomeOf(members: number, fault: Fault, seed: number): Outcome {
  const reported = new ReportedSizes(() => world.now);
  const world: World = new World({ seed, ...LARGE_MESH, checkers: [reported] });
  const processes = [...world.grow(members)];
  world.run(10_000 + 271 * seed);
  const dice = world.dice("who fails");
  const share = Math.max(1, Math.floor(members / 100));
  const failing = Array.from({ length: share }, () => processes.splice(dice.below(processes.length), 1)[0]!);
  const others = new Set(processes);
  const gone = new Set(failing.map(({ endpoint }) => endpoint));
  const seen = new Map(processes.map((process) => [process, process.cuts.length]));
  const began = world.now;
  for (let second = 0; second < fault.seconds; second++) {
    fault.at(second, world, failing);
    world.run(1000);
  }
  const goneAt = reported.lastToReach(members - share, others, began);
  const witness = processes[0]!;
  const taken = witness.cuts.slice(seen.get(witness));
  const steps = taken.findIndex(({ view }) => view.size === members - share) + 1;
  return {
    goneSeconds: goneAt === undefined ? undefined : (goneAt - began) / 1000,
    steps,
    views: taken.length,
    wronged: new Set(taken.flatMap(({ kicked }) => kicked).filter((node) => !gone.has(node))).size,
    dots: reported.perSecond(others, began - 10_000, world.now).map(([second, size]) => [second - 10, size]),
    faults: faultsOf(world),
  };
}

function picture(members: number, fault: Fault, { dots }: Outcome): string {
  return draw({
    title: `1 % of ${members} ${fault.name}`,
    x: "seconds since it began, virtual time",
    y: "sizes that the others report",
    series: [{ name: "reported by somebody", points: dots, style: "dots", isOurs: true }],
  });
}
