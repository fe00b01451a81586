// Broadcasts: heard twice, too old, too new, from nobody that is known, and of what is never broadcast.

import { NO_RANK } from "../../../src/core/messages.ts";
import type { Script } from "../performance.ts";
import { admit, alerts, prepare, promise, rankOf, reportsOn, viewOf, vote } from "../sayings.ts";

const HOUR_SECONDS = 3600;

export const broadcasts: Script = {
  name: "broadcasts",
  about: "Broadcasts heard twice, replayed, out of date, and of nobody (PROTOCOL §10; PITFALLS B16, B17)",
  fakes: ["A", "B", "C", "D", "E"],
  seed: "A",
  suits: (at) => viewOf(["P", "A", "B", "C", "D"].map(at)).ringsHeld(at("P"), at("D")).length <= 2,
  async play(d) {
    const { peer } = d;
    const [a, b, c, dd] = [d.at("A"), d.at("B"), d.at("C"), d.at("D")];
    const view = await admit(d, ["A", "B", "C", "D"]);

    d.scene("The same, once more, and another under its id");
    const first = d.broadcast(vote(view, a, [dd]));
    await d.says("A", first);
    await d.says("B", first);
    await d.says("B", { ...first, gossip: vote(view, b, [dd]) });
    await d.says("B", d.broadcast(vote(view, b, [dd])));

    d.scene("Old ones, and ones to come");
    await d.says("C", d.broadcast(vote(view, c, [dd]), -HOUR_SECONDS - 60));
    await d.says("C", d.broadcast(vote(view, c, [dd]), -HOUR_SECONDS + 60));
    const future = d.broadcast(vote(view, c, [dd]), 2 * HOUR_SECONDS);
    await d.says("C", future);
    await d.says("C", future);
    await d.says("C", d.broadcast(vote(view, dd, [dd]), -HOUR_SECONDS * 24 * 365));

    d.scene("Of a stranger, of a configuration to come, and once more when it has come");
    await d.says("Stranger", d.broadcast(vote(view, d.at("E"), [dd])));
    const next = view.next([dd], new Map());
    const early = d.broadcast(vote(next, a, [c]));
    await d.says("A", early);
    await d.says("D", d.broadcast(vote(view, dd, [dd])), d.untilCut());
    await d.says("A", early);
    await d.says("A", vote(next, a, [c]));

    d.scene("A Promise for everybody, in the name of the peer too");
    const none = { voted: NO_RANK, value: [] };
    await d.says("A", d.broadcast(promise(next, a, rankOf(2, peer), none)));
    await d.says("A", d.broadcast(prepare(next, peer, rankOf(2, b))));
    const report = reportsOn(d, next, c)[0]!;
    await d.says("A", d.broadcast(alerts(next, report.observer, [])));
  },
};
