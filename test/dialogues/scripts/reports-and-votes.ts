// A member of five: how it counts reports and votes, and what it has to say to those who were removed.

import type { Script } from "../performance.ts";
import { accepted, admit, alerts, joinerOf, rankOf, report, reportsOn, viewOf, vote } from "../sayings.ts";

export const reportsAndVotes: Script = {
  name: "reports-and-votes",
  about: "A member of five counts reports and votes (PROTOCOL §12 and §13; PITFALLS B1, B18)",
  fakes: ["A", "B", "C", "D"],
  seed: "A",
  suits: (at) => {
    const view = viewOf(["P", "A", "B", "C", "D"].map(at));
    return view.ringsHeld(at("P"), at("D")).length === 1;
  },
  async play(d) {
    const { peer } = d;
    const [a, b, c, dd] = [d.at("A"), d.at("B"), d.at("C"), d.at("D")];
    const view = await admit(d, ["A", "B", "C", "D"]);
    await d.probes();
    const all = reportsOn(d, view, dd);
    const [first] = all;

    d.scene("Reports that are none");
    const { observer, edge } = first!;
    const other = [a, b, c].find((one) => one !== observer)!;
    await d.says("Other", d.broadcast(alerts(view, other, [edge])));
    await d.says("Outsider", d.broadcast(alerts(view, dd, [{ ...edge, join: joinerOf(9) }])));
    const stranger = reportsOn(d, view, peer)[0]!;
    await d.says(
      "Observer",
      d.broadcast(alerts(view, stranger.observer, [{ ...stranger.edge, join: joinerOf(9) }])),
    );
    await d.says("Observer", d.broadcast(alerts({ id: view.id + 1n }, observer, [edge])));
    await d.says("Observer", d.broadcast(alerts(view, observer, [edge, { ...edge, ring: 10 }])));

    d.scene("Reports below L, between L and H, and at H");
    await report(d, view, all.slice(0, 3));
    await report(d, view, all.slice(0, 3));
    await report(d, view, all.slice(3, 8));
    await d.says("Observer", alerts(view, all[8]!.observer, [all[8]!.edge]));
    await report(d, view, all.slice(0, 1));

    d.scene("Votes");
    await d.says("A", d.broadcast(vote(view, a, [dd])));
    await d.says("A", d.broadcast(vote(view, a, [c])));
    await d.says("B", d.broadcast(vote(view, b, [c])));
    await d.says("C", vote(view, c, [dd]));
    await d.says("D", d.broadcast(vote(view, dd, [dd])), d.untilCut());
    await d.probes();

    d.scene("What is late, and what the removed one hears");
    await d.says("A", d.broadcast(accepted(view, a, rankOf(2, a), [dd])));
    await d.says("D", { kind: "probe" });
    await d.says("D", d.broadcast(vote(view, dd, [c])));
    const next = view.next([dd], new Map());
    await d.says("D", d.broadcast(vote(next, dd, [c])));
    await d.says("D", { kind: "preJoin", sender: dd, uuid: joinerOf(4).uuid });
    await d.says("D", { kind: "preJoin", sender: dd, uuid: joinerOf(5).uuid });
  },
};
