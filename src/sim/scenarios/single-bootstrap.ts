// S1: a member alone.

import type { Scenario } from "../scenario.ts";

export const singleBootstrap: Scenario = {
  name: "S1",
  slug: "single-bootstrap",
  faults: "none",
  expected: "one cut of one member, which does not probe itself",
  members: { usual: 1, least: 1, most: 1 },
  run(stage) {
    const { world } = stage;
    const founder = world.start(1);
    world.run(60_000);
    stage.expect(founder.cuts.length === 1, "one cut");
    stage.expect(founder.view?.size === 1 && founder.isMember, "a configuration of itself alone");
    stage.expect(world.network.messages === 0, "that it says nothing, since nobody is there");
  },
};
