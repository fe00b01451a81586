// Classic rounds: those of others in which the peer is an acceptor, and its own.

import { FAST_RANK, NO_RANK } from "../../../src/core/messages.ts";
import type { Script } from "../performance.ts";
import {
  accept,
  accepted,
  admit,
  prepare,
  promise,
  rankOf,
  report,
  reportsOn,
  viewOf,
  vote,
} from "../sayings.ts";

export const rounds: Script = {
  name: "rounds",
  about: "Classic rounds, those of others and its own (PROTOCOL §14; PITFALLS B2, B6, B8)",
  fakes: ["A", "B", "C", "D", "E"],
  seed: "A",
  suits: (at) => {
    const five = viewOf(["P", "A", "B", "C", "D"].map(at));
    const four = viewOf(["P", "A", "B", "C"].map(at));
    return five.ringsHeld(at("P"), at("D")).length <= 1 && four.ringsHeld(at("P"), at("C")).length <= 1;
  },
  async play(d) {
    const { peer } = d;
    const [a, b, c, dd] = [d.at("A"), d.at("B"), d.at("C"), d.at("D")];
    const five = await admit(d, ["A", "B", "C", "D"]);
    const none = { voted: NO_RANK, value: [] };

    d.scene("It has not voted, and promises");
    await d.says("A", d.broadcast(prepare(five, a, { round: 2, nodeIndex: 5n })));
    await d.says("A", d.broadcast(prepare(five, a, { round: 2, nodeIndex: 5n })));
    await d.says("B", prepare(five, b, { round: 2, nodeIndex: 4n }));
    await d.says("B", prepare(five, b, { round: 2, nodeIndex: 6n }));
    await d.says("A", prepare({ id: five.id + 1n }, a, rankOf(3, a)));
    await d.says("Stranger", prepare(five, d.at("E"), rankOf(3, a)));
    await d.says("A", promise(five, a, rankOf(2, a), none));

    d.scene("It votes all the same, in a round that it has promised to leave behind");
    await report(d, five, reportsOn(d, five, dd));
    await d.says("C", d.broadcast(prepare(five, c, rankOf(4, c))));

    d.scene("It accepts, and counts who accepted");
    await d.says("B", d.broadcast(accept(five, b, { round: 2, nodeIndex: 6n }, [c])));
    await d.says("C", d.broadcast(accept(five, c, rankOf(4, c), [dd])));
    await d.says("C", d.broadcast(accept(five, c, rankOf(4, c), [dd])));
    await d.says("B", d.broadcast(prepare(five, b, { round: 4, nodeIndex: 0n })));
    await d.says("B", d.broadcast(prepare(five, b, rankOf(5, b))));
    await d.says("B", d.broadcast(accept(five, b, rankOf(6, b), [c])));
    await d.says("A", d.broadcast(accepted(five, a, rankOf(6, b), [dd])));
    await d.says("A", d.broadcast(accepted(five, a, rankOf(4, c), [b])));
    await d.says("A", d.broadcast(accepted(five, a, rankOf(4, c), [dd])));
    await d.says("B", d.broadcast(accepted(five, b, rankOf(4, c), [dd])), d.untilCut());
    const four = five.next([dd], new Map());

    d.scene("Its fast round fails, and it coordinates a classic one; A promises twice");
    await report(d, four, reportsOn(d, four, c));
    await d.says("A", d.broadcast(vote(four, a, [b])));
    await d.fallsBack(four.id);
    const own = rankOf(2, peer);
    const voted = { voted: FAST_RANK, value: [b] };
    await d.says("B", promise(four, b, rankOf(2, b), voted));
    await d.says("A", promise(four, a, own, voted));
    await d.says("A", promise(four, a, own, voted));
    await d.says("B", promise(four, b, own, none));
    await d.says("A", d.broadcast(accepted(four, a, own, [c])));
    await d.says("B", d.broadcast(accepted(four, b, own, [c])));
    await d.probes();
  },
};
