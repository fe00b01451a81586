// A decision that names somebody the peer has never heard of.

import type { Script } from "../performance.ts";
import { accepted, admit, joinerOf, rankOf, report, reportsOn, viewOf, vote } from "../sayings.ts";

export const panic: Script = {
  name: "panic",
  about: "It dies of a decision that names a joiner unknown to it, and lives on (PITFALLS B1, B4)",
  fakes: ["A", "B", "C", "D", "J"],
  seed: "A",
  suits: (at) => {
    const view = viewOf(["P", "A", "B", "C", "D"].map(at));
    return view.ringsHeld(at("P"), at("D")).length <= 1;
  },
  async play(d) {
    const { peer } = d;
    const [a, b, c, dd, j] = [d.at("A"), d.at("B"), d.at("C"), d.at("D"), d.at("J")];
    const view = await admit(d, ["A", "B", "C", "D"]);

    d.scene("It makes up its mind about D, and hears of J too late");
    await report(d, view, reportsOn(d, view, dd));
    await report(d, view, reportsOn(d, view, j, joinerOf(8)).slice(0, 2));

    d.scene("D is to go and J to come, say the others");
    await d.says("A", d.broadcast(vote(view, a, [dd, j])));
    await d.says("B", d.broadcast(vote(view, b, [dd, j])));
    await d.says("C", d.broadcast(vote(view, c, [dd, j])));
    await d.says("D", d.broadcast(vote(view, dd, [dd, j])));

    d.scene("D is gone and J is not there, in the configuration of old");
    await d.says("A", { kind: "probe" });
    await d.says("A", { kind: "preJoin", sender: j, uuid: joinerOf(8).uuid });
    await d.says("D", d.broadcast(vote(view, dd, [dd])));
    await d.says("D", { kind: "preJoin", sender: dd, uuid: joinerOf(9).uuid });
    await d.says("A", d.broadcast(vote(view, a, [c])));
    await d.probes();

    d.scene("Classic rounds are counted by the members that are left, and kill it again");
    for (const [name, one] of [
      ["A", a],
      ["B", b],
      ["C", c],
    ] as const)
      await d.says(name, d.broadcast(accepted(view, one, rankOf(5, a), [dd])));

    d.scene("It is put out of its misery: all but A are removed");
    const gone = [peer, b, c];
    await d.says("A", d.broadcast(accepted(view, a, rankOf(9, a), gone)));
    await d.says("B", d.broadcast(accepted(view, b, rankOf(9, a), gone)));
    const untilPreJoin = d.untilHeard("its PreJoin", ({ kind }) => kind === "preJoin");
    await d.says("C", d.broadcast(accepted(view, c, rankOf(9, a), gone)), untilPreJoin);
  },
};
