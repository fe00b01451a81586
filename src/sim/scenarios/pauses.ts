// Processes that stand still, and clocks that are wrong. S20, S21, S24 of PITFALLS §3.2.

import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";
import type { World } from "../world.ts";

const HOUR_MS = 3_600_000;
const DETECTION_MS = 10_000;

export const slowNode: Scenario = {
  name: "S20",
  slug: "slow-node",
  faults: "one member stands still for 3 s, 30 s, 10 min, as after SIGSTOP",
  expected: "3 s: nothing; longer: it is removed, learns of it when it goes on, and comes back",
  members: { usual: 8, least: 4, most: 50 },
  run(stage) {
    const world = stage.newWorld("for 3 s");
    const processes = world.grow(stage.members);
    world.freeze(processes[3]!);
    world.later(3000, () => world.thaw(processes[3]!));
    stage.expectStandstill(30_000, "three seconds are not enough to miss three probes");
    for (const seconds of [30, 600]) sleep(stage, seconds);
    refuseForAMoment(stage);
    sleepUnreached(stage);
    sleepThroughHistory(stage);
  },
};

/** Nobody remembers any more what ended the view that it is in, so that it cannot be led on from there. */
function sleepThroughHistory(stage: Stage): void {
  const { world, processes, sleeper, others } = asleep(
    stage,
    "while the others go through eighty views, and nothing that was said to it is kept",
  );
  world.partition([sleeper], others);
  stage.expectAgreement(others, 2 * DETECTION_MS);
  for (let i = 0; i < 40; i++) {
    const guest = world.start(50, { seeds: [others[0]!.endpoint] });
    world.until("a guest is in", () => world.agree([...others, guest]), 5000);
    world.leave(guest);
    world.until("the guest is gone", () => world.agree(others), 5000);
  }
  world.heal();
  world.thaw(sleeper);
  stage.expectAgreement(processes, 3 * DETECTION_MS);
}

function sleep(stage: Stage, seconds: number): void {
  const { world, processes, sleeper, others } = asleep(stage, `for ${seconds} s`);
  stage.expectAgreement(others, 2 * DETECTION_MS);
  world.run(1000 * seconds - DETECTION_MS);
  world.thaw(sleeper);
  stage.expectAgreement(processes, 2 * DETECTION_MS);
  stage.expect(
    sleeper.cuts.some(({ degraded }) => degraded),
    "the sleeper to have seen its removal",
  );
  stage.expectRemoved(others, [sleeper]);
}

/** As behind a proxy that starts again: only several refusals in a row say that a process is gone. */
function refuseForAMoment(stage: Stage): void {
  const world = stage.newWorld("its connections break, and it takes no new ones for 150 ms");
  const busy = world.grow(stage.members)[3]!;
  world.run(5000);
  world.network.refusing.add(busy.endpoint);
  world.network.disconnect(busy);
  world.later(150, () => world.network.refusing.delete(busy.endpoint));
  stage.expectStandstill(10_000, "it answers whoever probes it");
}

/** What was said to it meanwhile is lost: it has nothing to read when it wakes, and must be told. */
function sleepUnreached(stage: Stage): void {
  const { world, processes, sleeper, others } = asleep(
    stage,
    "for 10 min, and nothing that was said to it is kept",
  );
  world.partition([sleeper], others);
  stage.expectAgreement(others, 2 * DETECTION_MS);
  world.run(600_000);
  world.heal();
  world.thaw(sleeper);
  stage.expectAgreement(processes, 6 * DETECTION_MS);
}

/** A mesh of which one member stands still from now on. */
function asleep(
  stage: Stage,
  what: string,
): {
  readonly world: World;
  readonly processes: readonly Process[];
  readonly sleeper: Process;
  readonly others: readonly Process[];
} {
  const world = stage.newWorld(what);
  const processes = world.grow(stage.members);
  const sleeper = processes[3]!;
  world.freeze(sleeper);
  return { world, processes, sleeper, others: processes.filter((process) => process !== sleeper) };
}

export const stallStorm: Scenario = {
  name: "S21",
  slug: "event-loop-stall-storm",
  faults: "all members stand still for up to 1.5 s, again and again",
  expected: "nobody is removed: three probes in a row are not lost that way",
  members: { usual: 12, least: 2, most: 100 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    const dice = world.dice("stalls");
    const rest = (process: Process): void => {
      world.later(dice.below(4000), () => {
        world.freeze(process);
        process.isHarmed = false; // So short a rest is nobody's reason to remove it.
        world.later(dice.below(1500), () => {
          world.thaw(process);
          rest(process);
        });
      });
    };
    for (const process of processes) rest(process);
    stage.expectStandstill(120_000, "nobody misses three probes in a row");
    stallTogether(stage);
  },
};

/** As on a machine that is short of CPU: then an answer that does not come in time says nothing about who owes it. */
function stallTogether(stage: Stage): void {
  const world = stage.newWorld(
    "all stand still at the same time for 2.2 s, eight times with 4 ms in between",
  );
  const processes = world.grow(stage.members);
  for (let i = 0; i < 8; i++) {
    world.freeze(...processes);
    for (const process of processes) process.isHarmed = false;
    world.run(2200);
    world.thaw(...processes);
    world.run(4);
  }
  world.run(10_000);
  stage.expectRemoved(processes, []);
}

export const wrongClocks: Scenario = {
  name: "S24",
  slug: "clock-jump",
  faults:
    "clocks are wrong by two hours or by fifty, run one per cent too fast or too slow, and differ from process to process",
  expected: "no effect: members measure time from their own start, and the one whose clock is wrong says so",
  members: { usual: 8, least: 4, most: 50 },
  run(stage) {
    for (const hours of [-2, 2, 50]) {
      const world = stage.newWorld(`one clock is ${hours} h ahead`);
      world.hostAt(3).aheadMs = hours * HOUR_MS;
      liveOn(stage, world.grow(stage.members));
    }
    const world = stage.newWorld("all clocks drift, and are hours apart");
    const dice = world.dice("clocks");
    for (let port = 1; port <= stage.members; port++) {
      const host = world.hostAt(port);
      host.aheadMs = 1000 * dice.between(-7200, 7200);
      host.drift = dice.between(-100, 100) / 10_000;
    }
    liveOn(stage, world.grow(stage.members));
    theWrongOneIsTold(stage);
  },
};

function liveOn(stage: Stage, processes: readonly Process[]): void {
  const { world } = stage;
  world.run(60_000);
  stage.expectRemoved(processes, []);
  const [victim, ...others] = [...processes].reverse();
  world.crash(victim!);
  stage.expectAgreement(others, DETECTION_MS);
  const joiner = world.start(60, { seeds: [processes[1]!.endpoint] });
  stage.expectAgreement([...others, joiner], 5000);
}

function theWrongOneIsTold(stage: Stage): void {
  const world = stage.newWorld("one clock is 5 h ahead, and much is said");
  world.hostAt(3).aheadMs = 5 * HOUR_MS;
  const processes = [...world.grow(stage.members)];
  for (let port = 60; port < 64; port++) {
    processes.push(world.start(port, { seeds: [processes[0]!.endpoint] }));
    stage.expectAgreement(processes, 5000);
  }
  const notes = processes.flatMap((process) =>
    process.notes.filter((note) => note.includes("clock")).map((note) => ({ process, note })),
  );
  stage.expect(
    notes.length === 1 && notes[0]!.process === processes[2],
    `one note about a clock, by the one that is wrong, and there were ${notes.length}`,
  );
}
