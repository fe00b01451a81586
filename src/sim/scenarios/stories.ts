// One who comes as several: S29 of PITFALLS §3.2. A process starts again in the middle of its join, as Node members do it;
// or somebody tells each observer something else, as only Rust joiners do (PITFALLS B3).

import type { Effect, Machine } from "../../core/doorway.ts";
import { type Endpoint, nodeIdOf } from "../../core/endpoint.ts";
import { type Joiner, type Metadata, PEER_SERVICE } from "../../core/messages.ts";
import { endpointAt } from "../population.ts";
import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";

const FOREIGN_PORT = 90;
const OBSERVERS = 10;
/** Reports, half a second without another variant, and votes. */
const SETTLED_MS = 1000;
const [USUAL, OTHER] = [1, 2];

export const uuidChange: Scenario = {
  name: "S29",
  slug: "uuid-change-in-conf",
  faults:
    "a process starts again and again in the middle of its join, each time with another uuid; or its observers are told different things of it",
  expected: "it is in as one of its incarnations, the same for all, and never as two",
  members: { usual: 6, least: 5, most: 30 },
  run(stage) {
    for (let variant = 1; variant <= 8; variant++) startAgain(stage, variant);
    for (let variant = 1; variant <= 4; variant++) mostRingsHoldOne(stage, variant);
    for (let variant = 1; variant <= 4; variant++) mostRingsComeToHoldOne(stage, variant);
    for (let variant = 1; variant <= 4; variant++) otherMetadata(stage, variant);
    takeAnotherTurn(stage);
  },
};

function startAgain(stage: Stage, variant: number): void {
  const world = stage.newWorld(`variant ${variant}`);
  const processes = world.grow(stage.members);
  const dice = world.dice("restarts");
  world.network.conditions.latencyMs = [1, 40];
  const seeds = processes.map(({ endpoint }) => endpoint);
  let joiner = world.start(9000, { seeds });
  for (let i = dice.between(1, 3); i > 0; i--) {
    world.run(dice.below(400));
    world.crash(joiner);
    world.run(dice.below(50));
    joiner = world.start(9000, { seeds });
  }
  stage.expectAgreement([...processes, joiner], 60_000);
}

function mostRingsHoldOne(stage: Stage, variant: number): void {
  const processes = mixedMesh(
    stage,
    `nine observers are told the same of a joiner, one is not: variant ${variant}`,
  );
  const tell = tellerAt(stage, endpointAt(9000 + variant));
  tell(person(1, USUAL), RINGS);
  stage.world.run(50);
  tell(person(2, USUAL), [variant]);
  expectTaken(stage, processes, endpointAt(9000 + variant), person(1, USUAL));
}

/** Whoever made up its mind before that would take what it happened to hear last. */
function mostRingsComeToHoldOne(stage: Stage, variant: number): void {
  const processes = mixedMesh(
    stage,
    `half of the observers are told otherwise, and two of those think better of it: variant ${variant}`,
  );
  const tell = tellerAt(stage, endpointAt(9000 + variant));
  tell(person(1, USUAL), RINGS.slice(0, 5));
  tell(person(2, USUAL), RINGS.slice(5));
  stage.world.run(200);
  tell(person(1, USUAL), RINGS.slice(5, 7));
  expectTaken(stage, processes, endpointAt(9000 + variant), person(1, USUAL));
}

/** Where all run this library they vote on it, and whoever voted for the other one knows of both. */
function otherMetadata(stage: Stage, variant: number): void {
  const world = stage.newWorld(`the same uuid comes with other metadata to one observer: variant ${variant}`);
  const processes = world.grow(stage.members);
  world.network.conditions.latencyMs = [1, 40];
  const tell = tellerAt(stage, endpointAt(9000 + variant));
  world.watch.excuse(({ invariant }) => invariant === 7); // It brought both.
  tell(person(1, USUAL), RINGS);
  world.run(50);
  tell(person(1, OTHER), [variant]);
  expectTaken(stage, processes, endpointAt(9000 + variant), person(1, USUAL));
}

/** One hears of the rare variant only, and takes that; it finds out, and goes where the others are. */
function takeAnotherTurn(stage: Stage): void {
  const processes = mixedMesh(stage, "one has heard of the variant only that the others do not take");
  const { world } = stage;
  const late = processes[2]!;
  const teller = Array.from({ length: 500 }, (_, i) => endpointAt(9000 + i)).find((node) => {
    const observers = world.head!.observersOf(node);
    return !observers.includes(late.endpoint) && observers.filter((one) => one === observers[0]).length === 1;
  })!;
  const rare = world.head!.observersOf(teller)[0]!;
  world.network.fateOf = ({ to, request }) => {
    if (to !== late.endpoint || request.kind !== "broadcast" || request.gossip.kind !== "alerts")
      return "pass";
    return request.gossip.sender === rare ? "pass" : "drop";
  };
  const tell = tellerAt(stage, teller);
  tell(person(1, USUAL), RINGS.slice(1));
  tell(person(2, USUAL), [0]);
  const others = processes.filter((process) => process !== late);
  world.until("all have taken it in", () => processes.every(({ view }) => view!.has(teller)), SETTLED_MS);
  world.network.fateOf = undefined;
  stage.expect(
    others.every(({ view }) => view!.id !== late.view!.id && view!.id === others[0]!.view!.id),
    "one to be elsewhere, and all others in one configuration",
  );
  world.until("it is where the others are", () => late.view!.id === others[0]!.view!.id, 5000);
  stage.expect(
    processes.every(({ cuts }) => cuts.every(({ degraded }) => !degraded)),
    "nobody to give up and join anew",
  );
}

const RINGS: readonly number[] = Array.from({ length: OBSERVERS }, (_, ring) => ring);

/** One of the members does not say that it runs this library, so that all vote as Rust members do, on addresses alone. */
function mixedMesh(stage: Stage, title: string): readonly Process[] {
  const world = stage.newWorld(title);
  const some = world.grow(stage.members - 1);
  const foreign = world.start(FOREIGN_PORT, { seeds: [some[0]!.endpoint], isForeign: true });
  world.until("all agree", () => world.agree([...some, foreign]), 5000);
  world.network.conditions.latencyMs = [1, 40];
  return [...some, foreign];
}

function person(uuid: number, zone: number): Joiner {
  const metadata: Metadata = { [PEER_SERVICE]: Uint8Array.of(0x31), zone: Uint8Array.of(zone) };
  return { uuid: nodeIdOf(7n, BigInt(uuid)), metadata };
}

/**
 * Somebody at this address who only asks: tells the observers on these rings who it is. That members may come to know it
 * by different uuids is laid to its account.
 */
function tellerAt({ world }: Stage, at: Endpoint): (joiner: Joiner, rings: readonly number[]) => void {
  const { id: configuration, members } = world.head!;
  const observers = world.head!.observersOf(at);
  const calls: Effect[] = [];
  const machine: Machine = { step: () => calls.splice(0), wakeAt: Infinity };
  const teller = world.start(at, { seeds: [members[0]!], makeMachine: () => machine, model: "teller" });
  let call = 0;
  return (joiner, rings) => {
    for (const ring of rings) {
      call += 1;
      const request = { kind: "join", sender: at, configuration, ring, ...joiner } as const;
      calls.push({ kind: "call", call, to: observers[ring]!, request, timeoutMs: 5000 });
    }
    teller.feed({ kind: "wake" });
  };
}

function expectTaken(
  stage: Stage,
  processes: readonly Process[],
  at: Endpoint,
  { uuid, metadata }: Joiner,
): void {
  stage.world.until("all have taken it in", () => processes.every(({ view }) => view!.has(at)), SETTLED_MS);
  stage.expect(new Set(processes.map(({ view }) => view!.id)).size === 1, "all to be in one configuration");
  const record = processes[0]!.view!.recordOf(at)!;
  const isRight = record.uuid === uuid && record.metadata.zone![0] === metadata.zone![0];
  stage.expect(isRight, "it to be in as most of its observers say");
  stage.expectUnaided(processes);
}
