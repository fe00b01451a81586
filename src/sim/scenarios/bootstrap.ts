// How a mesh begins, and how it does not: S1, S2, S3, S9, S38, S39.

import { LARGE_MESH } from "../network.ts";
import { endpointAt } from "../population.ts";
import type { Scenario, Stage } from "../scenario.ts";

/** From here on, copies that would only be thrown away are not simulated. */
const LARGE = 200;

export const singleBootstrap: Scenario = {
  name: "S1",
  slug: "single-bootstrap",
  faults: "none",
  expected: "one cut of one member, which does not probe itself",
  members: { usual: 1, least: 1, most: 1 },
  run(stage) {
    const { world } = stage;
    const founder = world.start(1);
    world.run(60_000);
    stage.expect(founder.cuts.length === 1, "one cut");
    stage.expect(founder.view?.size === 1 && founder.isMember, "a configuration of itself alone");
    stage.expect(world.network.messages === 0, "that it says nothing, since nobody is there");
  },
};

export const twoThenThree: Scenario = {
  name: "S2",
  slug: "two-then-three",
  faults: "none; members join in series",
  expected: "1, 2, 3 members, one cut each, with equal ids for all",
  members: { usual: 3, least: 2, most: 100 },
  run(stage) {
    const { world } = stage;
    const processes = [world.start(1)];
    for (let size = 2; size <= stage.members; size++) {
      processes.push(world.start(size, { seeds: [processes[0]!.endpoint] }));
      stage.expectAgreement(processes, 5000);
    }
    for (const [i, { cuts, endpoint }] of processes.entries()) {
      stage.expect(
        cuts.map(({ view }) => view.size).join() ===
          Array.from({ length: stage.members - i }, (_, n) => i + 1 + n).join(),
        `${endpoint} to have taken one cut for each who came since`,
      );
    }
    stage.expect(world.watch.history.changes === stage.members - 1, "one view change per joiner");
  },
};

export const herd: Scenario = {
  name: "S3",
  slug: "herd-1000",
  faults: "a thousand join at one seed within a second",
  expected:
    "all are in after few view changes (the paper's Table 1 has 4 to 8 sizes), and the seed's queues are bounded",
  members: { usual: 1000, quick: 100, least: 2, most: 2000 },
  run(stage) {
    const world = stage.newWorld(undefined, stage.members >= LARGE ? LARGE_MESH : {});
    const founder = world.start(1);
    const processes = [founder];
    const dice = world.dice("herd");
    const starts = Array.from({ length: stage.members - 1 }, () => dice.below(1000)).sort((a, b) => a - b);
    for (const [i, ms] of starts.entries()) {
      world.later(ms, () => processes.push(world.start(2 + i, { seeds: [founder.endpoint] })));
    }
    let waiting = 0;
    const look = (): void => {
      waiting = Math.max(waiting, founder.waiting.size);
      if (!world.agree(processes)) world.later(20, look);
    };
    look();
    world.run(1000);
    stage.expectAgreement(processes, 60_000 + 60 * stage.members);
    const sizes = new Set(processes.flatMap(({ cuts }) => cuts.map(({ view }) => view.size)));
    stage.expect(
      sizes.size <= 8,
      `at most 8 sizes, and there were ${[...sizes].sort((a, b) => a - b).join(" ")}`,
    );
    stage.expect(waiting <= 10 * stage.members, "no joiner to wait at the seed more than once per ring");
    stage.expectRemoved(processes, []);
  },
};

export const seedDies: Scenario = {
  name: "S9",
  slug: "seed-dies-in-bootstrap",
  faults: "the seed crashes while twenty joiners wait, once as the only member and once as one of three",
  expected: "nobody founds a second mesh: with one seed they wait for it, with a second they go on",
  members: { usual: 20, least: 1, most: 100 },
  run(stage) {
    onlySeed(stage);
    secondSeed(stage);
  },
};

function onlySeed(stage: Stage): void {
  const world = stage.newWorld("the only seed dies");
  const founder = world.start(1);
  const joiners = startJoiners(stage, [1]);
  // A step at a time: once all wait, the founder's letting them in is what happens next.
  while (founder.waiting.size < joiners.length && world.elapsed < 1000) world.runNext();
  world.crash(founder);
  stage.expectStandstill(120_000, "the only seed is gone, and nobody else may found a mesh");
  stage.expect(
    joiners.every(({ cuts }) => cuts.length === 0),
    "no joiner to be in a configuration",
  );
}

function secondSeed(stage: Stage): void {
  const world = stage.newWorld("one of three seeds dies");
  const [founder, ...others] = world.grow(3);
  const joiners = startJoiners(stage, [1, 2]);
  world.run(50);
  world.crash(founder!);
  stage.expectAgreement([...others, ...joiners], 60_000);
}

function startJoiners(stage: Stage, seedPorts: readonly number[]) {
  const seeds = seedPorts.map(endpointAt);
  return Array.from({ length: stage.members }, (_, i) => stage.world.start(100 + i, { seeds }));
}

export const mutualSeeds: Scenario = {
  name: "S38",
  slug: "mutual-seeds",
  faults: "two processes have each other as seed, and neither is the founder",
  expected: "no progress, which is right: both say why, and do not wait on each other for ever",
  members: { usual: 2, least: 2, most: 2 },
  run(stage) {
    const { world } = stage;
    const both = [world.start(1, { seeds: [endpointAt(2)] }), world.start(2, { seeds: [endpointAt(1)] })];
    stage.expectStandstill(120_000, "nobody was told to found a mesh");
    for (const { endpoint, notes } of both) {
      stage.expect(
        /cannot join yet, will try again: .*not in a configuration yet/.test(notes.at(-1) ?? ""),
        `${endpoint} to say that its seed is in no mesh`,
      );
    }
    stage.expect(world.network.messages < 400, "that they ask each other with growing pauses");
    const founder = world.start(3);
    const third = world.restart(both[0]!, { seeds: [founder.endpoint] });
    stage.expectAgreement([founder, third, both[1]!], 30_000);
  },
};

export const seedIsSelf: Scenario = {
  name: "S39",
  slug: "seed-is-self",
  faults: "the only seed of a process is its own address",
  expected: "it says that it knows no seed, asks nobody, and founds nothing",
  members: { usual: 1, least: 1, most: 1 },
  run(stage) {
    const { world } = stage;
    const alone = world.start(1, { seeds: [endpointAt(1)] });
    world.run(60_000);
    stage.expect(alone.cuts.length === 0, "no configuration");
    stage.expect(/no seed is known/.test(alone.notes.at(-1) ?? ""), "it to say that no seed is known");
    stage.expect(world.network.messages === 0, "that it asks nobody");
  },
};
