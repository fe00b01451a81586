// Members that die: few, many, half of all, one after the other. S4, S5, S6, S7, S32, S33, S36 of PITFALLS §3.2, and the
// crash of LIVE §2.1 that stops a mesh of Rust members for good.

import type { Endpoint } from "../../core/endpoint.ts";
import type { Checker } from "../checkers/checker.ts";
import { endpointAt } from "../population.ts";
import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";

/** Detection, and what several rounds may take. */
const WITHIN_MS = 120_000;
/** Three probes in a row, one period to begin with, and a vote. */
const DETECTION_MS = 10_000;

export const crashKAtOnce: Scenario = {
  name: "S4",
  slug: "crash-k-at-once",
  faults: "1, 2, 3, a quarter, and just less than half of the members crash at once",
  expected: "up to a quarter: one cut with all of them; up to just below half: all are out in a few cuts",
  members: { usual: 20, least: 5, most: 2000 },
  run(stage) {
    const most = Math.floor((stage.members - 1) / 2);
    const counts = new Set([1, 2, 3, Math.floor(stage.members / 4), most].filter((k) => k >= 1 && k <= most));
    for (const count of [...counts].sort((a, b) => a - b)) crash(stage, count);
    justThreeQuarters(stage);
  },
};

function crash(stage: Stage, count: number): void {
  const world = stage.newWorld(`${count} of ${stage.members} crash`);
  const processes = world.grow(stage.members);
  const victims = processes.slice(-count);
  const survivors = processes.slice(0, -count);
  const before = world.watch.history.changes;
  world.run(10_000);
  world.crash(...victims);
  stage.expectAgreement(survivors, WITHIN_MS);
  stage.expectRemoved(survivors, victims);
  const cuts = world.watch.history.changes - before;
  const most = count <= stage.members / 4 ? 1 : 3;
  stage.expect(cuts <= most, `${most === 1 ? "one cut" : "few cuts"}, and there were ${cuts}`);
}

/** The three that are left of four are just three quarters of them, as Rust members count too. */
function justThreeQuarters(stage: Stage): void {
  let rounds = 0;
  const listener: Checker = {
    uttered(_, { kind }) {
      if (kind === "prepare") rounds += 1;
    },
  };
  const world = stage.newWorld("1 of 4 crashes", { checkers: [listener] });
  const [victim, ...others] = world.grow(4);
  world.run(10_000);
  world.crash(victim!);
  stage.expectAgreement(others, WITHIN_MS);
  stage.expect(rounds === 0, "three quarters to decide in the fast round");
}

export const crashHalf: Scenario = {
  name: "S5",
  slug: "crash-half",
  faults: "half of the members and more stand still, and go on where they stood; or they die",
  expected:
    "no progress, which is right, and no split; all go on together when enough of them are back, and never if not",
  members: { usual: 10, least: 4, most: 50 },
  run(stage) {
    for (const count of [Math.ceil(stage.members / 2), Math.ceil(0.7 * stage.members)]) {
      const world = stage.newWorld(`${count} of ${stage.members} stand still`);
      const processes = world.grow(stage.members);
      const asleep = processes.slice(-count);
      world.freeze(...asleep);
      stage.expectStandstill(60_000, "those who are left are no majority");
      // Whom the others proposed to remove may be removed yet, and comes back.
      world.harmAll();
      world.thaw(...asleep);
      stage.expectAgreement(processes, 180_000);
    }
    const world = stage.newWorld("half of them die");
    const processes = world.grow(stage.members);
    world.crash(...processes.slice(-Math.ceil(stage.members / 2)));
    stage.expectStandstill(300_000, "those who are left are no majority");
  },
};

export const twoNodeCrash: Scenario = {
  name: "S6",
  slug: "two-node-crash",
  faults: "one of two crashes",
  expected:
    "no progress, which is right: the survivor cannot know which of them is cut off, and keeps a view of two",
  members: { usual: 2, least: 2, most: 2 },
  run(stage) {
    const { world } = stage;
    const [survivor, victim] = world.grow(2);
    world.run(10_000);
    world.crash(victim!);
    stage.expectStandstill(300_000, "one of two is no majority");
    stage.expect(survivor!.view!.size === 2 && survivor!.isMember, "the survivor to keep its view of two");
    const back = world.restart(victim!, { seeds: [survivor!.endpoint] });
    stage.expectStandstill(30_000, "who comes back as another has no vote");
    stage.expect(back.cuts.length === 0, "the newcomer to be kept out while its address is a member");
  },
};

export const threeNodeCrash: Scenario = {
  name: "S7",
  slug: "three-node-crash",
  faults: "one of three crashes",
  expected:
    "three votes would be needed in the fast round, so a classic one decides soon after the death is found",
  members: { usual: 3, least: 3, most: 3 },
  run(stage) {
    const { world } = stage;
    const [first, second, victim] = world.grow(3);
    world.run(10_000);
    world.crash(victim!);
    stage.expectAgreement([first!, second!], 16_000);
    stage.expect(first!.cut!.kicked.join() === victim!.endpoint, "one cut that removes the dead one");
  },
};

export const allButOneCrash: Scenario = {
  name: "S32",
  slug: "all-but-one-crash",
  faults: "four of five crash",
  expected: "no progress, which is right; the survivor is as it was",
  members: { usual: 5, least: 3, most: 100 },
  run(stage) {
    const { world } = stage;
    const [survivor, ...victims] = world.grow(stage.members);
    const cuts = survivor!.cuts.length;
    world.crash(...victims);
    stage.expectStandstill(300_000, "one is no majority");
    stage.expect(
      survivor!.isUp && survivor!.isMember && survivor!.cuts.length === cuts,
      "the survivor to be as it was",
    );
  },
};

export const cascadingCrash: Scenario = {
  name: "S33",
  slug: "cascading-crash",
  faults: "one crashes every seven seconds, until eight of twenty are left",
  expected: "the mesh shrinks step by step, and the quorum follows",
  members: { usual: 20, least: 9, most: 60 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    for (const victim of processes.slice(8).reverse()) {
      world.crash(victim);
      world.run(7000);
    }
    stage.expectAgreement(processes.slice(0, 8), 3 * DETECTION_MS);
    stage.expectRemoved(processes.slice(0, 8), processes.slice(8));
    loseWhileOthersChange(stage);
  },
};

/** Its host answers nothing, so that probes have to fail, three in a row; and no view lasts for as long as that takes. */
function loseWhileOthersChange(stage: Stage): void {
  const world = stage.newWorld("one loses power, while another comes and goes every second");
  const processes = world.grow(6);
  const [victim, ...others] = [...processes].reverse();
  world.run(5000);
  world.powerOff(victim!);
  const isOut = (): boolean => others.every(({ view }) => !view!.has(victim!.endpoint));
  const port = portHeldBy(stage, victim!, 0); // It can come and go without the one that is lost.
  const until = world.now + DETECTION_MS;
  while (world.now < until && !isOut()) {
    const guest = world.start(port, { seeds: [others[0]!.endpoint] });
    world.run(500);
    world.leave(guest);
    world.run(500);
  }
  stage.expect(isOut(), "strikes to be carried over from view to view, so that it is out in ten seconds");
}

export const correlatedRings: Scenario = {
  name: "S36",
  slug: "crash-with-correlated-rings",
  faults:
    "in a mesh of sequential ports, a member crashes together with the two that hold the most of its rings",
  expected: "all three are out: what the dead owe each other is implied",
  members: { usual: 16, least: 8, most: 200 },
  run(stage) {
    for (let which = 1; which <= 5; which++) {
      const world = stage.newWorld(`member ${which} and two of its observers crash`);
      const processes = world.grow(stage.members, 7000);
      const view = world.head!;
      const victim = processes[which]!;
      const held = (observer: string): number =>
        view.observersOf(victim.endpoint).filter((one) => one === observer).length;
      const observers = [...new Set(view.observersOf(victim.endpoint))].sort((a, b) => held(b) - held(a));
      const victims = [
        victim,
        ...observers.slice(0, 2).map((observer) => world.hosts.get(observer)!.process!),
      ];
      world.crash(...victims);
      const survivors = world.living;
      stage.expectAgreement(survivors, 2 * DETECTION_MS);
      stage.expectRemoved(survivors, victims);
    }
    loseAllObservers(stage);
  },
};

/** Nobody is left who would tell it anything, unless others look past the dead. */
function loseAllObservers(stage: Stage): void {
  const world = stage.newWorld("all that observe one member crash");
  const processes = world.grow(Math.max(20, stage.members), 7000);
  world.run(5000);
  const view = world.head!;
  const few = (node: Endpoint): number => new Set(view.observersOf(node)).size;
  const [lonely] = [...view.members].sort((a, b) => few(a) - few(b));
  const observers = new Set(view.observersOf(lonely!));
  const victims = processes.filter(({ endpoint }) => observers.has(endpoint));
  world.crash(...victims);
  const survivors = world.living;
  stage.expectAgreement(survivors, 2 * DETECTION_MS);
  stage.expectUnaided(survivors);
}

export const countEqualsLow: Scenario = {
  name: "L1",
  slug: "count-equals-low",
  faults:
    "one of four crashes that would observe a newcomer on six of its ten rings, so that just L reports of it come",
  expected:
    "the newcomer is in and the dead one is out; a mesh of Rust members never changes again (LIVE §2.1)",
  members: { usual: 4, least: 4, most: 4 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(4);
    const victim = processes[0]!;
    const port = portHeldBy(stage, victim, 6);
    world.crash(victim);
    const seeds = processes.slice(1).map(({ endpoint }) => endpoint);
    const joiner = world.start(port, { seeds });
    stage.expectAgreement([...processes.slice(1), joiner], DETECTION_MS);
  },
};

/** A port whose newcomer this member would observe on so many rings. */
function portHeldBy({ world }: Stage, member: Process, rings: number): number {
  for (let port = 100; ; port++) {
    if (world.head!.ringsHeld(member.endpoint, endpointAt(port)).length === rings) return port;
  }
}
