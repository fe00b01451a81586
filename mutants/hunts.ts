// What goes after mutants: runs of the simulator, each named by what replays it.

import { existsSync, readFileSync } from "node:fs";
import { optionsOf, parseSeedFile } from "../src/cli/seed-file.ts";
import {
  SCENARIOS,
  SEARCHES,
  type SimulationResult,
  scenarioOf,
  searchOf,
  simulate,
} from "../src/sim/index.ts";

/**
 * "S26" and "S26@2" are a scenario from seeds 1 and 2; "two-stories@2" is a search, "weather@7" random weather, and
 * "kept/drifting-clock" a seed that was kept in test/seeds.
 */
export type HuntName = string;

const KEPT = "kept/";

const SEARCH_SEEDS = 60;
const SCENARIO_SEEDS = 3;
const WEATHER_SEEDS = 30;

/** All hunts, those that cost least for what they find first. */
export function huntsFor(first: HuntName): ReadonlySet<HuntName> {
  const from = (names: readonly string[], seed: number): string[] => names.map((name) => `${name}@${seed}`);
  const scenarios = SCENARIOS.map(({ name }) => name);
  const searches = SEARCHES.map(({ name }) => name);
  return new Set([
    ...first.split(" "),
    ...from(scenarios, 1),
    ...Array.from({ length: SEARCH_SEEDS }, (_, i) => from(searches, i + 1)).flat(),
    ...Array.from({ length: SCENARIO_SEEDS }, (_, i) => from(scenarios, i + 1)).flat(),
    ...Array.from({ length: WEATHER_SEEDS }, (_, i) => `weather@${i + 1}`),
  ]);
}

/** Whether something goes by this name. */
export function isHunt(name: HuntName): boolean {
  if (name.startsWith(KEPT)) return existsSync(fileOf(name));
  const [what = "", seed = "1"] = name.split("@");
  const isKnown = what === "weather" || (searchOf(what) ?? scenarioOf(what)) !== undefined;
  return isKnown && /^[1-9]\d*$/.test(seed);
}

/** @throws Error where there is no such hunt. */
export function hunt(name: HuntName): SimulationResult {
  const [what = "", seed = "1"] = name.split("@");
  const search = searchOf(what);
  const scenario = scenarioOf(what);
  if (!isHunt(name)) throw new Error(`there is no hunt ${name}`);
  if (name.startsWith(KEPT)) return simulate(optionsOf(parseSeedFile(readFileSync(fileOf(name), "utf8"))));
  return simulate({ seed: BigInt(seed), search, scenario, isQuick: true });
}

function fileOf(name: HuntName): URL {
  return new URL(`../test/seeds/${name.slice(KEPT.length)}.json`, import.meta.url);
}
