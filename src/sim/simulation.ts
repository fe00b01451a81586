// One run: a scenario, or a random life in random weather. The same arguments give the same run, to the last message, and
// so the same trace hash.

import type { Millis } from "../core/doorway.ts";
import type { Settings } from "../core/settings.ts";
import { DEFAULT_SETTINGS } from "../core/settings.ts";
import { checkAftermath } from "./aftermath.ts";
import { Standstill } from "./agenda.ts";
import type { Violation } from "./checkers/checker.ts";
import type { MakeMachine } from "./process.ts";
import { type Scenario, Stage, UnexpectedOutcome } from "./scenario.ts";
import type { Search } from "./searches/search.ts";
import { Storm } from "./storm.ts";
import { Streams } from "./streams.ts";
import { NotInTime, RuleBroken } from "./timeline.ts";
import { TraceHash } from "./trace-hash.ts";
import type { Line } from "./transcript.ts";
import { type Forecast, forecast, type WeatherKind } from "./weather.ts";
import { protobufWire } from "./wire.ts";
import { World } from "./world.ts";

/** The number of a violation that is not one of the 23: a scenario came out differently from what it expects. */
export const OUTCOME = 0;

export interface SimulationOptions {
  readonly seed: bigint;
  /** Drawn, or what is usual in the scenario. */
  readonly members?: number | undefined;
  /** Without one, a random life in random weather. */
  readonly scenario?: Scenario | undefined;
  /** Goes after bugs instead; how many members there are, and for how long, is its own choice. */
  readonly search?: Search | undefined;
  /** How long the weather lasts; drawn where nobody says. Scenarios last as long as they do. */
  readonly durationMs?: Millis | undefined;
  /** What weather there may be; of all kinds, where nobody says. */
  readonly kinds?: readonly WeatherKind[] | undefined;
  readonly makeMachine?: MakeMachine | undefined;
  readonly keepsTranscript?: boolean | undefined;
  /** Of scenarios that are long or large, a short and small version. */
  readonly isQuick?: boolean | undefined;
}

/** What came of a run. */
export interface SimulationResult {
  readonly seed: bigint;
  /** The name of the scenario or of the search, or "weather". */
  readonly scenario: string;
  readonly members: number;
  readonly virtualMs: number;
  readonly steps: number;
  readonly messages: number;
  readonly viewChanges: number;
  readonly violations: readonly Violation[];
  /** Broken rules that were to be expected, as of models of other peers. */
  readonly excused: number;
  readonly traceHash: string;
  /** All lines, or the last few hundred. */
  readonly lines: readonly Line[];
}

export function simulate(options: SimulationOptions): SimulationResult {
  if (options.search !== undefined) return options.search.run(options);
  return options.scenario === undefined ? simulateWeather(options) : simulateStage(options.scenario, options);
}

/** What is played on a stage: a scenario, or something that is like one. */
export function simulateStage(
  scenario: Pick<Scenario, "name" | "members" | "run">,
  options: SimulationOptions,
): SimulationResult {
  const { seed, makeMachine, keepsTranscript, isQuick = false } = options;
  const { usual, quick = usual } = scenario.members;
  const members = options.members ?? (isQuick ? quick : usual);
  const stage = new Stage({ seed, members, makeMachine, keepsTranscript, isQuick });
  const outcome = caught(
    () => scenario.run(stage),
    () => stage.world,
  );
  // What draws its size itself has as many as there were.
  const size = members > 0 ? members : (stage.worlds[0]?.processes.length ?? 0);
  return resultOf(options, scenario.name, size, stage.worlds, outcome);
}

function simulateWeather(options: SimulationOptions): SimulationResult {
  const { seed, makeMachine, keepsTranscript } = options;
  const plan = forecast(new Streams(seed).of("forecast"), options);
  const settings: Settings = DEFAULT_SETTINGS;
  const world = new World({
    seed,
    settings,
    makeMachine,
    keepsTranscript,
    dropsKnownCopies: plan.dropsKnownCopies,
    wire: plan.usesWire ? protobufWire(settings.cutDetector.observers) : undefined,
    stopsAtViolation: true,
  });
  const outcome = caught(
    () => live(world, plan),
    () => world,
  );
  return resultOf(options, "weather", plan.members, [world], outcome);
}

function live(world: World, plan: Forecast): void {
  world.tell(`${plan.members} members; weather: ${[...plan.kinds].join(", ") || "none"}`);
  const storm = new Storm(world, plan);
  storm.gather();
  storm.blow();
  storm.clear();
  checkAftermath(world);
}

/** What went wrong beyond broken rules, as a violation. */
function caught(run: () => void, world: () => World): Violation | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof RuleBroken) return undefined;
    if (error instanceof Standstill) {
      return { invariant: 23, atMs: Math.round(world().elapsed), what: error.message };
    }
    if (!(error instanceof UnexpectedOutcome || error instanceof NotInTime)) throw error;
    return { invariant: OUTCOME, atMs: Math.round(world().elapsed), what: error.message };
  }
}

function resultOf(
  { seed }: SimulationOptions,
  scenario: string,
  members: number,
  worlds: readonly World[],
  outcome: Violation | undefined,
): SimulationResult {
  const sum = (count: (world: World) => number): number =>
    worlds.reduce((total, world) => total + count(world), 0);
  const violations = worlds.flatMap((world) => world.violations);
  if (outcome !== undefined) violations.push(outcome);
  const trace = new TraceHash();
  for (const world of worlds) trace.addText(world.trace.digest());
  return {
    seed,
    scenario,
    members,
    virtualMs: Math.round(sum((world) => world.elapsed)),
    steps: sum((world) => world.steps),
    messages: sum((world) => world.network.messages),
    viewChanges: sum((world) => world.watch.history.changes),
    violations,
    excused: sum((world) => world.watch.excused.length),
    traceHash: trace.digest(),
    lines: worlds.flatMap((world) => world.transcript.lines),
  };
}
