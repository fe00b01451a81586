// Messages that are lost, doubled, late and out of order. S22, S23 of PITFALLS §3.2.

import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";
import type { World } from "../world.ts";

const RECOVERY_MS = 180_000;

export const doubledAndLate: Scenario = {
  name: "S22",
  slug: "duplication-reordering-delay",
  faults: "four in five messages arrive twice, all of them out of order and up to ten seconds late",
  expected: "one history; and once the sky is clear, all who live agree and the dead are out",
  members: { usual: 8, least: 3, most: 50 },
  run(stage) {
    const { world } = stage;
    const [victim, ...others] = world.grow(stage.members);
    world.harmAll();
    Object.assign(world.network.conditions, { latencyMs: [1, 10_000], duplication: 0.8 });
    world.tell("messages take up to 10 s, and most arrive twice");
    const joiner = stir(world, victim!);
    world.run(60_000);
    world.heal();
    stage.expectAgreement([...others, joiner], RECOVERY_MS);
  },
};

export const uniformLoss: Scenario = {
  name: "S23",
  slug: "loss",
  faults: "2, 5, 20, 40 per cent of all messages are lost",
  expected: "one history; and once the sky is clear, all who live agree and the dead are out",
  members: { usual: 10, least: 3, most: 50 },
  run(stage) {
    for (const percent of [2, 5, 20, 40]) rain(stage, percent);
    loseEveryThirdProbe(stage);
    loseFirstReports(stage);
  },
};

function loseEveryThirdProbe(stage: Stage): void {
  const world = stage.newWorld("every third probe of one member is lost");
  const victim = world.grow(stage.members)[2]!.endpoint;
  const { faultTimeoutMs } = world.settings;
  world.network.fateOf = ({ to, request }) => {
    const period = Math.floor(world.now / faultTimeoutMs);
    return request.kind === "probe" && to === victim && period % 3 === 0 ? "drop" : "pass";
  };
  stage.expectStandstill(60_000, "never do two in a row fail");
}

/** Observers tell of a joiner again as long as it waits (PITFALLS A8). */
function loseFirstReports(stage: Stage): void {
  const world = stage.newWorld("all that is said of a joiner is lost in the first half of a second");
  const processes = world.grow(stage.members);
  const until = world.now + 500;
  world.network.fateOf = ({ request }) =>
    request.kind === "broadcast" && world.now < until ? "drop" : "pass";
  const joiner = world.start(20, { seeds: [processes[0]!.endpoint] });
  stage.expectAgreement([...processes, joiner], 2000);
}

function rain(stage: Stage, percent: number): void {
  const world = stage.newWorld(`${percent} % are lost`);
  const [victim, ...others] = world.grow(stage.members);
  // From 5 % on, single probes fail so often that two observers may err about the same member, and the others join in.
  if (percent > 2) world.harmAll();
  world.network.conditions.loss = percent / 100;
  world.tell(`${percent} % of all messages are lost`);
  const joiner = stir(world, victim!);
  world.run(60_000);
  world.heal();
  stage.expectAgreement([...others, joiner], RECOVERY_MS);
}

/** Something to decide. */
function stir(world: World, victim: Process): Process {
  world.crash(victim);
  return world.start(20, { seeds: world.living.map(({ endpoint }) => endpoint) });
}
