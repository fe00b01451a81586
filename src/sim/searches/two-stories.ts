// Two stories of a joiner: the same address asks to be let in with different uuids or metadata, through different observers
// or the same, while reports are late. Members vote on addresses, so all must come to know it as the same one (PITFALLS B3).

import type { Millis } from "../../core/doorway.ts";
import { type NodeId, nodeIdOf } from "../../core/endpoint.ts";
import type { Join, Metadata } from "../../core/messages.ts";
import { PEER_SERVICE } from "../../core/messages.ts";
import { endpointAt } from "../population.ts";
import type { Process } from "../process.ts";
import type { Stage } from "../scenario.ts";
import { simulateStage } from "../simulation.ts";
import type { Stream } from "../streams.ts";
import type { World } from "../world.ts";
import { Lanes } from "./lanes.ts";
import type { Search } from "./search.ts";

const JOINER = 900;
const SIZES = { usual: 0, least: 2, most: 8 };
const AGREEMENT_MS = 120_000;

interface Story {
  readonly uuid: NodeId;
  readonly metadata: Metadata;
}

function run(stage: Stage): void {
  const { world } = stage;
  const dice = world.dice("two stories");
  const processes = world.grow(dice.between(SIZES.least, SIZES.most));
  world.network.conditions.latencyMs = [1, dice.pick([5, 40, 300])];
  const [share, mostMs] = [dice.pick([0, 0.2, 0.5]), dice.pick([100, 700, 2500])];
  const lanes = new Lanes(
    () => world.now,
    ({ kind }) => (kind === "alerts" && dice.chance(share) ? dice.below(mostMs) : 0),
  );
  world.network.fateOf = (letter) => lanes.fateOf(letter);
  world.harmAll();
  const comers = dice.chance(0.5) ? tellStories(world, dice, processes) : startAgain(world, dice, processes);
  world.run(8000);
  world.heal();
  world.network.fateOf = () => "pass";
  const all = [...processes, ...comers()];
  world.until(`${all.length} members agree`, () => world.agree(all), AGREEMENT_MS);
}

/** Nobody real: at the joiner's address is one who only asks, and is removed in the end since it answers nobody. */
function tellStories(world: World, dice: Stream, processes: readonly Process[]): () => readonly Process[] {
  const silent = { step: () => [], wakeAt: Infinity };
  const seeds = [processes[0]!.endpoint];
  const teller = world.start(JOINER, { seeds, makeMachine: () => silent, model: "teller" });
  const stories = drawStories(dice);
  const { id: configuration } = world.head!;
  const observers = world.head!.observersOf(teller.endpoint);
  const withinMs: Millis = dice.pick([20, 300, 1500]);
  for (const [ring, to] of observers.entries()) {
    for (let times = dice.chance(0.2) ? 2 : 1; times > 0; times--) {
      const join: Join = {
        kind: "join",
        sender: teller.endpoint,
        configuration,
        ring,
        ...dice.pick(stories),
      };
      world.later(dice.below(withinMs), () => void world.network.call(teller, to, join, 5000, () => {}));
    }
  }
  return () => [];
}

function drawStories(dice: Stream): readonly Story[] {
  const metadata = (zone: number): Metadata => ({
    [PEER_SERVICE]: Uint8Array.of(0x31),
    zone: Uint8Array.of(zone),
  });
  const isOnePerson = dice.chance(0.3);
  return Array.from({ length: dice.between(2, 3) }, (_, i) => ({
    uuid: nodeIdOf(7n, isOnePerson ? 0n : BigInt(i)),
    metadata: metadata(isOnePerson ? i : 0),
  }));
}

/** A process that dies and starts again in the middle of its join, as under a supervisor. */
function startAgain(world: World, dice: Stream, processes: readonly Process[]): () => readonly Process[] {
  const seeds = processes.map(({ endpoint }) => endpoint);
  world.start(endpointAt(JOINER), { seeds });
  for (let i = dice.between(1, 3); i > 0; i--) {
    world.run(dice.below(900));
    world.crash(world.hostAt(JOINER).process!);
    world.run(dice.below(100));
    world.start(endpointAt(JOINER), { seeds });
  }
  return () => [world.hostAt(JOINER).process!];
}

export const twoStories: Search = {
  name: "two-stories",
  about:
    "one address asks to be let in as several, by uuid or metadata, through different observers, while reports are late",
  run: (options) => simulateStage({ name: "two-stories", members: SIZES, run }, options),
};
