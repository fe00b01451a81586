// S7: the smallest mesh that can lose a member.

import type { Scenario } from "../scenario.ts";

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
    const survivors = [first!, second!];
    world.until("both survivors agree", () => world.agree(survivors), 16_000);
    stage.expect(first!.cut!.kicked.join() === victim!.endpoint, "one cut that removes the dead one");
  },
};
