// A joiner that comes as two, and reports that are implied.

import { bytesOf } from "../model-stage.ts";
import type { Script } from "../performance.ts";
import { admit, joinerOf, report, reportsOn, viewOf, vote } from "../sayings.ts";

export const twoUuids: Script = {
  name: "two-uuids",
  about: "A joiner comes as two, and the last word counts (PITFALLS B3)",
  fakes: ["A", "B", "C", "D", "J", "X"],
  seed: "A",
  metadata: { zone: "north", rack: "7" },
  suits: (at) => viewOf(["P", "A", "B", "C", "D"].map(at)).ringsHeld(at("P"), at("J")).length <= 1,
  async play(d) {
    const j = d.at("J");
    const view = await admit(d, ["A", "B", "C", "D"]);
    const early = joinerOf(8, bytesOf({ zone: "east" }));
    const late = joinerOf(9, bytesOf({ zone: "west", rack: "" }));
    const next = [early, late].map((one) => d.names.configuration(view.next([j], new Map([[j, one]])).id));

    d.scene(`The mesh with the first J is ${next[0]}, that with the second ${next[1]}`);
    await report(d, view, reportsOn(d, view, j, early).slice(0, 4));
    await report(d, view, reportsOn(d, view, j, late).slice(4, 8));
    await report(d, view, reportsOn(d, view, j, early).slice(3, 4));
    await report(d, view, reportsOn(d, view, j, late).slice(8));
    for (const name of ["A", "B"]) await d.says(name, d.broadcast(vote(view, d.at(name), [j])));
    await d.says("C", d.broadcast(vote(view, d.at("C"), [j])), d.untilCut());
    await d.says("J", { kind: "preJoin", sender: j, uuid: early.uuid });
    await d.says("J", { kind: "preJoin", sender: d.at("X"), uuid: early.uuid });
    await d.says("J", { kind: "preJoin", sender: d.at("X"), uuid: late.uuid });
  },
};
