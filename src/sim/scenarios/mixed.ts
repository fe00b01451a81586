// S40: members that run the Rust crate, with its bugs, among members that run this library.

import type { Checker } from "../checkers/checker.ts";
import type { Process } from "../process.ts";
import { AS_RUST_PEER } from "../rust-peer/rust-peer.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { nameOf } from "../transcript.ts";

const DETECTION_MS = 10_000;
/** A Rust joiner that is stranded asks again after 5 and 7.5 s. */
const STRANDED_MS = 30_000;
const SHARES = [0.1, 0.5, 0.9];

export const mixedMesh: Scenario = {
  name: "S40",
  slug: "mixed-mesh",
  faults:
    "one, half, and nine in ten of the members run the Rust crate; some of both kinds come, crash and leave, and a Rust member is cut off while the others decide",
  expected:
    "Node members never differ from each other, all agree, and the Rust member that was cut off is told what it missed",
  members: { usual: 10, least: 5, most: 40 },
  run(stage) {
    for (const share of SHARES) live(stage, share);
    goByProbes(stage);
  },
};

/** Rust observers know a crash by probes alone; reports that they do not share would hold everybody up (PITFALLS B9b). */
function goByProbes(stage: Stage): void {
  let reports = 0;
  const listener: Checker = {
    uttered(_, gossip) {
      if (gossip.kind === "alerts" && gossip.edges.some(({ join }) => join === undefined)) reports += 1;
    },
  };
  const world = stage.newWorld("a Node member crashes beside one Rust member", { checkers: [listener] });
  const processes = [...world.grow(stage.members - 1)];
  processes.push(world.start(50, { seeds: [processes[0]!.endpoint], ...AS_RUST_PEER }));
  stage.expectAgreement(processes, STRANDED_MS);
  world.run(DETECTION_MS);
  const [victim, ...others] = processes.slice(1);
  world.crash(victim!);
  world.run(world.settings.faultTimeoutMs);
  stage.expect(reports === 0, "nobody to report it before several probes have failed");
  stage.expectAgreement([processes[0]!, ...others], DETECTION_MS);
}

function live(stage: Stage, share: number): void {
  const rustCount = Math.max(1, Math.min(stage.members - 1, Math.round(share * stage.members)));
  const world = stage.newWorld(`${rustCount} of ${stage.members} members run the Rust crate`);
  const founder = world.start(1);
  const seeds = [founder.endpoint];
  const isRust = (i: number): boolean => i >= stage.members - rustCount;
  const members: Process[] = [founder];
  for (let i = 1; i < stage.members; i++) {
    members.push(world.start(1 + i, { seeds, ...(isRust(i) && AS_RUST_PEER) }));
  }
  stage.expectAgreement(members, STRANDED_MS);

  const newcomers = [world.start(50, { seeds }), world.start(51, { seeds, ...AS_RUST_PEER })];
  stage.expectAgreement([...members, ...newcomers], STRANDED_MS);

  const crashed = newcomers[1]!;
  world.crash(crashed);
  const afterCrash = [...members, newcomers[0]!];
  stage.expectAgreement(afterCrash, 2 * DETECTION_MS);

  leaveBehind(stage, afterCrash);
}

/** A Rust member hears nothing while a Node member leaves, for less time than it takes to be removed itself. */
function leaveBehind(stage: Stage, members: readonly Process[]): void {
  const { world } = stage;
  const laggard = members.find(({ model }) => model === "rust")!;
  const leaver = members.at(-1)!;
  const others = members.filter((process) => process !== laggard && process !== leaver);
  world.partition([laggard], [...others, leaver]);
  world.leave(leaver);
  const areOn = (): boolean => others.every(({ view }) => view?.has(leaver.endpoint) === false);
  world.until("the others go on without the one that leaves", areOn, DETECTION_MS);
  world.run(500);
  stage.expect(laggard.view!.has(leaver.endpoint), `${nameOf(laggard.endpoint)} to know nothing of that`);
  world.heal();
  stage.expectAgreement([...others, laggard], 3 * DETECTION_MS);
}
