// Who waits at the door of a member that is thrown out itself.

import type { Contacts } from "../../../src/core/messages.ts";
import type { Script } from "../performance.ts";
import { accept, accepted, admit, join, joinerOf, K, rankOf, viewOf } from "../sayings.ts";

export const leftWaiting: Script = {
  name: "left-waiting",
  about:
    "It is removed, with a joiner at its door, and comes back to a mesh that has the joiner (PITFALLS B11, A12)",
  fakes: ["A", "J"],
  seed: "A",
  suits: (at) => viewOf([at("P"), at("A")]).ringsHeld(at("P"), at("J")).length > 0,
  async play(d) {
    const { peer } = d;
    const [a, j] = [d.at("A"), d.at("J")];
    const two = await admit(d, ["A"]);
    const [ring] = two.ringsHeld(peer, j);
    const untilPreJoin = d.untilHeard("its PreJoin", ({ kind }) => kind === "preJoin");

    d.scene("J knocks, and the peer is removed");
    const knock = await d.says("J", join(two.id, j, ring!, joinerOf(8)));
    const rank = rankOf(3, a);
    await d.says("A", d.broadcast(accept(two, a, rank, [peer])));
    await d.says("A", d.broadcast(accepted(two, a, rank, [peer])), untilPreJoin);

    d.scene("It comes back, and J is in by then");
    const one = two.next([peer], new Map());
    const withJ = one.next([j], new Map([[j, joinerOf(8)]]));
    const contacts: Contacts = {
      kind: "contacts",
      sender: a,
      configuration: withJ.id,
      observers: withJ.observersOf(peer).map(() => a),
    };
    await d.answers(
      "A",
      contacts,
      d.untilHeard("its Joins", ({ kind }) => kind === "join", K),
    );
    const { uuid, metadata } = d.asked("join");
    const three = withJ.next([peer], new Map([[peer, { uuid, metadata }]]));
    await d.answers("A", { kind: "joined", sender: a, configuration: three.id, view: three }, d.untilCut());
    await d.probes();
    await d.hangsUp("J", knock);
  },
};
