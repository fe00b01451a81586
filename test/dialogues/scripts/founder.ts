// A founder, alone at first, and those who want in.

import type { Contacts } from "../../../src/core/messages.ts";
import type { View } from "../../../src/core/view.ts";
import type { Call } from "../dialogue.ts";
import type { Script } from "../performance.ts";
import { accepted, join, joinerOf, K, rankOf, report, reportsOn, viewOf, vote } from "../sayings.ts";

/** Rings of a joiner that the peer holds beside one other member: some, and not nearly all. */
const SHARED = { least: 2, most: 7 };

export const founder: Script = {
  name: "founder",
  about: "A founder lets in who knocks, and says why not (PROTOCOL §7 and §8; PITFALLS B11)",
  fakes: ["A", "B", "C"],
  suits: (at) => {
    const held = viewOf([at("P"), at("A")]).ringsHeld(at("P"), at("B")).length;
    const ofC = viewOf([at("P"), at("A"), at("B")]).ringsHeld(at("P"), at("C")).length;
    return held >= SHARED.least && held <= SHARED.most && ofC >= SHARED.least && ofC <= SHARED.most;
  },
  async play(d) {
    const { peer } = d;
    const [a, b, c] = [d.at("A"), d.at("B"), d.at("C")];

    d.scene("It is alone");
    await d.waits(d.untilCut());
    await d.says("A", { kind: "probe" });
    const [asked] = await d.says("A", { kind: "preJoin", sender: a, uuid: joinerOf(1).uuid });
    const { configuration: alone } = asked!.reply as Contacts;
    await d.says("A", { kind: "preJoin", sender: peer, uuid: joinerOf(1).uuid });

    d.scene("A joins");
    await d.says("A", join(alone + 1n, a, 0, joinerOf(1)));
    await d.says("A", join(alone, peer, 0, joinerOf(1)));
    await d.says("A", join(alone, a, K, joinerOf(1)));
    const [waits] = await d.says("A", join(alone, a, 0, joinerOf(1)));
    await d.says("A", join(alone, a, 1, joinerOf(1)));
    const rest = Array.from({ length: K - 2 }, (_, i) => join(alone, a, i + 2, joinerOf(1)));
    await d.says("A", rest, d.untilCut());
    const two = viewGivenTo([waits!]);
    await d.probes();

    d.scene("B joins, whom A observes too");
    await d.says("B", { kind: "preJoin", sender: a, uuid: joinerOf(2).uuid });
    await d.says("B", { kind: "preJoin", sender: b, uuid: joinerOf(1).uuid });
    await d.says("B", { kind: "preJoin", sender: b, uuid: joinerOf(2).uuid });
    const held = two.ringsHeld(peer, b);
    await d.says("B", join(two.id, b, two.ringsHeld(a, b)[0]!, joinerOf(2)));
    await d.says("B", join(alone, b, held[0]!, joinerOf(2)));
    const knocks = await d.says(
      "B",
      held.map((ring) => join(two.id, b, ring, joinerOf(2))),
      d.untilHeard("its alerts", ({ kind }) => kind === "broadcast"),
    );
    await report(d, two, reportsOn(d, two, b, joinerOf(2)));
    await d.says("A", d.broadcast(vote(two, a, [b])), d.untilCut());
    await d.probes();

    d.scene("C knocks, gives up, comes as somebody else, and is passed over by a view change");
    const three = viewGivenTo(knocks);
    const [first, second] = three.ringsHeld(peer, c);
    const [waiting] = await d.says("C", join(three.id, c, first!, joinerOf(3)));
    await d.says("C", join(three.id, c, second!, joinerOf(4)));
    await d.hangsUp("C", [waiting!]);
    const again: readonly Call[] = await d.says("C", join(three.id, c, first!, joinerOf(5)));
    const rank = rankOf(3, a);
    await d.says("A", d.broadcast(accepted(three, a, rank, [b])));
    await d.says("B", d.broadcast(accepted(three, b, rank, [b])), d.untilCut());
    const four = three.next([b], new Map());
    await d.says("C", join(four.id, c, four.ringsHeld(peer, c)[0]!, joinerOf(5)));
    await d.hangsUp("C", again);
    await d.says("C", join(four.id, c, four.ringsHeld(peer, c)[0]!, joinerOf(5)));
  },
};

/** The view that one of these calls was answered with. */
function viewGivenTo(calls: readonly Call[]): View {
  for (const { reply } of calls) if (reply?.kind === "joined") return reply.view;
  throw new Error("nobody was let in");
}
