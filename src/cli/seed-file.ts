// A run as a small file: what was drawn from which seed, and why somebody keeps it.

import {
  MEMBERS_MAX,
  type SimulationOptions,
  scenarioOf,
  searchOf,
  WEATHER,
  WEATHER_KINDS,
  type WeatherKind,
} from "../sim/index.ts";

export interface SeedFile {
  readonly seed: number;
  readonly members?: number;
  readonly scenario?: string;
  readonly search?: string;
  readonly durationS?: number;
  /** Kinds, or "all". */
  readonly weather?: readonly string[];
  /** What it once showed, in a sentence. */
  readonly why?: string;
}

const FIELDS: { readonly [field in keyof Required<SeedFile>]: (value: unknown) => string | undefined } = {
  seed: (value) => (isWhole(value, 0, Number.MAX_SAFE_INTEGER) ? undefined : "a whole number"),
  members: (value) =>
    isWhole(value, 1, MEMBERS_MAX) ? undefined : `a whole number from 1 to ${MEMBERS_MAX}`,
  scenario: (value) =>
    typeof value === "string" && scenarioOf(value) !== undefined ? undefined : "the name of a scenario",
  search: (value) =>
    typeof value === "string" && searchOf(value) !== undefined ? undefined : "the name of a search",
  durationS: (value) => (isWhole(value, 1, 86_400) ? undefined : "whole seconds from 1 to 86400"),
  weather: (value) =>
    Array.isArray(value) && value.every((kind) => kind === "all" || Object.hasOwn(WEATHER, kind))
      ? undefined
      : `a list of all, ${WEATHER_KINDS.join(", ")}`,
  why: (value) => (typeof value === "string" && value.length > 0 ? undefined : "a sentence"),
};

/** @throws Error with one line that says what is wrong and what is expected. */
export function parseSeedFile(text: string): SeedFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error("expected a JSON object, got something that is no JSON");
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new Error('expected a JSON object like {"seed":1,"why":"…"}');
  }
  if (!Object.hasOwn(json, "seed")) throw new Error("seed: expected a whole number, got nothing");
  for (const [field, value] of Object.entries(json)) {
    if (!Object.hasOwn(FIELDS, field)) {
      throw new Error(`${field}: expected one of the fields ${Object.keys(FIELDS).join(", ")}`);
    }
    const expected = FIELDS[field as keyof SeedFile](value);
    if (expected !== undefined)
      throw new Error(`${field}: expected ${expected}, got ${JSON.stringify(value)}`);
  }
  return json as SeedFile;
}

export function optionsOf({
  seed,
  members,
  scenario,
  search,
  durationS,
  weather,
}: SeedFile): SimulationOptions {
  return {
    seed: BigInt(seed),
    members,
    scenario: scenario === undefined ? undefined : scenarioOf(scenario),
    search: search === undefined ? undefined : searchOf(search),
    durationMs: durationS === undefined ? undefined : 1000 * durationS,
    kinds: weather?.includes("all") ? WEATHER_KINDS : (weather as WeatherKind[] | undefined),
  };
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
