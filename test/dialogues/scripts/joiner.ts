// A joiner: whom it asks, what it makes of the answers, and what it has to say meanwhile.

import type { Contacts } from "../../../src/core/messages.ts";
import { refuse } from "../../../src/core/refusals.ts";
import type { Script } from "../performance.ts";
import { alerts, K, uuidOf, viewOf, vote } from "../sayings.ts";

export const joiner: Script = {
  name: "joiner",
  about: "A joiner, with all kinds of answers to what it asks (PROTOCOL §8; PITFALLS A3, B3, B12)",
  fakes: ["A", "B", "C", "D"],
  seed: "A",
  metadata: { zone: "north" },
  suits: (at) => new Set(viewOf(["A", "B", "C", "D"].map(at)).observersOf(at("P"))).size >= 3,
  async play(d) {
    const { peer } = d;
    const [a, b, c] = [d.at("A"), d.at("B"), d.at("C")];
    const before = viewOf(["A", "B", "C", "D"].map((name) => d.at(name)));
    const observers = before.observersOf(peer);
    const askers = [...new Set(observers)].map((one) => d.names.of(one));
    const contacts: Contacts = { kind: "contacts", sender: a, configuration: before.id, observers };
    const untilPreJoin = d.untilHeard("its PreJoin", ({ kind }) => kind === "preJoin");
    const untilJoins = (count: number) => d.untilHeard("its Joins", ({ kind }) => kind === "join", count);

    d.scene("Nobody answers in time, and who speaks to it meanwhile waits");
    await d.waits(untilPreJoin);
    await d.says("B", { kind: "probe" });
    await d.says("B", { kind: "preJoin", sender: b, uuid: uuidOf(7) });
    await d.says("B", d.broadcast(vote(before, b, [c])));
    await d.waits(untilPreJoin);

    d.scene("It is refused, told of nobody, and told of a configuration that is over");
    await d.answers("A", refuse.hostExists, untilPreJoin);
    await d.answers("A", { ...contacts, observers: [] }, untilPreJoin);
    await d.answers("A", { ...contacts, configuration: 7n }, untilJoins(K));
    for (const [i, name] of askers.entries()) {
      await d.answers(name, refuse.wrongConfiguration, i < askers.length - 1 ? undefined : untilPreJoin);
    }

    d.scene("It is told of nine observers, one of whom lets it in; the id it is told is not looked at");
    await d.answers("A", { ...contacts, observers: observers.slice(0, K - 1) }, untilJoins(K - 1));
    await d.says("B", { kind: "probe" });
    const { uuid, metadata } = d.asked("join");
    const view = before.next([peer], new Map([[peer, { uuid, metadata }]]));
    await d.says("B", d.broadcast(vote(view, b, [c])));
    const [first, ...others] = askers;
    await d.answers(others[0]!, refuse.joinPending);
    await d.answers(first!, { kind: "joined", sender: d.at(first!), configuration: 7n, view }, d.untilCut());
    await d.probes();
    const report = view.observersOf(c).indexOf(b);
    if (report >= 0) await d.says("B", d.broadcast(alerts(view, b, [{ node: c, ring: report }])));

    d.scene(
      "All but A are removed, itself included. It comes again, and is let into a mesh without it, twice",
    );
    const gone = ["P", "B", "C", "D"].map((name) => d.at(name));
    for (const name of ["A", "C", "D"]) await d.says(name, d.broadcast(vote(view, d.at(name), gone)));
    await d.says("P's name", d.broadcast(vote(view, peer, gone)), untilPreJoin);
    await d.says("B", { kind: "probe" });
    const alone = view.next(gone, new Map());
    const again: Contacts = { ...contacts, configuration: alone.id, observers: alone.observersOf(peer) };
    for (const _ of [1, 2]) {
      await d.answers("A", again, untilJoins(K));
      await d.answers("A", { kind: "joined", sender: a, configuration: alone.id, view: alone }, untilPreJoin);
    }
    await d.answers("A", again, untilJoins(K));
    const both = alone.next([peer], new Map([[peer, { uuid: d.asked("join").uuid, metadata }]]));
    await d.answers("A", { kind: "joined", sender: a, configuration: both.id, view: both }, d.untilCut());
    await d.says("B", { kind: "probe" });
    await d.probes();
  },
};
