// What comes before its time: to a joiner that is not in yet, or to a member that has not taken the view yet (PITFALLS
// B12, B16). It is held, within bounds, and heard then. And who is found well by probes meanwhile.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ack, type FastAccepted, type Gossip } from "../../src/core/messages.ts";
import { refuse } from "../../src/core/refusals.ts";
import { View } from "../../src/core/view.ts";
import { at, VirtualMesh, viewOf } from "../virtual-mesh.ts";
import { batchesAbout } from "./council.ts";
import { gone, LoneMember } from "./lone-member.ts";
import { foreignMetadata, host, hosts, joinerAt, K, nodeMetadata, uuid } from "./sample-views.ts";

const others = hosts(4, 1);

/** The configuration that a member is about to be let into, once it has knocked. */
function nextViewOf(joiner: LoneMember): View {
  const { request } = joiner.lastCall("join");
  const own = request.kind === "join" ? request.uuid : uuid(0);
  const records = [joiner.self, ...others].map((endpoint) => ({ endpoint, metadata: nodeMetadata() }));
  return View.of(K, records, [own, ...others.map((_, i) => uuid(i + 1))]);
}

/** A joiner that waits for its observers. */
function knocking(): LoneMember {
  const joiner = new LoneMember(host(0));
  joiner.feed({ kind: "start" });
  joiner.feed({ kind: "seeds", seeds: others });
  const { call, to } = joiner.lastCall("preJoin");
  joiner.answer(call, {
    kind: "contacts",
    sender: to,
    configuration: 1n,
    observers: new Array(K).fill(host(1)),
  });
  return joiner;
}

function letIn(joiner: LoneMember, view: View): void {
  const { call } = joiner.lastCall("join");
  joiner.answer(call, { kind: "joined", sender: host(1), configuration: view.id, view });
}

/** All that it takes to remove host 4: what observers report, and votes. */
function removal(view: View): readonly Gossip[] {
  const votes = [host(1), host(2), host(3), host(4)].map(
    (sender): FastAccepted => ({ kind: "fastAccepted", sender, configuration: view.id, value: [host(4)] }),
  );
  return [...batchesAbout(view, [host(4)]), ...votes];
}

describe("a joiner", () => {
  it("hears, once it is in, what was said in its configuration before: here a whole next decision (S31)", () => {
    const joiner = knocking();
    const view = nextViewOf(joiner);
    for (const gossip of removal(view)) assert.deepEqual(joiner.hear(gossip), ack);
    assert.equal(joiner.cuts.length, 0);
    letIn(joiner, view);
    const { cuts }: LoneMember = joiner;
    assert.deepEqual(
      cuts.map((cut) => [cut.view.size, cut.kicked]),
      [
        [5, []],
        [4, [host(4)]],
      ],
    );
  });

  it("hears messages that were meant for it alone as well", () => {
    const joiner = knocking();
    const view = nextViewOf(joiner);
    for (const gossip of removal(view)) assert.deepEqual(joiner.ask(gossip), ack);
    letIn(joiner, view);
    assert.equal(joiner.cuts.length, 2);
  });

  it("hears nothing that was said more than 30 s ago", () => {
    const joiner = knocking();
    const view = nextViewOf(joiner);
    for (const gossip of removal(view)) joiner.hear(gossip);
    joiner.now += 30_000;
    letIn(joiner, view);
    assert.equal(joiner.cuts.length, 1);
  });

  it("answers a broadcast that it heard before as redundant, though it has not heard it out", () => {
    const joiner = knocking();
    const broadcast = joiner.broadcast({
      kind: "fastAccepted",
      sender: host(1),
      configuration: 9n,
      value: [host(1)],
    });
    assert.deepEqual(joiner.ask(broadcast), ack);
    assert.deepEqual(joiner.ask(broadcast), refuse.redundant);
  });

  it("tells nobody anything before it has a view", () => {
    const joiner = knocking();
    joiner.hear({ kind: "fastAccepted", sender: host(1), configuration: 9n, value: [host(1)] });
    assert.deepEqual(joiner.sent, []);
  });

  it("is found well by probes once it knocked, and not before", () => {
    const joiner = new LoneMember(host(0));
    joiner.feed({ kind: "start" });
    assert.deepEqual(joiner.probe(), refuse.degraded);
    assert.deepEqual(knocking().probe(), ack);
  });

  it("is not found well once it heard that its host is a member already", () => {
    const joiner = knocking();
    joiner.answer(joiner.lastCall("join").call, refuse.hostExists);
    assert.deepEqual(joiner.probe(), refuse.degraded);
  });

  it("refuses a view whose id is not what its members hash to, loudly (PITFALLS A3)", () => {
    const joiner = knocking();
    const view = nextViewOf(joiner);
    const { call } = joiner.lastCall("join");
    joiner.answer(call, { kind: "joined", sender: host(1), configuration: 12345n, view });
    assert.deepEqual(joiner.cuts, []);
    assert.match(
      joiner.notes.at(-1)!,
      /^warn: 10\.0\.0\.1:9000 sent a configuration that cannot be: its id is/,
    );
  });

  const wrongViews: readonly (readonly [what: string, made: (joiner: LoneMember) => View, note: RegExp])[] = [
    [
      "without it",
      (joiner) =>
        View.of(
          K,
          others.map((endpoint) => ({ endpoint, metadata: nodeMetadata() })),
          nextViewOf(joiner).uuids,
        ),
      /we are not in it/,
    ],
    [
      "without its uuid",
      (joiner) =>
        View.of(
          K,
          nextViewOf(joiner).members.map((endpoint) => ({ endpoint, metadata: foreignMetadata })),
          [uuid(1)],
        ),
      /our uuid is not in it/,
    ],
  ];
  for (const [what, made, note] of wrongViews) {
    it(`refuses a view ${what}, and waits for another observer's`, () => {
      const joiner = knocking();
      letIn(joiner, made(joiner));
      assert.deepEqual(joiner.cuts, []);
      assert.match(joiner.notes.at(-1)!, note);
      const another = joiner.calls.findLast(({ request, call }) => {
        return request.kind === "join" && call !== joiner.lastCall("join").call;
      })!;
      const view = nextViewOf(joiner);
      joiner.answer(another.call, { kind: "joined", sender: host(1), configuration: view.id, view });
      assert.equal(joiner.cuts.length, 1);
    });
  }

  it("calls all other calls off when it is in", () => {
    const joiner = knocking();
    const open = joiner.calls.filter(({ request }) => request.kind === "join").map(({ call }) => call);
    letIn(joiner, nextViewOf(joiner));
    assert.deepEqual(new Set(joiner.cancelled), new Set(open.slice(0, -1)));
  });

  it("hangs up on observers that it asked two attempts ago, so that calls do not pile up", () => {
    const joiner = knocking();
    const knocks = (): readonly number[] =>
      joiner.calls.filter(({ request }) => request.kind === "join").map(({ call }) => call);
    const first = knocks();
    for (let configuration = 2n; configuration <= 5n; configuration++) {
      while (joiner.lastCall("preJoin").call < knocks().at(-1)!) joiner.sleep(100);
      const { call, to } = joiner.lastCall("preJoin");
      const observers = new Array(K).fill(host(1));
      joiner.answer(call, { kind: "contacts", sender: to, configuration, observers });
      const isOpen = first.every((one) => !joiner.cancelled.includes(one));
      assert.equal(isOpen, configuration === 2n, "those of the last attempt may still be answered");
    }
    assert.equal(knocks().filter((call) => !joiner.cancelled.includes(call)).length, 2 * K);
  });

  it("says that others have another number of observers (PITFALLS A4)", () => {
    const joiner = new LoneMember(host(0));
    joiner.feed({ kind: "start" });
    joiner.feed({ kind: "seeds", seeds: [host(1)] });
    joiner.answer(joiner.lastCall("preJoin").call, {
      kind: "contacts",
      sender: host(1),
      configuration: 1n,
      observers: new Array(7).fill(host(1)),
    });
    assert.ok(joiner.notes.some((note) => /has 7 observers per member, we have 10/.test(note)));
  });
});

describe("a member that is behind", () => {
  const ahead = (lone: LoneMember): View =>
    lone.view.next([host(9)], new Map([[host(9), joinerAt(host(9))]]));
  const vote = (sender: number, view: View): FastAccepted => ({
    kind: "fastAccepted",
    sender: host(sender),
    configuration: view.id,
    value: [host(9)],
  });

  it("holds what the others say in the next configuration, and hears it there", () => {
    const lone = LoneMember.among(others);
    const next = ahead(lone);
    const votes = [1, 2, 3, 4, 9].map((sender) => vote(sender, next));
    for (const one of votes) assert.deepEqual(lone.hear(one), ack);
    lone.decide([host(9)]);
    assert.deepEqual(
      lone.cuts.map((cut) => [cut.view.size, cut.joined.length, cut.kicked]),
      [
        [5, 5, []],
        [6, 1, []],
        [5, 0, [host(9)]],
      ],
    );
  });

  it("does not hold what was said in a configuration that is over", () => {
    const lone = LoneMember.among(others);
    const old = lone.view;
    lone.decide([host(4)]);
    const message = { ...vote(1, old), value: [host(2)] };
    assert.deepEqual(lone.hear(message), refuse.wrongConfiguration);
    assert.deepEqual(lone.hear({ ...message, sender: host(4) }), refuse.notMember(host(4)));
  });

  it("does not keep what was meant for it alone in another configuration, but says so", () => {
    const lone = LoneMember.among(others);
    const next = ahead(lone);
    assert.deepEqual(lone.ask(vote(1, next)), refuse.wrongConfiguration);
  });

  it("tells all of it on at once, so that others need not wait for it", () => {
    const lone = LoneMember.among(others);
    const before = lone.sent.length;
    lone.hear(vote(1, ahead(lone)));
    assert.equal(lone.sent.length, before + 1);
  });

  it("remembers 64 configurations that are over, and holds what comes of older ones for nothing", () => {
    const lone = LoneMember.among(others);
    const old: View[] = [];
    for (let i = 0; i < 66; i++) {
      old.push(lone.view);
      lone.decide([host(100 + i)]);
    }
    assert.deepEqual(lone.hear(vote(1, old[65]!)), refuse.wrongConfiguration);
    assert.deepEqual(lone.hear(vote(1, old[2]!)), refuse.wrongConfiguration);
    assert.deepEqual(lone.hear(vote(1, old[0]!)), ack);
    assert.equal(lone.view.size, 5 + 66);
  });
});

describe("a slow member in a mesh", () => {
  it("takes every view that the others took, in order, when it hears everything late", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    const slow = members[3]!;
    mesh.stall(slow);
    for (let port = 10, count = 0; count < 4; port++) {
      // Others have to do without the reports of the slow one.
      const view = viewOf(members[0]!)!;
      if (view.ringsHeld(slow.endpoint, at(port)).length > 1) continue;
      mesh.start(port, { seeds: [at(1)] });
      mesh.until("it is in", () => viewOf(members[0]!)!.has(at(port)), 1000);
      count += 1;
    }
    mesh.resume(slow);
    mesh.until("it caught up", () => mesh.agree(), 1000);
    assert.deepEqual(
      slow.cuts.map(({ view }) => view.id),
      members[1]!.cuts.map(({ view }) => view.id),
    );
    mesh.assertSound();
  });

  it("that was not reachable for a moment does not bother about refused connections", () => {
    const lone = LoneMember.among(others);
    lone.sleep(5000, () => gone);
    assert.equal(lone.said("alerts").length, 0);
    lone.sleep(3000, () => gone);
    assert.ok(lone.said("alerts").length > 0);
  });
});
