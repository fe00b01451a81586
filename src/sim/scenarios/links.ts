// Links that fail in part: one way, between two, around one member. S13, S14, S15 of PITFALLS §3.2. What is cut off
// decides nothing, and what is well is not harmed.

import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { removedBy } from "../scenario.ts";

const DETECTION_MS = 10_000;
/** Two detection times, after which somebody unstable is accused by all its observers or waited for no more. */
const UNSTABLE_MS = 12_000;

/** One per cent of them, and one at least. */
export function onePerCent(processes: readonly Process[]): readonly Process[] {
  return processes.slice(7, 7 + Math.ceil(processes.length / 100));
}

export const lossyOut: Scenario = {
  name: "S13",
  slug: "one-way-80-out",
  faults: "four in five of the messages that one per cent of the members send are lost",
  expected: "they are removed; healthy ones never",
  members: { usual: 24, least: 10, most: 1000 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    const victims = onePerCent(processes);
    const others = processes.filter((process) => !victims.includes(process));
    for (const victim of victims) world.lose(victim, { outbound: 0.8 });
    const areGone = (): boolean => victims.every(({ endpoint }) => removedBy(others).has(endpoint));
    world.until("they are removed", areGone, 90_000);
    world.run(30_000);
    stage.expectRemoved(others, victims);
  },
};

export const asymmetricPair: Scenario = {
  name: "S14",
  slug: "asymmetric-pair",
  faults: "two members cannot reach each other; all others reach both",
  expected:
    "no change, however many rings of the other each holds; others come and go, in a small mesh after a while",
  members: { usual: 7, quick: 5, least: 3, most: 50 },
  run(stage) {
    for (let size = 3; size <= stage.members; size++) {
      const world = stage.newWorld(`${size} members`);
      const processes = world.grow(size, 100);
      world.partition([processes[0]!], [processes[1]!]);
      stage.expectStandstill(60_000, "one accuser is not enough");
      const joiner = world.start(50, { seeds: [processes[2]!.endpoint] });
      stage.expectAgreement([...processes, joiner], 3 * UNSTABLE_MS);
      stage.expectRemoved(processes, []);
    }
  },
};

export const halfTheObservers: Scenario = {
  name: "S15",
  slug: "half-observers-cut",
  faults: "half of the observers of a member cannot reach it",
  expected:
    "after two detection times the other half accuses it too, and it is removed; joiners come in meanwhile",
  members: { usual: 12, least: 8, most: 60 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    const victim = processes[5]!;
    const observers = [...new Set(victim.view!.observersOf(victim.endpoint))];
    const half = observers.slice(0, Math.floor(observers.length / 2));
    const accusers = half.map((observer) => world.hosts.get(observer)!.process!);
    world.block(accusers, [victim]);
    for (const process of accusers) process.isHarmed = false; // They are well, and nobody has reason to say otherwise.
    world.run(DETECTION_MS - 2000);
    const joiner = world.start(50, { seeds: [processes[0]!.endpoint] });
    const others = processes.filter((process) => process !== victim);
    world.until("it is removed", () => removedBy(others).has(victim.endpoint), DETECTION_MS + UNSTABLE_MS);
    world.until("the joiner is in", () => joiner.isMember, 2 * UNSTABLE_MS);
    stage.expectRemoved(others, [victim]);
    finish(stage, [...processes, joiner]);
  },
};

function finish(stage: Stage, processes: readonly Process[]): void {
  stage.world.heal();
  stage.expectAgreement(processes, 60_000);
}
