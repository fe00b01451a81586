// S4: several members die at the same moment.

import type { Scenario, Stage } from "../scenario.ts";

/** Detection, and what several rounds may take. */
const WITHIN_MS = 120_000;

export const crashKAtOnce: Scenario = {
  name: "S4",
  slug: "crash-k-at-once",
  faults: "1, 2, 3, a quarter, and just less than half of the members crash at once",
  expected:
    "up to a quarter: one cut with all of them as a rule; up to just below half: all are out in a few cuts",
  members: { usual: 20, least: 5, most: 2000 },
  run(stage) {
    const most = Math.floor((stage.members - 1) / 2);
    const counts = new Set([1, 2, 3, Math.floor(stage.members / 4), most].filter((k) => k >= 1 && k <= most));
    for (const count of [...counts].sort((a, b) => a - b)) crash(stage, count);
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
  world.until(`${survivors.length} survivors agree`, () => world.agree(survivors), WITHIN_MS);
  const cuts = world.watch.history.changes - before;
  stage.expect(cuts <= Math.max(2, Math.ceil(count / 2)), `few cuts, and there were ${cuts}`);
}
