// S2: members that come one after the other.

import type { Scenario } from "../scenario.ts";

export const twoThenThree: Scenario = {
  name: "S2",
  slug: "two-then-three",
  faults: "none; members join in series",
  expected: "1, 2, 3 members, one cut each, with equal ids for all",
  members: { usual: 3, least: 2, most: 100 },
  run(stage) {
    const { world } = stage;
    const processes = [world.start(1)];
    for (let size = 2; size <= stage.members; size++) {
      processes.push(world.start(size, { seeds: [processes[0]!.endpoint] }));
      world.until(`${size} members agree`, () => world.agree(processes), 5000);
    }
    for (const [i, { cuts, endpoint }] of processes.entries()) {
      stage.expect(
        cuts.map(({ view }) => view.size).join() ===
          Array.from({ length: stage.members - i }, (_, n) => i + 1 + n).join(),
        `${endpoint} to have taken one cut for each who came since`,
      );
    }
    stage.expect(world.watch.history.changes === stage.members - 1, "one view change per joiner");
  },
};
