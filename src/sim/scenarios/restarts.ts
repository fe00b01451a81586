// Processes that come back at the address they had. S10, S11, S34, S44 of PITFALLS §3.2: a new incarnation gets in once the
// old one is out, and never are two of them in one view.

import { parseEndpoint } from "../../core/endpoint.ts";
import { endpointAt } from "../population.ts";
import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";
import type { World } from "../world.ts";

const DETECTION_MS = 10_000;
/** Two configurations that can both go on: what is to be noticed here, and mended. */
const SECOND_MESH = 15;

/** Everybody else. */
function seedsFor(world: World, process: Process) {
  return world.living.map(({ endpoint }) => endpoint).filter((endpoint) => endpoint !== process.endpoint);
}

export const founderRestarts: Scenario = {
  name: "S10",
  slug: "seed-restart-same-addr",
  faults:
    "the founder dies and starts again at its address, with the others as seeds; once while others join",
  expected: "it joins the mesh that it founded, and founds no second one",
  members: { usual: 5, least: 3, most: 50 },
  run(stage) {
    for (const joining of [0, 3]) {
      const world = stage.newWorld(joining === 0 ? "alone" : `while ${joining} join`);
      const [founder, ...others] = world.grow(stage.members);
      const joiners = Array.from({ length: joining }, (_, i) =>
        world.start(100 + i, { seeds: [founder!.endpoint, others[0]!.endpoint] }),
      );
      world.crash(founder!);
      const back = world.restart(founder!, { seeds: others.map(({ endpoint }) => endpoint) });
      stage.expectAgreement([back, ...others, ...joiners], 60_000);
    }
    foundAgain(stage, false);
    foundAgain(stage, true);
  },
};

/**
 * Started again as it was, without seeds, it founds a mesh, and has to find out that it is not the only one. Beside Rust
 * members it is missed by probes alone, and is elsewhere for as long.
 */
function foundAgain(stage: Stage, isBesideForeign: boolean): void {
  const beside = isBesideForeign ? ", and one of the others does not say that it runs this library" : "";
  const world = stage.newWorld(`as it was, without anybody to ask${beside}`);
  world.watch.excuse(({ invariant }) => invariant === SECOND_MESH);
  const processes = [...world.grow(stage.members)];
  if (isBesideForeign) {
    processes.push(world.start(90, { seeds: [endpointAt(1)], isForeign: true }));
    world.until("all agree", () => world.agree(processes), 5000);
  }
  const [founder, ...others] = processes;
  world.run(5000);
  const back = world.restart(founder!, { seeds: [] });
  back.isHarmed = true;
  stage.expectAgreement([back, ...others], 3 * DETECTION_MS);
  // One of theirs is in another mesh, which is no reason for them to leave this one.
  stage.expectUnaided(others);
}

export const restartInWindow: Scenario = {
  name: "S11",
  slug: "restart-same-address-in-window",
  faults: "a machine fails and is back with its process after a second, before anybody missed it",
  expected: "it is told that its host exists until the old incarnation is removed, and is in right after",
  members: { usual: 6, least: 4, most: 50 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    const victim = processes[3]!;
    const others = processes.filter((process) => process !== victim);
    world.powerOff(victim);
    world.run(1000);
    const back = world.restart(victim, { seeds: seedsFor(world, victim) });
    world.run(1000);
    stage.expect(back.cuts.length === 0, "it to be kept out while its old incarnation is in");
    stage.expect(/host already exists/.test(back.notes.at(-1) ?? ""), "it to say why");
    stage.expectAgreement([...others, back], 2 * DETECTION_MS);
    const { cuts } = others[0]!;
    stage.expect(
      cuts
        .slice(-2)
        .map(({ joined, kicked }) => `-${kicked}+${joined}`)
        .join() === `-${victim.endpoint}+,-+${victim.endpoint}`,
      "one cut that removes the old incarnation, and one that lets the new one in",
    );
    backAtOnce(stage);
    backBesideRust(stage);
  },
};

/** Its address is never without a process, so no connection is refused: what answers there is another one (PITFALLS B5). */
function backAtOnce(stage: Stage): void {
  const world = stage.newWorld("it is back at once, and nobody finds its address without a process");
  const processes = world.grow(stage.members);
  world.run(5000);
  const victim = processes[3]!;
  const others = processes.filter((process) => process !== victim);
  const back = world.restart(victim, { seeds: seedsFor(world, victim) });
  // One probe tells; three would have to fail.
  stage.expectAgreement([...others, back], 2 * world.settings.faultTimeoutMs);
}

/** Rust observers go by probes alone, so those must fail until the old incarnation is out (PITFALLS B12). */
function backBesideRust(stage: Stage): void {
  const world = stage.newWorld(
    "it is back at once, and one of the others does not say that it runs this library",
  );
  const processes = [
    ...world.grow(stage.members - 1),
    world.start(90, { seeds: [endpointAt(1)], isForeign: true }),
  ];
  world.until("all agree", () => world.agree(processes), 5000);
  const victim = processes[3]!;
  const others = processes.filter((process) => process !== victim);
  const back = world.restart(victim, { seeds: seedsFor(world, victim) });
  stage.expectAgreement([...others, back], 2 * DETECTION_MS);
}

export const rollingRestart: Scenario = {
  name: "S34",
  slug: "rolling-restart",
  faults: "each of twenty members is restarted, one every three seconds",
  expected: "all are in again: strikes are carried over from view to view, and no uuid is used twice",
  members: { usual: 20, least: 5, most: 60 },
  run(stage) {
    const { world } = stage;
    for (const process of world.grow(stage.members)) {
      world.crash(process);
      world.restart(process, { seeds: seedsFor(world, process) });
      world.run(3000);
    }
    stage.expectAgreement(world.living, 90_000);
    const uuids = world.head!.uuids.length;
    stage.expect(uuids === 2 * stage.members, `one more uuid for each of them, and there are ${uuids}`);
  },
};

export const tlsFlip: Scenario = {
  name: "S44",
  slug: "tls-flag-flip",
  faults: "a process restarts at its address with TLS, where it had none",
  expected: "that is another identity: it joins at once, and the old one is removed by failing probes",
  members: { usual: 5, least: 4, most: 50 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    const victim = processes[2]!;
    const others = processes.filter((process) => process !== victim);
    world.crash(victim);
    const seeds = seedsFor(world, victim);
    const secured = world.start(parseEndpoint(victim.endpoint, true)!, { seeds });
    stage.expectAgreement([...others, secured], 2 * DETECTION_MS);
    stage.expectRemoved(others, [victim]);
  },
};
