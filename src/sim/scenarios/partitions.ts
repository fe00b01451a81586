// Networks that fall apart and come together again. S12, S16, S17, S18, S19, S35 of PITFALLS §3.2, and the link cut of LIVE
// §2.3. Nobody without a majority decides anything, and afterwards everybody is back in one configuration.

import type { Millis } from "../../core/doorway.ts";
import { endpointAt } from "../population.ts";
import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { onePerCent } from "./links.ts";

const DETECTION_MS = 12_000;
/** From the end of a partition until all are together again. */
const REUNION_MS = 60_000;

export const flipFlop: Scenario = {
  name: "S12",
  slug: "one-way-in",
  faults: "one per cent of the members lose all that comes to them for 20 s, hear it for 20 s, and so on",
  expected: "they are removed together, once each time, and come back; the others never go",
  members: { usual: 20, least: 10, most: 1000 },
  run(stage) {
    for (const lateMs of [0, 700, 1300, 1925]) {
      stage.newWorld(`after ${lateMs} ms`);
      flip(stage, lateMs);
    }
  },
};

function flip(stage: Stage, lateMs: Millis): void {
  const { world } = stage;
  const processes = world.grow(stage.members);
  const victims = onePerCent(processes);
  const others = processes.filter((process) => !victims.includes(process));
  for (const process of victims) process.isHarmed = true;
  world.run(lateMs);
  for (let time = 1; time <= 3; time++) {
    const before = cutsOf(others);
    for (const victim of victims) world.lose(victim, { inbound: 1 });
    world.run(20_000);
    stage.expect(cutsOf(others) === before + 1, "one cut that removes them");
    for (const victim of victims) world.lose(victim, {});
    world.run(20_000);
  }
  stage.expectRemoved(others, victims);
  stage.expectAgreement(processes, 60_000);
}

/** The cuts in which these saw somebody go. */
function cutsOf(processes: readonly Process[]): number {
  const cuts = new Set(
    processes.flatMap(({ cuts }) =>
      cuts.filter(({ kicked }) => kicked.length > 0).map(({ view }) => view.id),
    ),
  );
  return cuts.size;
}

export const minority: Scenario = {
  name: "S16",
  slug: "minority-partition",
  faults: "three of ten are cut off for 60 s, and for 150 s",
  expected:
    "the seven remove the three, who decide nothing; afterwards they learn of it and come back, without anybody's help",
  members: { usual: 10, least: 5, most: 100 },
  run(stage) {
    for (const seconds of [60, 150]) {
      const world = stage.newWorld(`for ${seconds} s`);
      const processes = world.grow(stage.members);
      const few = processes.slice(0, Math.floor(0.3 * stage.members));
      const many = processes.slice(few.length);
      world.partition(few, many);
      const before = few.map(({ cuts }) => cuts.length).join();
      stage.expectAgreement(many, DETECTION_MS + 4000);
      world.run(1000 * seconds - DETECTION_MS);
      stage.expect(few.map(({ cuts }) => cuts.length).join() === before, "no decision by the minority");
      world.heal();
      stage.expectAgreement(processes, REUNION_MS);
    }
  },
};

export const evenSplit: Scenario = {
  name: "S17",
  slug: "even-split",
  faults: "five cannot reach the other five for 60 s",
  expected: "no progress on either side, which is right; afterwards all go on together",
  members: { usual: 10, least: 4, most: 100 },
  run: (stage) => split(stage, [0.5, 1]),
};

export const threeWaySplit: Scenario = {
  name: "S18",
  slug: "three-way-split",
  faults: "ten fall apart into four, three and three for 60 s",
  expected: "no progress anywhere, which is right; afterwards all go on together",
  members: { usual: 10, least: 5, most: 100 },
  run: (stage) => split(stage, [0.4, 0.7, 1]),
};

/** Into groups that end at these shares of all members. */
function split(stage: Stage, ends: readonly number[]): void {
  const { world } = stage;
  const processes = world.grow(stage.members);
  const groups = ends.map((end, i) =>
    processes.slice(Math.floor((ends[i - 1] ?? 0) * stage.members), Math.floor(end * stage.members)),
  );
  for (const [i, group] of groups.entries()) {
    for (const other of groups.slice(i + 1)) world.partition(group, other);
  }
  stage.expectStandstill(60_000, "nobody has a majority");
  world.heal();
  // A cut that was proposed meanwhile may still be decided; those whom it removes come back.
  stage.expectAgreement(processes, 180_000);
}

export const nestedPartition: Scenario = {
  name: "S19",
  slug: "nested-partition",
  faults:
    "the network falls apart while the votes about a crash spread, so that some have decided and others have not",
  expected: "what some have decided is the only outcome; the others catch up",
  members: { usual: 8, least: 5, most: 50 },
  run(stage) {
    for (let variant = 0; variant < 6; variant++) {
      const cutAt = 5 + 5 * variant;
      const world = stage.newWorld(`cut at vote ${cutAt}`);
      const processes = world.grow(stage.members);
      const victim = processes.at(-1)!;
      const few = processes.slice(0, Math.floor(0.4 * stage.members));
      let votes = 0;
      world.network.fateOf = ({ request }) => {
        if (request.kind === "broadcast" && request.gossip.kind === "fastAccepted") votes += 1;
        if (votes === cutAt) {
          votes += 1;
          world.partition(few, processes.slice(few.length));
        }
        return "pass";
      };
      world.crash(victim);
      world.run(20_000);
      world.heal();
      stage.expectAgreement(processes.slice(0, -1), REUNION_MS);
    }
    for (let variant = 0; variant < 6; variant++) missVotes(stage, variant);
    stayBehind(stage);
  },
};

/** Most are right, and one who is elsewhere proves nothing to them (PITFALLS E2). */
function stayBehind(stage: Stage): void {
  const world = stage.newWorld("one hears no votes and gets no answers for 12 s");
  const [late, victim, ...others] = world.grow(stage.members);
  world.run(5000);
  world.crash(victim!);
  world.network.fateOf = ({ from, to, request }) => {
    const isVote = to === late!.endpoint && request.kind === "broadcast" && request.gossip.kind !== "alerts";
    return isVote || (from === late && request.kind === "compare") ? "drop" : "pass";
  };
  world.run(12_000);
  world.network.fateOf = undefined;
  stage.expectAgreement([late!, ...others], REUNION_MS);
  stage.expectUnaided(others);
}

/** Too short for anybody to be removed: those who missed the decision are shown what proves it, and stay members. */
function missVotes(stage: Stage, variant: number): void {
  const world = stage.newWorld(`some hear no votes for 3 s, variant ${variant + 1}`);
  const processes = world.grow(stage.members);
  const [victim, ...others] = [...processes].reverse();
  const late = others.slice(variant % 2, 1 + variant);
  const areLate = new Set<string>(late.map(({ endpoint }) => endpoint));
  world.run(5000);
  world.crash(victim!);
  world.network.fateOf = ({ to, request }) =>
    areLate.has(to) && request.kind === "broadcast" && request.gossip.kind !== "alerts" ? "drop" : "pass";
  world.run(3000);
  world.network.fateOf = undefined;
  stage.expectAgreement(others, 3 * world.settings.faultTimeoutMs);
  stage.expect(
    others.every(({ cuts }) => cuts.every(({ degraded }) => !degraded)),
    "nobody to give up and join anew",
  );
}

export const kickStorm: Scenario = {
  name: "S35",
  slug: "kick-storm-rejoin",
  faults:
    "a third of the members is cut off until the others have removed it, and can reach them again in one moment",
  expected: "all of them join again, spread over time, in few view changes",
  members: { usual: 30, least: 9, most: 200 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    const third = processes.slice(0, Math.floor(stage.members / 3));
    const others = processes.slice(third.length);
    world.partition(third, others);
    stage.expectAgreement(others, DETECTION_MS + 10_000);
    world.run(20_000);
    const before = world.watch.history.changes;
    world.heal();
    stage.expectAgreement(processes, REUNION_MS);
    const cuts = world.watch.history.changes - before;
    stage.expect(cuts <= third.length, `no more than one cut for each of them, and there were ${cuts}`);
  },
};

export const shortCut: Scenario = {
  name: "L2",
  slug: "short-cut-during-join",
  faults: "one member is cut off for 1.5 s, or 6.5 s, while a newcomer joins of whom it observes a few rings",
  expected: "all are in one configuration soon after; a Rust member is a zombie from then on (LIVE §2.3)",
  members: { usual: 5, least: 5, most: 5 },
  run(stage) {
    for (const rings of [1, 2, 3]) for (const cutMs of [1500, 6500]) cutDuringJoin(stage, rings, cutMs);
  },
};

function cutDuringJoin(stage: Stage, rings: number, cutMs: number): void {
  const world = stage.newWorld(`for ${cutMs} ms, and it holds ${rings} of the newcomer's rings`);
  const processes = world.grow(stage.members);
  const isolated = processes[2]!;
  const others = processes.filter((process) => process !== isolated);
  const seeds = others.map(({ endpoint }) => endpoint);
  let port = 100;
  while (world.head!.ringsHeld(isolated.endpoint, endpointAt(port)).length !== rings) port += 1;
  const joiner = world.start(port, { seeds });
  world.partition([isolated], [...others, joiner]);
  world.run(cutMs);
  world.heal();
  stage.expectAgreement([...processes, joiner], REUNION_MS);
}
