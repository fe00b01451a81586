// Members that leave. S42, S43 of PITFALLS §3.2.

import { endpointAt } from "../population.ts";
import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";

const GONE_MS = 1000;
const DETECTION_MS = 10_000;

export const gracefulLeave: Scenario = {
  name: "S42",
  slug: "graceful-leave",
  faults:
    "one leaves, five leave at once, the seed leaves, one of two leaves, all but one leave one after the other",
  expected: "gone in less than a second, without strikes; where two are left, the leaver votes first",
  members: { usual: 12, least: 12, most: 60 },
  run(stage) {
    leave(stage, "one leaves", stage.members, (all) => [all[4]!]);
    leave(stage, "five leave at once", stage.members, (all) => all.slice(3, 8));
    leave(stage, "the seed leaves", stage.members, (all) => [all[0]!]);
    leave(stage, "one of two leaves", 2, (all) => [all[1]!]);
    leave(stage, "the founder of two leaves", 2, (all) => [all[0]!]);
    oneAfterTheOther(stage);
    unheardAtFirst(stage);
    leaveBeforeJoining(stage);
  },
};

function leaveBeforeJoining(stage: Stage): void {
  const world = stage.newWorld("one leaves that has found nobody yet who could let it in");
  const seeker = world.start(1, { seeds: [endpointAt(2)] });
  world.run(1000);
  world.leave(seeker);
  world.until("it has left", () => seeker.leftAt !== undefined, GONE_MS);
}

function unheardAtFirst(stage: Stage): void {
  const world = stage.newWorld("one leaves, and what it says first is lost");
  const processes = world.grow(stage.members);
  const [leaver, ...others] = processes;
  world.run(5000);
  const until = world.now + 100;
  world.network.fateOf = ({ request }) => (request.kind === "leave" && world.now < until ? "drop" : "pass");
  world.leave(leaver!);
  world.until("it has left", () => leaver!.leftAt !== undefined, GONE_MS);
  stage.expectAgreement(others, GONE_MS);
}

function leave(
  stage: Stage,
  title: string,
  size: number,
  choose: (all: readonly Process[]) => readonly Process[],
): void {
  const world = stage.newWorld(title);
  const processes = world.grow(size);
  const leavers = choose(processes);
  const others = processes.filter((process) => !leavers.includes(process));
  world.run(5000);
  for (const leaver of leavers) world.leave(leaver);
  // Each view change that comes first makes the others ask again.
  const withinMs = GONE_MS * Math.min(2, leavers.length);
  world.until("they have left", () => leavers.every(({ leftAt }) => leftAt !== undefined), withinMs);
  stage.expectAgreement(others, withinMs);
  stage.expect(
    leavers.every(({ wasRemoved }) => wasRemoved === true),
    "those who left to know that they were removed",
  );
}

function oneAfterTheOther(stage: Stage): void {
  const world = stage.newWorld("all but one leave, one after the other");
  let processes = world.grow(5);
  while (processes.length > 1) {
    const [leaver, ...others] = processes;
    world.leave(leaver!);
    stage.expectAgreement(others, GONE_MS);
    processes = others;
  }
}

export const leaveAndCrash: Scenario = {
  name: "S43",
  slug: "leave-and-crash",
  faults: "a member leaves, and an observer of it crashes in the same moment; a third joins",
  expected: "the leave completes, at the latest when probes fail; all others agree",
  members: { usual: 8, least: 5, most: 50 },
  run(stage) {
    for (let variant = 0; variant < 4; variant++) {
      const world = stage.newWorld(`variant ${variant + 1}`);
      const processes = world.grow(stage.members);
      const leaver = processes[1 + variant]!;
      const observer = world.hosts.get(leaver.view!.observersOf(leaver.endpoint)[variant]!)!.process!;
      const others = processes.filter((process) => process !== leaver && process !== observer);
      world.crash(observer);
      world.leave(leaver);
      const joiner = world.start(60, { seeds: others.map(({ endpoint }) => endpoint) });
      world.until("it has left", () => leaver.leftAt !== undefined, 3 * DETECTION_MS);
      stage.expect(leaver.wasRemoved === true, "it to have been removed");
      stage.expectAgreement([...others, joiner], 3 * DETECTION_MS);
    }
  },
};
