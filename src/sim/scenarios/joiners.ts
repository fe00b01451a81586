// Newcomers to whom something happens on their way in. S8, S30, S31, S37 of PITFALLS §3.2.

import type { Letter } from "../call.ts";
import type { Fate } from "../network.ts";
import { endpointAt } from "../population.ts";
import type { Scenario, Stage } from "../scenario.ts";

const JOINER = 9;
/** Unstable for two detection times, and then for two more. */
const UNSTABLE_MS = 24_000;

export const crashDuringJoin: Scenario = {
  name: "S8",
  slug: "crash-during-join",
  faults:
    "a joiner dies after its PreJoin, or when 1, 2, … 10 of its rings were asked; another joins, a member crashes",
  expected:
    "with few rings nothing comes of it; with nearly all it is let in and then removed; in between it is vouched for or ignored. The other joiner is in and the dead are out in any case",
  members: { usual: 6, least: 4, most: 30 },
  run(stage) {
    for (let reached = 0; reached <= 10; reached++) dieAfter(stage, reached);
  },
};

function dieAfter(stage: Stage, reached: number): void {
  const world = stage.newWorld(`the joiner dies when ${reached} of its rings were asked`);
  const processes = world.grow(stage.members);
  let asked = 0;
  world.network.fateOf = ({ from, request }) => {
    if (from.endpoint !== endpointAt(JOINER) || request.kind !== "join") return "pass";
    const rings = 1 + (request.moreRings?.length ?? 0);
    if (asked + rings > reached) return "drop";
    asked += rings;
    return "pass";
  };
  const joiner = world.start(JOINER, { seeds: [endpointAt(1)] });
  world.run(80);
  world.crash(joiner);
  world.network.fateOf = () => "pass";
  const other = world.start(JOINER + 1, { seeds: [endpointAt(2)] });
  world.crash(processes.at(-1)!);
  stage.expectAgreement([...processes.slice(0, -1), other], 2 * UNSTABLE_MS);
}

export const responseLost: Scenario = {
  name: "S30",
  slug: "joiner-response-lost",
  faults: "all answers that let a joiner in are lost, once briefly and once for a minute",
  expected:
    "it asks again with the same uuid and is let in without ever being removed; or it is removed for not answering, and let in anew",
  members: { usual: 5, least: 3, most: 30 },
  run(stage) {
    lose(stage, "its first answers are lost", 1000, 5000);
    lose(stage, "its answers are lost for 20 s, longer than three probes take", 20_000, 30_000);
    lose(stage, "its answers are lost for a minute", 60_000, 120_000);
  },
};

function lose(stage: Stage, title: string, forMs: number, withinMs: number): void {
  const world = stage.newWorld(title);
  const processes = world.grow(stage.members);
  const joiner = world.start(JOINER, { seeds: [endpointAt(1)] });
  joiner.isHarmed = true;
  const until = world.now + forMs;
  let lost = 0;
  world.network.fateOfReply = ({ from }, reply) => {
    if (from !== joiner || reply.kind !== "joined" || world.now >= until) return "pass";
    lost += 1;
    return "drop";
  };
  stage.expectAgreement([...processes, joiner], withinMs);
  stage.expect(lost > 0, "answers to be lost");
  // It is found well although it does not know yet that it is in.
  if (forMs < 60_000) stage.expectRemoved(processes, []);
}

export const nextViewFirst: Scenario = {
  name: "S31",
  slug: "fast-join-then-next-view",
  faults: "the answers that let a joiner in take a second, and the next view change is decided meanwhile",
  expected:
    "it takes the view that let it in, hears what was said since, and takes the next like everybody else",
  members: { usual: 6, least: 4, most: 30 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    const founder = processes[0]!;
    const joiner = world.start(JOINER, { seeds: [founder.endpoint] });
    world.network.fateOfReply = ({ from }, reply) =>
      from === joiner && reply.kind === "joined" ? { delayMs: 1000 } : "pass";
    const hasJoiner = (): boolean => founder.view!.has(joiner.endpoint);
    world.until("the others have it as a member", hasJoiner, 5000);
    // Only where the joiner itself observes no ring of the next one, which it could not vouch for yet.
    const port = Array.from({ length: 200 }, (_, i) => 50 + i).find(
      (one) => founder.view!.ringsHeld(joiner.endpoint, endpointAt(one)).length <= 1,
    )!;
    const next = world.start(port, { seeds: [founder.endpoint] });
    stage.expectAgreement([...processes, joiner, next], 5000);
    stage.expect(joiner.cuts.length === 2, "the joiner to have taken both views, one after the other");
    stage.expectUnaided([...processes, joiner, next]);
    stage.expectRemoved(processes, []);
  },
};

export const staleContact: Scenario = {
  name: "S37",
  slug: "stale-prejoin",
  faults: "the first seed of a joiner is a member that was removed itself",
  expected: "it is refused quickly and gets in by another",
  members: { usual: 5, least: 4, most: 30 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    const stale = processes.at(-1)!;
    stale.isHarmed = true;
    const isDeaf = ({ to, request }: Letter): Fate =>
      to === stale.endpoint && request.kind === "probe" ? "drop" : "pass";
    world.network.fateOf = isDeaf;
    world.until("it knows that it was removed", () => stale.cut!.degraded, 20_000);
    const joiner = world.start(JOINER, { seeds: [stale.endpoint, processes[1]!.endpoint] });
    world.until("the joiner is in", () => joiner.isMember, 3000);
    world.network.fateOf = () => "pass";
    stage.expectAgreement([...processes, joiner], 60_000);
  },
};
