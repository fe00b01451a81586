// Named situations that a mesh gets into, each with what must come of it: the table of PITFALLS §3.2. A scenario is code
// that acts on worlds and says what it expects; where no progress is right, it expects that.

import type { Millis } from "../core/doorway.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Wire } from "./network.ts";
import type { MakeMachine, Process } from "./process.ts";
import { nameOf } from "./transcript.ts";
import { World, type WorldOptions } from "./world.ts";

export interface Scenario {
  /** "S4" */
  readonly name: string;
  /** "crash-k-at-once" */
  readonly slug: string;
  readonly faults: string;
  readonly expected: string;
  /** How many members it has where nobody says, or where time is short; and with how many it makes sense. */
  readonly members: {
    readonly usual: number;
    readonly quick?: number;
    readonly least: number;
    readonly most: number;
  };
  run(stage: Stage): void;
}

export interface StageOptions {
  readonly seed: bigint;
  readonly members: number;
  readonly wire?: Wire | undefined;
  readonly makeMachine?: MakeMachine | undefined;
  readonly keepsTranscript?: boolean | undefined;
  readonly dropsKnownCopies?: boolean | undefined;
  readonly isQuick?: boolean | undefined;
}

/** What a member notes that others had to help. */
const AID = /missed|another variant|joining again/;

/** What came about is not what the scenario expects. */
export class UnexpectedOutcome extends Error {}

/** Where a scenario plays: it makes worlds, and is told how many members are wanted. */
export class Stage {
  readonly members: number;
  /** Time is short, as in the tests: hours do instead of days. */
  readonly isQuick: boolean;
  readonly worlds: World[] = [];
  readonly #options: StageOptions;

  constructor(options: StageOptions) {
    this.#options = options;
    this.members = options.members;
    this.isQuick = options.isQuick ?? false;
  }

  /** The world that is played in; the first one where there is none yet. */
  get world(): World {
    return this.worlds[this.worlds.length - 1] ?? this.newWorld();
  }

  /** A fresh world, for one more variant of the same situation. */
  newWorld(title?: string, options: Omit<Partial<WorldOptions>, "seed"> = {}): World {
    const { seed, members: _, isQuick: __, ...ours } = this.#options;
    const world = new World({
      ...ours,
      ...options,
      seed: seed + BigInt(this.worlds.length),
      stopsAtViolation: true,
    });
    this.worlds.push(world);
    if (title !== undefined) world.tell(`== ${title}`);
    return world;
  }

  /** @throws UnexpectedOutcome */
  expect(isSo: boolean, what: string): void {
    if (!isSo) throw new UnexpectedOutcome(`expected ${what}\n${this.world.state()}`);
    this.world.tell(`as expected: ${what}`);
  }

  /** All of these agree within this time. */
  expectAgreement(processes: readonly Process[], withinMs: Millis): void {
    const { world } = this;
    const from = world.now;
    world.until(`${processes.length} members agree`, () => world.agree(processes), withinMs);
    world.tell(`as expected: all ${processes.length} agree, after ${secondsSince(from, world.now)} s`);
  }

  /** Of all that these have seen removed since the world began, nothing is missing and nothing is too much. */
  expectRemoved(seenBy: readonly Process[], removed: readonly Process[]): void {
    const seen = [...removedBy(seenBy)].sort();
    const wanted = [...new Set(removed.map(({ endpoint }) => endpoint))].sort();
    const names = wanted.length === 0 ? "nobody" : wanted.map(nameOf).join(" ");
    this.expect(seen.join() === wanted.join(), `${names} to be removed, and nobody else`);
  }

  /** Each of these took every view by itself: nobody had to be told what it had missed, or to join anew. */
  expectUnaided(processes: readonly Process[]): void {
    const isAided = ({ cuts, notes }: Process): boolean =>
      cuts.some(({ degraded }) => degraded) || notes.some((note) => AID.test(note));
    const aided = processes.filter(isAided).map(({ endpoint }) => nameOf(endpoint));
    this.expect(aided.length === 0, `nobody to need help${aided.map((name) => ` ${name}`).join("")}`);
  }

  /** For as long as this takes, nobody takes a view: there is no progress, and that is right. */
  expectStandstill(ms: Millis, why: string): void {
    const { history } = this.world.watch;
    const before = history.changes;
    this.world.run(ms);
    this.expect(history.changes === before, `no view change for ${ms / 1000} s: ${why}`);
  }
}

/** All whom these processes have seen removed. */
export function removedBy(processes: readonly Process[]): ReadonlySet<Endpoint> {
  return new Set(processes.flatMap(({ cuts }) => cuts.flatMap(({ kicked }) => kicked)));
}

function secondsSince(from: Millis, to: Millis): string {
  return ((to - from) / 1000).toFixed(1);
}
