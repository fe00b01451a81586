/**
 * Figure 11: how many members would propose only a part of those that failed, were the reports to reach each of them in an
 * order of its own. For all watermarks of the paper.
 */
import { CutDetector } from "../../src/core/cut-detector.ts";
import { compareEndpoints, type Endpoint } from "../../src/core/endpoint.ts";
import { View } from "../../src/core/view.ts";
import { endpointAt } from "../../src/sim/population.ts";
import { type Stream, Streams } from "../../src/sim/streams.ts";
import { draw } from "./chart.ts";
import type { Experiment, ExperimentOptions, Findings } from "./experiment.ts";

const OBSERVERS = 10;
const HIGHS = [6, 7, 8, 9];
const LOWS = [1, 2, 3, 4];
const FAILED = [2, 4, 8, 16];
/** Per cent, read off the chart: by H, by L, by failures. */
const PAPER: Readonly<Record<number, readonly (readonly (number | string)[])[]>> = {
  6: [
    [1, "~0.1", 0, 0],
    [6, 2, 0.4, 0.1],
    [16.5, 11, 4, 1.5],
    [37, 37, 24, 12.5],
  ],
  7: [
    [0.3, 0, 0, 0],
    [2, 0.2, 0, 0],
    [7, 2.5, 0.5, 0.1],
    [18.5, 12, 4.3, 1.6],
  ],
  8: [
    [0.05, 0, 0, 0],
    [0.6, 0.05, 0, 0],
    [2.2, 0.35, 0.05, 0],
    [6.8, 2.4, 0.5, 0.1],
  ],
  9: [
    [0.02, 0, 0, 0],
    [0.12, 0, 0, 0],
    [0.55, 0.04, 0, 0],
    [2, 0.25, 0.04, 0],
  ],
};

export const agreement: Experiment = { title: "Almost-everywhere agreement (Figure 11)", run };

function run({ sizes, runs, quick }: ExperimentOptions): Findings {
  const [members] = sizes ?? [quick ? 100 : 1000];
  const repetitions = runs ?? (quick ? 1 : 20);
  const dice = new Streams(11n).of("reports");
  const shares = sharesOf(members!, repetitions, dice);
  const shareOf = (high: number, low: number, failed: number): number =>
    shares.get(`${high} ${low} ${failed}`)!;
  const rows = HIGHS.flatMap((high) =>
    LOWS.map((low, i) => [
      `H = ${high}, L = ${low}`,
      ...FAILED.map((failed) => shareOf(high, low, failed).toFixed(2)),
      PAPER[high]![i]!.join(" / "),
    ]),
  );
  return {
    head: ["conflicts, % of members", ...FAILED.map((failed) => `F = ${failed}`), "paper, same order"],
    rows,
    pictures: {
      agreement: draw({
        title: "Members that propose a part only, of 2 that failed",
        x: "H",
        y: "per cent",
        from: 0,
        series: [
          ...LOWS.map((low) => ({
            name: `L = ${low}, ours`,
            points: HIGHS.map((high): [number, number] => [high, shareOf(high, low, 2)]),
            style: "line" as const,
            isOurs: true,
          })),
          ...LOWS.map((low, i) => ({
            name: `L = ${low}, paper`,
            points: HIGHS.map((high): [number, number] => [high, Number(PAPER[high]![i]![0])]),
            style: "dots" as const,
            isOurs: false,
          })),
        ],
      }),
    },
    faults: [],
  };
}

/** Per cent of members, by "H L F". */
function sharesOf(members: number, repetitions: number, dice: Stream): ReadonlyMap<string, number> {
  const endpoints = Array.from({ length: members }, (_, i) => endpointAt(i + 1));
  const view = View.of(
    OBSERVERS,
    endpoints.map((endpoint) => ({ endpoint, metadata: {} })),
    [],
  );
  const conflicts = new Map<string, number>();
  for (const failed of FAILED) {
    for (let i = 0; i < repetitions; i++) {
      const down = shuffled(view.members, dice).slice(0, failed).sort(compareEndpoints);
      const reports = down.flatMap((node) =>
        Array.from({ length: OBSERVERS }, (_, ring): [Endpoint, number] => [node, ring]),
      );
      for (let member = 0; member < members; member++) {
        const order = shuffled(reports, dice);
        for (const high of HIGHS) {
          for (const low of LOWS) {
            if (firstProposal(view, order, high, low) === failed) continue;
            const key = `${high} ${low} ${failed}`;
            conflicts.set(key, (conflicts.get(key) ?? 0) + 1);
          }
        }
      }
    }
  }
  const keys = HIGHS.flatMap((high) =>
    LOWS.flatMap((low) => FAILED.map((failed) => `${high} ${low} ${failed}`)),
  );
  return new Map(keys.map((key) => [key, (100 * (conflicts.get(key) ?? 0)) / (members * repetitions)]));
}

/** How many are in the first proposal that comes of these reports. */
function firstProposal(
  view: View,
  reports: readonly (readonly [Endpoint, number])[],
  high: number,
  low: number,
): number {
  const detector = new CutDetector(view, { observers: OBSERVERS, high, low });
  for (const [node, ring] of reports) {
    detector.report(node, ring, 0);
    const proposal = detector.proposal();
    if (proposal !== undefined) return proposal.length;
  }
  return 0;
}

function shuffled<T>(things: readonly T[], dice: Stream): T[] {
  const left = [...things];
  for (let i = left.length - 1; i > 0; i--) {
    const j = dice.below(i + 1);
    [left[i], left[j]] = [left[j]!, left[i]!];
  }
  return left;
}
