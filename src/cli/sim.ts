// `blip sim`: one run of the simulator, or what it can run.

import { readFileSync } from "node:fs";
import {
  MEMBERS_MAX,
  SCENARIOS,
  type SimulationResult,
  scenarioOf,
  simulate,
  storyOf,
  transcriptOf,
  WEATHER,
  WEATHER_KINDS,
} from "../sim/index.ts";
import { type FlagSpec, type Flags, type Given, UsageError, wrong } from "./flags.ts";
import { optionsOf, parseSeedFile, type SeedFile } from "./seed-file.ts";
import type { Surroundings } from "./surroundings.ts";

export const SIM_FLAGS: readonly FlagSpec[] = [
  { name: "seed", value: "N", help: "what all is drawn from (default 1)" },
  { name: "members", value: "N", help: `members at the beginning, 1 to ${MEMBERS_MAX}` },
  { name: "scenario", value: "NAME", help: "a situation by name, as S4; without one, random weather" },
  { name: "duration", value: "S", help: "how many virtual seconds the random weather lasts" },
  {
    name: "weather",
    value: "KIND",
    isList: true,
    help: "the kinds there may be, or all; without any, those that members heal from",
  },
  { name: "file", value: "PATH", help: "a seed file, as in test/seeds, instead of the flags above" },
  { name: "list", help: "the scenarios and the kinds of weather" },
  { name: "story", help: "all that happened, in prose" },
  { name: "json", help: "nothing but the last line" },
];

/** How many lines of what came before a failure are shown. */
const TAIL = 60;
const DURATION_MAX_S = 86_400;

export async function sim(flags: Flags, around: Surroundings): Promise<number> {
  if (flags.has("list")) return list(flags.has("json"), around);
  const wish = wishOf(flags);
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
function commandOf({ seed, members, scenario, durationS, weather }: SeedFile): string {
  const words = [`npm run sim -- --seed ${seed}`];
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
  if (isJson) return 0;
  await around.line("\nweather (those in brackets are not healed from yet, and blow only when asked for):");
  for (const kind of WEATHER_KINDS) {
    const { about, unhealed } = WEATHER[kind];
    await around.line(`${(unhealed === undefined ? kind : `[${kind}]`).padEnd(28)} ${about}`);
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

function fromFile(file: Given): SeedFile {
  try {
    return parseSeedFile(readFileSync(file.text, "utf8"));
  } catch (error) {
    throw new UsageError(`${file.from} ${file.text}: ${error instanceof Error ? error.message : error}`);
  }
}
