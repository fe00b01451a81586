// Whole members around the quorum: something has to be decided, and exactly the votes that make or break the quorum are
// late, promises overtake votes or the other way round, and a partition falls between what was promised and what is voted
// for. Then the sky clears, and all must agree.

import type { Millis } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { type Gossip, keyOf } from "../../core/messages.ts";
import type { Letter } from "../call.ts";
import type { Fate } from "../network.ts";
import type { Process } from "../process.ts";
import type { Stage } from "../scenario.ts";
import { simulateStage } from "../simulation.ts";
import type { Stream } from "../streams.ts";
import type { World } from "../world.ts";
import { Lanes } from "./lanes.ts";
import type { Search } from "./search.ts";

const TROUBLE_MS = 20_000;
const AGREEMENT_MS = 180_000;
const SIZES = { usual: 0, least: 3, most: 9 };

/** How late the messages of one kind are. */
type Mood = (dice: Stream) => Millis;
const MOODS: readonly Mood[] = [
  () => 0,
  () => 0,
  (dice) => dice.below(50),
  (dice) => (dice.chance(0.3) ? dice.below(1500) : 0),
  (dice) => (dice.chance(0.5) ? dice.below(8000) : 0),
  (dice) => (dice.chance(0.1) ? Infinity : 0),
];
const KINDS = ["alerts", "fastAccepted", "prepare", "promise", "accept", "accepted"] as const;

function run(stage: Stage): void {
  const { world } = stage;
  const dice = world.dice("quorum edge");
  const processes = world.grow(dice.between(SIZES.least, SIZES.most));
  world.harmAll();
  const trouble = new Trouble(world, dice, processes.length);
  world.network.fateOf = (letter) => trouble.fateOf(letter);
  cause(world, dice, processes);
  world.run(TROUBLE_MS);
  world.heal();
  world.network.fateOf = () => "pass";
  world.until("all who live agree", () => world.agree(), AGREEMENT_MS);
}

/** Gives the members something to decide, or several things at once. */
function cause(world: World, dice: Stream, processes: readonly Process[]): void {
  const spare = Math.ceil(processes.length / 2) - 1;
  const victims = processes.slice(0, dice.below(spare + 1));
  const seeds = processes.slice(victims.length).map(({ endpoint }) => endpoint);
  world.crash(...victims);
  const joiners = dice.between(victims.length === 0 ? 1 : 0, 2);
  for (let i = 0; i < joiners; i++) {
    world.later(dice.below(1200), () => void world.start(100 + i, { seeds }));
  }
}

class Trouble {
  readonly #world: World;
  readonly #dice: Stream;
  readonly #lanes: Lanes;
  readonly #moods: ReadonlyMap<string, Mood>;
  readonly #quorum: number;
  readonly #lateMs: Millis;
  /** Receiver and value → how many votes for it went there. */
  readonly #votes = new Map<string, number>();
  readonly #cutsAt: Gossip["kind"] | undefined;
  #cuts: number;

  constructor(world: World, dice: Stream, members: number) {
    this.#world = world;
    this.#dice = dice;
    this.#lanes = new Lanes(
      () => world.now,
      (gossip, to) => this.#delay(gossip, to),
    );
    this.#moods = new Map(KINDS.map((kind) => [kind, dice.pick(MOODS)]));
    // What comes after these votes is late: none where that is more than there are members.
    this.#quorum = dice.chance(0.6) ? Math.ceil(0.75 * members) - 1 : members;
    this.#lateMs = dice.between(500, 15_000);
    this.#cutsAt = dice.chance(0.5) ? dice.pick(["fastAccepted", "prepare", "promise", "accept"]) : undefined;
    this.#cuts = dice.between(1, 2);
  }

  fateOf(letter: Letter): Fate {
    const { from, request } = letter;
    const gossip = request.kind === "broadcast" ? request.gossip : request;
    if (gossip.kind === this.#cutsAt && gossip.sender === from.endpoint && this.#cuts > 0) {
      this.#cuts -= 1;
      this.#cut(from);
    }
    return this.#lanes.fateOf(letter);
  }

  #delay(gossip: Gossip, to: Endpoint): Millis {
    const usual = this.#moods.get(gossip.kind)!(this.#dice);
    if (gossip.kind !== "fastAccepted" && gossip.kind !== "accepted") return usual;
    const key = `${to} ${gossip.kind} ${keyOf(gossip.value)}`;
    const before = this.#votes.get(key) ?? 0;
    this.#votes.set(key, before + 1);
    return before < this.#quorum ? usual : this.#lateMs;
  }

  /** From a moment later on, whoever says this is cut off, alone or with others. */
  #cut(process: Process): void {
    const world = this.#world;
    const afterMs = this.#dice.below(10);
    const forMs = this.#dice.between(500, 12_000);
    const isInbound = this.#dice.chance(0.3);
    world.later(afterMs, () => {
      const others = world.living.filter((one) => one !== process);
      const some = [process, ...others.splice(0, this.#dice.below(Math.ceil(others.length / 2)))];
      if (isInbound) world.block(others, some);
      else world.partition(some, others);
      world.later(forMs, () => {
        world.unblock(some, others);
        world.unblock(others, some);
      });
    });
  }
}

export const quorumEdge: Search = {
  name: "quorum-edge",
  about:
    "whole members of which exactly the votes around the quorum are late, with partitions between promise and vote",
  run: (options) => simulateStage({ name: "quorum-edge", members: SIZES, run }, options),
};
