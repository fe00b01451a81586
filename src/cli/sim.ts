// `blip sim`: one run of the simulator, or what it can run.

import { readFileSync } from "node:fs";
import {
  MEMBERS_MAX,
  SCENARIOS,
  SEARCHES,
  type SimulationResult,
  scenarioOf,
  searchOf,
  simulate,
  storyOf,
  transcriptOf,
  WEATHER,
  WEATHER_KINDS,
} from "../sim/index.ts";
import { type FlagSpec, type Flags, type Given, UsageError, wrong } from "./flags.ts";
import { goThroughMutants } from "./mutants.ts";
import { optionsOf, parseSeedFile, type SeedFile } from "./seed-file.ts";
import type { Surroundings } from "./surroundings.ts";

export const SIM_FLAGS: readonly FlagSpec[] = [
  { name: "seed", value: "N", help: "what all is drawn from (default 1)" },
  { name: "members", value: "N", help: `members at the beginning, 1 to ${MEMBERS_MAX}` },
  { name: "scenario", value: "NAME", help: "a situation by name, as S4; without one, random weather" },
  { name: "search", value: "NAME", help: "goes after bugs on purpose, as two-stories" },
  { name: "seeds", value: "N", help: "so many seeds, one after the other, until one fails (default 1)" },
  { name: "duration", value: "S", help: "how many virtual seconds the random weather lasts" },
  {
    name: "weather",
    value: "KIND",
    isList: true,
    help: "the kinds there may be; all, where none is named",
  },
  { name: "file", value: "PATH", help: "a seed file, as in test/seeds, instead of the flags above" },
  {
    name: "mutants",
    value: "NAME",
    isValueOptional: true,
    help: "puts deliberate bugs into the core, all or one, and shows what catches each (source checkout only)",
  },
  { name: "list", help: "the scenarios, the searches and the kinds of weather" },
  { name: "story", help: "all that happened, in prose" },
  { name: "json", help: "nothing but the last line" },
];

/** How many lines of what came before a failure are shown. */
const TAIL = 60;
const DURATION_MAX_S = 86_400;
const SEEDS_MAX = 1_000_000;
const SEEDS_WISH = `a whole number from 1 to ${SEEDS_MAX}`;

export async function sim(flags: Flags, around: Surroundings): Promise<number> {
  if (flags.has("list")) return list(flags.has("json"), around);
  const mutants = flags.one("mutants");
  if (mutants !== undefined) return goThroughMutants(mutants, around);
  const first = wishOf(flags);
  const seeds = flags.number("seeds", SEEDS_WISH) ?? 1;
  if (seeds < 1 || seeds > SEEDS_MAX) throw wrong(flags.one("seeds")!, SEEDS_WISH);
  for (let i = 0; i < seeds && !around.stop.aborted; i++) {
    const status = await simulateOne({ ...first, seed: first.seed + i }, flags, around);
    if (status !== 0) return status;
    // Whoever asked for many may want them to end early.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return 0;
}

async function simulateOne(wish: SeedFile, flags: Flags, around: Surroundings): Promise<number> {
  const result = simulate({ ...optionsOf(wish), keepsTranscript: flags.has("story") });
  const isBroken = result.violations.length > 0;
  if (flags.has("story")) await around.line(storyOf(result.lines));
  if (isBroken && !flags.has("json")) await around.line(explain(result, wish));
  await around.line(resultLine(result));
  return isBroken ? 1 : 0;
}

/** The line that scripts read. */
function resultLine(result: SimulationResult): string {
  const { seed, scenario, members, virtualMs, steps, messages, viewChanges, violations, traceHash } = result;
  return JSON.stringify({
    event: "sim",
    seed: Number(seed),
    scenario,
    members,
    virtualMs,
    steps,
    messages,
    viewChanges,
    violations,
    traceHash,
  });
}

function explain(result: SimulationResult, wish: SeedFile): string {
  const violations = result.violations.map(
    ({ invariant, atMs, member, what }) =>
      `  ${invariant === 0 ? "outcome" : `invariant ${invariant}`} at ${atMs / 1000} s${member === undefined ? "" : ` by ${member}`}: ${what}`,
  );
  return [
    transcriptOf(result.lines.slice(-TAIL)),
    "",
    "broken:",
    ...violations,
    "",
    `again: ${commandOf(wish)}`,
    "",
  ].join("\n");
}

/** What replays this run. */
function commandOf({ seed, members, scenario, search, durationS, weather }: SeedFile): string {
  const words = [`npm run sim -- --seed ${seed}`];
  if (search !== undefined) words.push(`--search ${search}`);
  if (scenario !== undefined) words.push(`--scenario ${scenario}`);
  if (members !== undefined) words.push(`--members ${members}`);
  if (durationS !== undefined) words.push(`--duration ${durationS}`);
  for (const kind of weather ?? []) words.push(`--weather ${kind}`);
  return words.join(" ");
}

async function list(isJson: boolean, around: Surroundings): Promise<number> {
  for (const { name, slug, faults, expected, members } of SCENARIOS) {
    await around.line(
      isJson
        ? JSON.stringify({ event: "scenario", name, slug, faults, expected, members })
        : `${`${name} ${slug}`.padEnd(28)} ${faults}\n${" ".repeat(29)}→ ${expected}`,
    );
  }
  if (!isJson) await around.line("\nsearches:");
  for (const { name, about } of SEARCHES) {
    await around.line(
      isJson ? JSON.stringify({ event: "search", name, about }) : `${name.padEnd(28)} ${about}`,
    );
  }
  if (isJson) return 0;
  await around.line("\nweather:");
  for (const kind of WEATHER_KINDS) {
    await around.line(`${kind.padEnd(28)} ${WEATHER[kind]}`);
  }
  return 0;
}

function wishOf(flags: Flags): SeedFile {
  const file = flags.one("file");
  if (file !== undefined) return fromFile(file);
  const seed = flags.number("seed", "a whole number") ?? 1;
  const scenarioName = flags.one("scenario");
  const scenario = scenarioName && scenarioOf(scenarioName.text);
  if (scenarioName !== undefined && scenario === undefined) {
    throw wrong(scenarioName, `one of the scenarios ${SCENARIOS.map(({ name }) => name).join(", ")}`);
  }
  const search = flags.one("search");
  if (search !== undefined) return wishOfSearch(search, flags, seed);
  const { least, most } = scenario?.members ?? { least: 1, most: MEMBERS_MAX };
  const sizes = least === most ? `${least} in ${scenario!.name}` : `a whole number from ${least} to ${most}`;
  const members = flags.number("members", sizes);
  if (members !== undefined && (members < least || members > most)) throw wrong(flags.one("members")!, sizes);
  const seconds = `whole seconds from 1 to ${DURATION_MAX_S}`;
  const durationS = flags.number("duration", seconds);
  if (durationS !== undefined && (durationS < 1 || durationS > DURATION_MAX_S)) {
    throw wrong(flags.one("duration")!, seconds);
  }
  const weather = flags.all("weather").map(({ from, text }) => {
    if (text === "all" || Object.hasOwn(WEATHER, text)) return text;
    throw wrong({ from, text }, `all, or one of ${WEATHER_KINDS.join(", ")}`);
  });
  return {
    seed,
    ...(scenario !== undefined && { scenario: scenario.name }),
    ...(members !== undefined && { members }),
    ...(durationS !== undefined && { durationS }),
    ...(weather.length > 0 && { weather }),
  };
}

/** A search draws from its seed what other runs are told. */
function wishOfSearch(given: Given, flags: Flags, seed: number): SeedFile {
  const search = searchOf(given.text);
  if (search === undefined) {
    throw wrong(given, `one of the searches ${SEARCHES.map(({ name }) => name).join(", ")}`);
  }
  const [other] = ["scenario", "members", "duration", "weather"].flatMap((name) => flags.all(name));
  if (other !== undefined) throw wrong(other, "nothing beside --search, which draws it from the seed");
  return { seed, search: search.name };
}

function fromFile(file: Given): SeedFile {
  try {
    return parseSeedFile(readFileSync(file.text, "utf8"));
  } catch (error) {
    throw new UsageError(`${file.from} ${file.text}: ${error instanceof Error ? error.message : error}`);
  }
}
