// A member that is removed when nobody else is left.

import type { Contacts } from "../../../src/core/messages.ts";
import type { Script } from "../performance.ts";
import { accepted, admit, join, joinerOf, K, rankOf, viewOf, vote } from "../sayings.ts";

export const emptiedFounder: Script = {
  name: "emptied-founder",
  about:
    "A lone founder is removed, and founds its mesh once more, as who it was (PROTOCOL §15; PITFALLS B10)",
  fakes: ["A"],
  async play(d) {
    const { peer } = d;
    const a = d.at("A");

    d.scene("It is alone");
    await d.waits(d.untilCut());
    const [asked] = await d.says("A", { kind: "preJoin", sender: a, uuid: joinerOf(1).uuid });
    const { configuration: id } = asked!.reply as Contacts;

    d.scene("It hears that it is gone");
    await d.says("P's name", d.broadcast(accepted({ id }, peer, rankOf(2, peer), [peer])), d.untilCut());
    await d.says("A", { kind: "probe" });
    await d.says("A", { kind: "preJoin", sender: a, uuid: joinerOf(1).uuid });
    await d.says("P's name", d.broadcast(vote({ id }, peer, [peer])), d.untilCut());

    d.scene("A is let in, and that is another mesh");
    const all = Array.from({ length: K }, (_, ring) => join(id, a, ring, joinerOf(1)));
    await d.says("A", all, d.untilCut());
    await d.probes();
  },
};

export const emptiedMember: Script = {
  name: "emptied-member",
  about: "All members are removed, and one that came through a seed asks its seed again (PROTOCOL §15)",
  fakes: ["A", "B"],
  seed: "A",
  suits: (at) =>
    viewOf([at("A"), at("B")])
      .observersOf(at("P"))
      .includes(at("B")),
  async play(d) {
    const { peer } = d;
    const view = await admit(d, ["A", "B"]);
    const all = [peer, d.at("A"), d.at("B")];
    const untilPreJoin = d.untilHeard("its PreJoin", ({ kind }) => kind === "preJoin");

    d.scene("All three are to go");
    await d.says("A", d.broadcast(vote(view, d.at("A"), all)));
    await d.says("B", d.broadcast(vote(view, d.at("B"), all)));
    await d.says("P's name", d.broadcast(vote(view, peer, all)), untilPreJoin);
  },
};
