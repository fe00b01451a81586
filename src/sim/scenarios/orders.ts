// What an operator may order where a majority is gone for good. Not of PITFALLS §3.2; its E9 says what they are for.

import type { DeclareDead, ForceNew, Reply } from "../../core/messages.ts";
import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";
import type { World } from "../world.ts";

const OPERATOR = 66;
const DETECTION_MS = 10_000;
const DECISION_MS = 15_000;
const ORDER_MS = 40_000;

export const declareDead: Scenario = {
  name: "O1",
  slug: "declare-dead",
  faults:
    "half of the members or more die, and an operator declares them dead; also those that were started again, some that live, or too few",
  expected: "the rest goes on as one mesh; an order that is not true, or not needed, changes nothing",
  members: { usual: 5, least: 4, most: 30 },
  run(stage) {
    for (const [size, dead] of [
      [2, 1],
      [4, 2],
      [stage.members, Math.ceil(stage.members / 2)],
      [stage.members, stage.members - 1],
    ] as const) {
      const { world, living, gone } = bereaved(stage, size, dead);
      const reply = order(world, living[0]!, declared(living[0]!, gone));
      stage.expectAgreement(living, DECISION_MS);
      stage.expectRemoved(living, gone);
      world.until("the order is answered", () => reply() !== undefined, DECISION_MS);
      stage.expect(reply()!.kind === "ack", "the operator to be told so");
      stage.expectAgreement([...living, world.start(50, { seeds: [living[0]!.endpoint] })], DETECTION_MS);
    }
    startedAgain(stage);
    refusals(stage);
  },
};

/** A supervisor started the dead again where they had been: nobody can let them in before the old ones are gone. */
function startedAgain(stage: Stage): void {
  const { world, living, gone } = bereaved(stage, stage.members, Math.ceil(stage.members / 2));
  const back = gone.map((process) => world.restart(process, { seeds: [living[0]!.endpoint] }));
  stage.expectStandstill(DETECTION_MS, "those that are back are not those that have to vote");
  const reply = order(world, living[0]!, declared(living[0]!, gone));
  stage.expectAgreement([...living, ...back], 3 * DETECTION_MS);
  world.until("the order is answered", () => reply() !== undefined, DECISION_MS);
  stage.expect(reply()!.kind === "ack", "the operator to be told so");
}

function refusals(stage: Stage): void {
  const { world, living, gone } = bereaved(stage, stage.members, Math.ceil(stage.members / 2));
  const [self, other] = living as [Process, Process];
  const { size } = self.view!;
  expectRefusal(stage, self, declared(self, [...gone, other]), "since one of them lives");
  expectRefusal(stage, self, declared(self, gone.slice(1)), "since one is missing, and does not answer");
  expectRefusal(stage, self, { ...declared(self, gone), configuration: 1n }, "for another configuration");
  const few = world.hosts.get(gone[0]!.endpoint)!.process!;
  if (size - 1 >= self.view!.majority)
    expectRefusal(stage, self, declared(self, [few]), "since it is not needed");
  stage.expect(self.view!.size === size, "nothing to have changed");
}

export const forceNew: Scenario = {
  name: "O2",
  slug: "force-new",
  faults: "most members die, and an operator has one of the rest found a new mesh",
  expected: "it is alone at once, others join it, also those that died and come back",
  members: { usual: 5, least: 4, most: 30 },
  run(stage) {
    const { world, living, gone } = bereaved(stage, stage.members, stage.members - 1);
    const [self] = living as [Process];
    expectRefusal(stage, self, { ...given(self, gone.slice(1)) }, "since one name is missing");
    const reply = order(world, self, given(self, gone));
    world.until("it is alone", () => self.view?.size === 1, DETECTION_MS);
    world.until("the order is answered", () => reply() !== undefined, DECISION_MS);
    stage.expect(reply()!.kind === "ack", "the operator to be told so");
    const back = gone.map((process) => world.restart(process, { seeds: [self.endpoint] }));
    stage.expectAgreement([self, ...back], 3 * DETECTION_MS);
    leftBehind(stage);
  },
};

function leftBehind(stage: Stage): void {
  const { world, living, gone } = bereaved(stage, stage.members, Math.ceil(stage.members / 2));
  const [self, ...others] = living as [Process, ...Process[]];
  order(world, self, given(self, [...others, ...gone]));
  stage.expectAgreement(living, 3 * DETECTION_MS);
}

/** A mesh that has lost so many members that it cannot go on. */
function bereaved(
  stage: Stage,
  size: number,
  dead: number,
): { readonly world: World; readonly living: readonly Process[]; readonly gone: readonly Process[] } {
  const world = stage.newWorld(`${dead} of ${size} die`);
  const processes = world.grow(size);
  const living = processes.slice(0, size - dead);
  const gone = processes.slice(size - dead);
  world.crash(...gone);
  stage.expectStandstill(3 * DETECTION_MS, "too few are left to decide anything");
  // What an order is for is to go on without a quorum, and on a person's word instead of reports.
  world.watch.excuse(({ invariant }) => invariant === 3 || invariant === 20);
  return { world, living, gone };
}

function declared({ view }: Process, dead: readonly Process[]): DeclareDead {
  const configuration = view!.id;
  return { kind: "declareDead", configuration, dead: dead.map(({ endpoint }) => endpoint) };
}

function given({ view }: Process, abandoned: readonly Process[]): ForceNew {
  const configuration = view!.id;
  return { kind: "forceNew", configuration, abandoned: abandoned.map(({ endpoint }) => endpoint) };
}

function expectRefusal(stage: Stage, to: Process, request: DeclareDead | ForceNew, why: string): void {
  const { world } = stage;
  const reply = order(world, to, request);
  world.until("the order is answered", () => reply() !== undefined, ORDER_MS);
  stage.expect(reply()!.kind === "refused", `the order to be refused, ${why}`);
}

/** Sends an order, and answers how to look what came of it. */
function order(world: World, to: Process, request: DeclareDead | ForceNew): () => Reply | undefined {
  const silent = { step: () => [], wakeAt: Infinity };
  const operator =
    world.hosts.get(world.hostAt(OPERATOR).endpoint)?.process ??
    world.start(OPERATOR, { seeds: [to.endpoint], makeMachine: () => silent, model: "operator" });
  let answer: Reply | undefined;
  world.network.call(operator, to.endpoint, request, ORDER_MS, (reply) => {
    answer = reply;
  });
  return () => answer;
}
