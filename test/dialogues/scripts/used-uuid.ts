// A joiner with a uuid that a member has.

import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { Script } from "../performance.ts";
import { accepted, admit, alerts, joinerOf, rankOf, report, reportsOn, viewOf, vote } from "../sayings.ts";

export const usedUuid: Script = {
  name: "used-uuid",
  about:
    "It dies of a decision that names a joiner with a used uuid, and of every one after it (PITFALLS B1)",
  fakes: ["A", "B", "C", "D", "J"],
  seed: "A",
  suits: (at) => {
    const view = viewOf(["P", "A", "B", "C", "D"].map(at));
    return view.ringsHeld(at("P"), at("J")).length <= 1;
  },
  async play(d) {
    const j = d.at("J");
    const view = await admit(d, ["A", "B", "C", "D"]);
    const names = ["A", "B", "C", "D"];

    d.scene("J comes as A did");
    await report(d, view, reportsOn(d, view, j, joinerOf(1)));
    for (const name of names.slice(0, 3)) await d.says(name, d.broadcast(vote(view, d.at(name), [j])));

    d.scene("J is half there, in the configuration of old");
    await d.says("A", { kind: "probe" });
    await d.says("J", { kind: "preJoin", sender: j, uuid: joinerOf(9).uuid });
    await d.says("J", d.broadcast(alerts(view, j, [])));

    d.scene("Every decision after it is applied, forgotten, and told to nobody");
    const rank = rankOf(4, d.at("A"));
    const accepts = (name: string, value: readonly Endpoint[]) =>
      d.says(name, d.broadcast(accepted(view, d.at(name), rank, value)));
    for (const name of ["A", "B", "C", "D"]) await accepts(name, [d.at("D")]);
    await d.says("A", d.broadcast(vote(view, d.at("A"), [d.at("D")])));
    await d.says("D", { kind: "preJoin", sender: d.at("D"), uuid: joinerOf(9).uuid });

    d.scene("J is removed, and that kills it too, but the next one is a cut again");
    for (const name of ["A", "B", "C"]) await accepts(name, [j]);
    for (const name of ["A", "B", "C"]) await accepts(name, [d.at("C")]);
    await d.probes();
  },
};
