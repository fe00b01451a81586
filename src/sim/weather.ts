// What can happen to a mesh, and how a seed draws it. A run has some kinds of weather and not others, each as strong as
// drawn: a fault alone shows other bugs than all faults at once.

import type { Millis } from "../core/doorway.ts";
import type { Stream } from "./streams.ts";

export type WeatherKind =
  | "delays"
  | "stragglers"
  | "lostCalls"
  | "loss"
  | "duplication"
  | "partitions"
  | "oneWayCuts"
  | "flipFlops"
  | "crashes"
  | "powerCuts"
  | "restarts"
  | "freezes"
  | "longFreezes"
  | "wrongClocks"
  | "drift"
  | "joins"
  | "leaves"
  | "rustMembers";

/** Every kind of weather in a sentence. */
export const WEATHER: Readonly<Record<WeatherKind, string>> = {
  delays: "messages take up to a third of a second and overtake each other",
  stragglers: "a few messages take seconds",
  lostCalls: "some probes and join calls are lost",
  loss: "messages of all kinds are lost",
  duplication: "messages arrive twice",
  partitions: "a minority is cut off for a while",
  oneWayCuts: "some hear nothing from others, who hear them",
  flipFlops: "the links of one member come and go",
  crashes: "processes die",
  powerCuts: "hosts vanish with their processes",
  restarts: "processes die and come back at their addresses",
  freezes: "processes stand still for less time than it takes to be removed",
  longFreezes: "processes stand still for up to a minute",
  wrongClocks: "clocks are wrong by up to two hours when a process starts",
  drift: "clocks run up to one per cent too fast or too slow",
  joins: "new members come",
  leaves: "members leave",
  rustMembers: "some members run a model of the Rust peer",
};

export const WEATHER_KINDS: readonly WeatherKind[] = Object.keys(WEATHER) as WeatherKind[];

/** The weather of one run. */
export interface Forecast {
  readonly members: number;
  /** How long it lasts before the sky clears. */
  readonly durationMs: Millis;
  readonly kinds: ReadonlySet<WeatherKind>;
  /** The longest latency; at least the calm one. */
  readonly latencyMs: Millis;
  readonly stragglers: number;
  readonly lostCalls: number;
  readonly loss: number;
  readonly duplication: number;
  /** The mean time between two things that happen to processes or links. */
  readonly gapMs: Millis;
  /** The share of members that do not say that they run this library. */
  readonly foreign: number;
  /** The share of members that run the Rust crate, with its bugs, as a model knows them. */
  readonly rust: number;
  /** All messages pass through the codec. */
  readonly usesWire: boolean;
  /** The network leaves out copies of broadcasts that their target has been given. */
  readonly dropsKnownCopies: boolean;
}

export interface Wishes {
  readonly members?: number | undefined;
  readonly durationMs?: Millis | undefined;
  readonly kinds?: readonly WeatherKind[] | undefined;
}

/** Of so many, everybody hears of everything ten times over, and a view change costs the square of their number. */
const MANY = 12;

export const MEMBERS_MIN = 1;
export const MEMBERS_MAX = 2000;

/** Draws a run; what is wished for is not drawn, and moves nothing else. */
export function forecast(dice: Stream, wishes: Wishes): Forecast {
  const members = drawSize(dice);
  const durationMs = 1000 * dice.between(10, members <= MANY ? 60 : 20);
  const allowed = new Set(wishes.kinds ?? WEATHER_KINDS);
  const kinds = new Set<WeatherKind>();
  for (const kind of WEATHER_KINDS) {
    const blows = kind !== "rustMembers" && dice.chance(0.4);
    if (blows && allowed.has(kind)) kinds.add(kind);
  }
  const drawn = {
    latencyMs: dice.between(10, 300),
    stragglers: dice.between(1, 20) / 1000,
    lostCalls: dice.between(1, 80) / 1000,
    loss: dice.between(1, 100) / 1000,
    duplication: dice.between(1, 500) / 1000,
    gapMs: dice.between(members <= MANY ? 300 : 2000, 8000),
    foreign: dice.chance(0.33) ? dice.between(1, 90) / 100 : 0,
    rust: dice.chance(0.34) ? dice.pick([0.1, 0.3, 0.5, 0.9]) : 0,
    usesWire: dice.chance(0.1),
    dropsKnownCopies: dice.chance(0.2) || members > MANY,
  };
  if (drawn.rust > 0 && allowed.has("rustMembers")) kinds.add("rustMembers");
  const having = (kind: WeatherKind, strength: number, calm = 0): number =>
    kinds.has(kind) ? strength : calm;
  return {
    members: wishes.members ?? members,
    durationMs: wishes.durationMs ?? durationMs,
    kinds,
    latencyMs: having("delays", drawn.latencyMs, 5),
    stragglers: having("stragglers", drawn.stragglers),
    lostCalls: having("lostCalls", drawn.lostCalls),
    loss: having("loss", drawn.loss),
    duplication: having("duplication", drawn.duplication),
    gapMs: drawn.gapMs,
    foreign: drawn.foreign,
    rust: having("rustMembers", drawn.rust),
    usesWire: drawn.usesWire,
    dropsKnownCopies: drawn.dropsKnownCopies,
  };
}

/** Mostly few: small meshes have the same bugs, and show them sooner. */
function drawSize(dice: Stream): number {
  const kind = dice.below(1000);
  const few = dice.between(2, 6);
  const [some, many, most] = [dice.between(7, 12), dice.between(MANY + 1, 30), dice.between(31, 100)];
  return kind < 850 ? few : kind < 970 ? some : kind < 995 ? many : most;
}
