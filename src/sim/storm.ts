// Lets the weather of a forecast loose on a world: one thing after the other happens to processes and links, as drawn, but
// never so much that a majority of the mesh would be gone for good, for then nothing could be demanded of the rest.

import type { Millis } from "../core/doorway.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Letter } from "./call.ts";
import type { Process } from "./process.ts";
import { waitForAll } from "./recovery.ts";
import { AS_RUST_PEER } from "./rust-peer/rust-peer.ts";
import type { Stream } from "./streams.ts";
import type { Forecast, WeatherKind } from "./weather.ts";
import type { World } from "./world.ts";

type Act = (storm: Storm) => void;

/** What happens at single moments; the other kinds are in the air all the time. */
const ACTS: Partial<Record<WeatherKind, Act>> = {
  crashes: (storm) => storm.crash(),
  powerCuts: (storm) => storm.cutPower(),
  restarts: (storm) => storm.restart(),
  freezes: (storm) => storm.freeze(200, 2500),
  longFreezes: (storm) => storm.freeze(3000, 60_000),
  partitions: (storm) => storm.partition(),
  oneWayCuts: (storm) => storm.cutOneWay(),
  flipFlops: (storm) => storm.flipFlop(),
  joins: (storm) => storm.join(),
  leaves: (storm) => storm.leave(),
};

const FIRST_NEW_PORT = 5000;
const PROCESSES_MAX = 400;
/** How many more may live at once than in the beginning: a small mesh stays small. */
const GUESTS_MAX = 8;

export class Storm {
  readonly #world: World;
  readonly #forecast: Forecast;
  readonly #dice: Stream;
  readonly #calls: Stream;
  #nextPort = FIRST_NEW_PORT;
  #isOver = false;

  constructor(world: World, forecast: Forecast) {
    this.#world = world;
    this.#forecast = forecast;
    this.#dice = world.streams.of("storm");
    this.#calls = world.streams.of("lost calls");
  }

  /** The mesh as it is before the first gust. Who founds it is drawn too. */
  gather(): void {
    const world = this.#world;
    const founder = world.start(1, this.#isRust() ? { seeds: [], ...AS_RUST_PEER } : { seeds: [] });
    for (let port = 2; port <= this.#forecast.members; port++) {
      world.start(port, { seeds: [founder.endpoint], ...(this.#isRust() && AS_RUST_PEER) });
    }
    waitForAll(world, 120_000 + 100 * this.#forecast.members);
  }

  /** From the first gust until the sky is about to clear. */
  blow(): void {
    const { durationMs, gapMs, kinds } = this.#forecast;
    const world = this.#world;
    this.#fillTheAir();
    const acts = [...kinds].flatMap((kind) => ACTS[kind] ?? []);
    const end = world.now + durationMs;
    while (world.now < end) {
      world.run(Math.min(this.#dice.below(2 * gapMs), end - world.now));
      if (acts.length > 0 && world.now < end) this.#dice.pick(acts)(this);
    }
  }

  /** All faults end; those who are dead stay so. */
  clear(): void {
    this.#isOver = true;
    const world = this.#world;
    world.heal();
    world.network.fateOf = undefined;
    world.thaw(...world.living);
  }

  crash(): void {
    const victim = this.#victim();
    if (victim !== undefined) this.#world.crash(victim);
  }

  cutPower(): void {
    const victim = this.#victim();
    if (victim !== undefined) this.#world.powerOff(victim);
  }

  restart(): void {
    const victim = this.#victim();
    if (victim === undefined) return;
    const world = this.#world;
    world.crash(victim);
    const downMs = this.#dice.below(15_000);
    world.later(downMs, () => {
      if (victim.host.process === victim) this.#start(victim.endpoint);
    });
  }

  freeze(leastMs: Millis, mostMs: Millis): void {
    const victim = this.#victim();
    const ms = this.#dice.between(leastMs, mostMs);
    if (victim === undefined) return;
    this.#world.freeze(victim);
    this.#world.later(ms, () => this.#world.thaw(victim));
  }

  partition(): void {
    const [some, others] = this.#divide();
    const ms = this.#dice.between(500, 60_000);
    if (some.length === 0) return;
    this.#world.partition(some, others);
    this.#world.later(ms, () => {
      this.#world.unblock(some, others);
      this.#world.unblock(others, some);
    });
  }

  cutOneWay(): void {
    const [some, others] = this.#divide();
    const ms = this.#dice.between(500, 60_000);
    const isInbound = this.#dice.chance(0.5);
    if (some.length === 0) return;
    const [from, to] = isInbound ? [others, some] : [some, others];
    this.#world.block(from, to);
    this.#world.later(ms, () => this.#world.unblock(from, to));
  }

  flipFlop(): void {
    const victim = this.#victim();
    const period = this.#dice.between(1000, 20_000);
    let times = this.#dice.between(2, 6);
    if (victim === undefined) return;
    const world = this.#world;
    const others = world.living.filter((process) => process !== victim);
    const flip = (): void => {
      if (this.#isOver) return;
      times -= 1;
      if (times % 2 === 1) world.partition([victim], others);
      else {
        world.unblock([victim], others);
        world.unblock(others, [victim]);
      }
      if (times > 0) world.later(period, flip);
    };
    flip();
  }

  join(): void {
    const count = this.#dice.between(1, 3);
    const { processes, living } = this.#world;
    if (processes.length >= PROCESSES_MAX || living.length >= this.#forecast.members + GUESTS_MAX) return;
    for (let i = 0; i < count; i++) {
      this.#start(this.#world.hostAt(this.#nextPort).endpoint);
      this.#nextPort += 1;
    }
  }

  /** Rust members know no other way to leave than to be gone. */
  leave(): void {
    const victim = this.#victim();
    if (victim === undefined) return;
    if (victim.model === "node") this.#world.leave(victim);
    else this.#world.crash(victim);
  }

  #isRust(): boolean {
    const { rust } = this.#forecast;
    return rust > 0 && this.#dice.chance(rust);
  }

  #start(endpoint: Endpoint): void {
    const { kinds, foreign } = this.#forecast;
    const host = this.#world.hostAt(endpoint);
    const isRust = this.#isRust();
    // A Rust member whose clock is an hour off hears nobody, or is heard by nobody, and there is no more to learn from it.
    const mostS = isRust ? 1500 : 7200;
    if (kinds.has("wrongClocks")) host.aheadMs = 1000 * this.#dice.between(-mostS, mostS);
    if (kinds.has("drift")) host.drift = this.#dice.between(-100, 100) / 10_000;
    const seeds = this.#world.living.filter((p) => p.isStaying && p.isMember).map((p) => p.endpoint);
    // Nobody founds a second mesh: with nobody to ask there is nothing to join.
    if (seeds.length === 0) return;
    const isForeign = this.#dice.chance(foreign);
    host.isUp = true;
    // A Rust member knows one seed, which may be gone when it asks.
    if (isRust) this.#world.start(endpoint, { seeds: [this.#dice.pick(seeds)], ...AS_RUST_PEER });
    else this.#world.start(endpoint, { seeds, isForeign });
  }

  /** The weather that is there all the time. */
  #fillTheAir(): void {
    const { latencyMs, stragglers, loss, duplication, lostCalls } = this.#forecast;
    const { network } = this.#world;
    network.conditions.latencyMs = [1, latencyMs];
    network.conditions.straggling = stragglers;
    network.conditions.straggleMs = 5000;
    network.conditions.duplication = duplication;
    network.conditions.loss = loss;
    if (stragglers + loss + lostCalls > 0) this.#world.harmAll();
    if (lostCalls > 0) network.fateOf = (letter) => (this.#losesCall(letter) ? "drop" : "pass");
  }

  #losesCall({ request: { kind } }: Letter): boolean {
    if (kind !== "probe" && kind !== "join" && kind !== "preJoin") return false;
    return this.#calls.chance(this.#forecast.lostCalls);
  }

  /** Somebody whom the mesh can do without, if there is one. */
  #victim(): Process | undefined {
    const staying = this.#world.living.filter((process) => process.isStaying && !process.isFrozen);
    const victim = this.#dice.pick(staying);
    return staying.length > 2 && this.#canSpare(1) ? victim : undefined;
  }

  /** In every view that somebody is in, more than half would still be there if so many more went. */
  #canSpare(more: number): boolean {
    const head = this.#world.head;
    const isGoing = (endpoint: Endpoint): boolean => {
      const process = this.#world.hosts.get(endpoint)?.process;
      if (process === undefined || !process.isStaying || process.isFrozen || !process.isMember) return true;
      // A Rust member that was left behind may stay so, and counts for nothing.
      return process.model !== "node" && process.view!.id !== head?.id;
    };
    return this.#world.living.every(({ view }) => {
      if (view === undefined) return true;
      const going = view.members.filter(isGoing).length;
      return 2 * (going + more) < view.size;
    });
  }

  /** A minority, and the rest. */
  #divide(): readonly [some: readonly Process[], others: readonly Process[]] {
    const living = this.#world.living;
    const count = 1 + this.#dice.below(Math.max(1, Math.floor((living.length - 1) / 2)));
    const from = this.#dice.below(living.length);
    const turned = [...living.slice(from), ...living.slice(0, from)];
    return this.#canSpare(count) ? [turned.slice(0, count), turned.slice(count)] : [[], living];
  }
}
