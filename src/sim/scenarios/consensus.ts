// Members of two minds, and coordinators that duel or die. S25, S26, S27, S28 of PITFALLS §3.2.

import type { Endpoint } from "../../core/endpoint.ts";
import type { Letter } from "../call.ts";
import type { Fate } from "../network.ts";
import { endpointAt } from "../population.ts";
import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";
import type { World } from "../world.ts";

const DETECTION_MS = 10_000;

/** The gossip of a broadcast that its first sender sends. */
function utterance({ from, request }: Letter) {
  if (request.kind !== "broadcast" || request.gossip.sender !== from.endpoint) return undefined;
  return request.gossip;
}

export const joinsAndCrashes: Scenario = {
  name: "S25",
  slug: "joins-and-leaves",
  faults:
    "ten join and five crash so that reports about all of them fall into one batch; some make up their mind early",
  expected:
    "all joiners are in, all dead are out, in cuts that may mix both; nobody is lost by a larger cut than its own",
  members: { usual: 20, least: 12, most: 100 },
  run(stage) {
    const world = stage.newWorld("in one batch");
    const processes = world.grow(stage.members);
    const victims = processes.slice(2, 7);
    world.crash(...victims);
    world.run(5900);
    const seeds = world.living.map(({ endpoint }) => endpoint);
    const joiners = Array.from({ length: 10 }, (_, i) => world.start(100 + i, { seeds }));
    const survivors = processes.filter((process) => !victims.includes(process));
    stage.expectAgreement([...survivors, ...joiners], 60_000);
    stage.expectRemoved(survivors, victims);
    for (let variant = 1; variant <= 4; variant++) announceEarly(stage, variant, "in time");
    announceEarly(stage, 5, "never");
    announceEarly(stage, 6, "never, nor what was decided");
    announceEarly(stage, 7, "never, nor what was decided", "beside one that seems to run the crate");
  },
};

/** What one that made up its mind too soon comes to know of the joiner that its vote does not name. */
type Told = "in time" | "never" | "never, nor what was decided";

/**
 * One makes up its mind about the first of two joiners, and the others about both (PITFALLS B1). Beside members that may
 * never tell it what it missed it joins anew; among Node members it waits until it is told, for its vote may be needed.
 */
function announceEarly(stage: Stage, variant: number, told: Told, beside?: string): void {
  const title = `one has announced the first of two joiners already, variant ${variant}: told ${told}`;
  const world = stage.newWorld(beside === undefined ? title : `${title}, ${beside}`);
  const processes = [...world.grow(8)];
  if (beside !== undefined) {
    processes.push(world.start(90, { seeds: [processes[0]!.endpoint], isForeign: true }));
    world.until("all agree", () => world.agree(processes), 5000);
  }
  const { head } = world;
  const first = endpointAt(50 + variant);
  // Without its reports the first joiner is unstable for the others, until the second one has come.
  const slow = head!.members.find((node) => head!.ringsHeld(node, first).length >= 2)!;
  const early = processes.find(({ endpoint }) => endpoint !== slow && endpoint !== processes[0]!.endpoint)!;
  // As an observer of the second joiner it would know of it from itself.
  const second = Array.from({ length: 200 }, (_, i) => endpointAt(100 + i)).find(
    (node) => head!.ringsHeld(early.endpoint, node).length === 0,
  )!;
  const begin = world.now;
  world.network.fateOf = ({ from, to, request }): Fate => {
    const { now } = world;
    if (to === early.endpoint) return told !== "in time" && isAbout(request, second) ? "drop" : "pass";
    if (from === early && request.kind === "compare")
      return told === "never, nor what was decided" ? "drop" : "pass";
    const isLate = isAbout(request, first) && senderOf(request) === slow && now < begin + 400;
    return isLate ? { delayMs: begin + 400 - now } : "pass";
  };
  const seeds = [processes[0]!.endpoint];
  const joiners = [world.start(first, { seeds })];
  world.run(200);
  joiners.push(world.start(second, { seeds }));
  if (told === "in time") {
    stage.expectAgreement([...processes, ...joiners], 400);
    stage.expectUnaided(processes);
    return;
  }
  if (told === "never, nor what was decided") {
    if (beside === undefined) world.run(10_000);
    else world.until("it gives up, since it cannot go on", () => early.cut!.degraded, 3000);
    world.network.fateOf = undefined;
    if (beside !== undefined) beLetInByOne(stage, early);
  }
  stage.expectAgreement([...processes, ...joiners], DETECTION_MS);
  stage.expect(
    early.cuts.some(({ degraded }) => degraded) === (beside !== undefined),
    "it to join anew where nobody may ever tell it, and only there",
  );
}

/**
 * It is removed, and the votes that let it in again reach one member alone. The rest prove to it how they went on without
 * it, which is behind all of them, and no other turn than its own (PITFALLS B3).
 */
function beLetInByOne({ world }: Stage, early: Process): void {
  let one: Endpoint | undefined;
  world.network.fateOf = ({ from, to, request }): Fate => {
    if (world.head?.has(early.endpoint) === false) one ??= world.head.observersOf(early.endpoint)[0]!;
    if (one === undefined) return "pass";
    const isVote = request.kind === "broadcast" && /ccepted$/.test(request.gossip.kind);
    return (isVote && to !== one) || (request.kind === "compare" && from !== early) ? "drop" : "pass";
  };
  world.until("it is in again", () => !early.cut!.degraded, DETECTION_MS);
  world.run(DETECTION_MS);
  world.network.fateOf = undefined;
}

function senderOf(request: Letter["request"]): string | undefined {
  return request.kind === "broadcast" ? request.gossip.sender : undefined;
}

function isAbout(request: Letter["request"], node: string): boolean {
  if (request.kind !== "broadcast" || request.gossip.kind !== "alerts") return false;
  return request.gossip.edges.some((edge) => edge.node === node);
}

export const conflictingProposals: Scenario = {
  name: "S26",
  slug: "conflicting-proposals",
  faults: "two members crash, and each half of the others hears of one of them only",
  expected:
    "no value gets three quarters, so a classic round decides one; both are out in the end, in one history",
  members: { usual: 12, least: 6, most: 60 },
  run(stage) {
    for (let variant = 1; variant <= 4; variant++) {
      const world = stage.newWorld(`variant ${variant}`);
      const [first, second, ...others] = world.grow(stage.members);
      const half = new Set<string>(others.slice(0, others.length / 2).map(({ endpoint }) => endpoint));
      world.network.fateOf = ({ to, request }) =>
        isAbout(request, (half.has(to) ? second! : first!).endpoint) ? "drop" : "pass";
      world.crash(first!, second!);
      world.run(DETECTION_MS);
      world.network.fateOf = () => "pass";
      stage.expectAgreement(others, 90_000);
      stage.expectRemoved(others, [first!, second!]);
    }
  },
};

export const duel: Scenario = {
  name: "S27",
  slug: "coordinator-duel",
  faults:
    "so many crash that only a classic round can decide; coordinators begin all at once, or die when they have chosen",
  expected: "a later round decides, and respects what may have been chosen before",
  members: { usual: 13, least: 9, most: 40 },
  run(stage) {
    for (let variant = 1; variant <= 3; variant++) {
      const world = stage.newWorld(`all begin before they hear of each other, variant ${variant}`);
      const processes = world.grow(stage.members);
      const victims = processes.slice(0, thirdOf(stage));
      world.network.conditions.latencyMs = [50, 400];
      world.crash(...victims);
      stage.expectAgreement(processes.slice(victims.length), 90_000);
    }
    for (let variant = 1; variant <= 3; variant++)
      strike(stage, "accept", `chose a value, variant ${variant}`);
  },
};

export const crashLoop: Scenario = {
  name: "S28",
  slug: "coordinator-crash-loop",
  faults: "each coordinator dies after its Prepare, as long as a majority remains",
  expected: "somebody decides in round 3 or later, where a mesh of Rust members stops for good",
  members: { usual: 13, least: 9, most: 40 },
  run(stage) {
    for (let variant = 1; variant <= 4; variant++) {
      const rounds = strike(stage, "prepare", `prepared, variant ${variant}`);
      stage.expect(rounds >= 3, `a round of 3 or more, and the last was ${rounds}`);
    }
  },
};

function thirdOf({ members }: Stage): number {
  return Math.floor(members / 3);
}

/** Coordinators die in the moment when they say this; answers the highest round. */
function strike(stage: Stage, kind: "prepare" | "accept", when: string): number {
  const world = stage.newWorld(`coordinators die when they have ${when}`);
  const processes = world.grow(stage.members);
  const victims = new Set<Process>(processes.slice(0, thirdOf(stage)));
  // The value that one has chosen may well be decided without it, and then there is no second one.
  let mayDie = kind === "accept" ? 1 : 2;
  let highest = 0;
  world.network.fateOf = (letter): Fate => {
    const gossip = utterance(letter);
    if (gossip?.kind === "prepare") highest = Math.max(highest, gossip.rank.round);
    if (gossip?.kind === kind && mayDie > 0 && !victims.has(letter.from)) {
      mayDie -= 1;
      victims.add(letter.from);
      world.later(2, () => world.crash(letter.from)); // What it said is on its way to some.
    }
    return "pass";
  };
  world.crash(...victims);
  world.until("coordinators have died", () => mayDie === 0, 60_000);
  stage.expectAgreement(survivorsOf(world, processes), 120_000);
  return highest;
}

function survivorsOf(world: World, processes: readonly Process[]): readonly Process[] {
  world.run(10);
  return processes.filter(({ isUp }) => isUp);
}
