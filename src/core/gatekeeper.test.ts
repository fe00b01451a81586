import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, joiner, viewOfSize } from "../../test/core/sample-views.ts";
import { contactsFor, edgesOf, Gatekeeper } from "./gatekeeper.ts";
import type { Join } from "./messages.ts";
import { refuse } from "./refusals.ts";

const view = viewOfSize(3);
const self = host(0);

function join(node: number, ring: number, uuid = node): Join {
  return { kind: "join", sender: host(node), ring, configuration: view.id, ...joiner(uuid) };
}

describe("the gatekeeper (PITFALLS B11)", () => {
  it("answers every call of a joiner that got in with the view", () => {
    const gatekeeper = new Gatekeeper();
    gatekeeper.admit(1, join(9, 0), 0);
    gatekeeper.admit(2, join(9, 4), 0);
    const next = view.next([host(9)], new Map([[host(9), joiner(9)]]));
    const joined = { kind: "joined", sender: self, configuration: next.id, view: next };
    assert.deepEqual(gatekeeper.release(next, self), [
      { token: 1, reply: joined },
      { token: 2, reply: joined },
    ]);
  });

  it("sends those who did not get in away to ask anew, and another incarnation of one who did", () => {
    const gatekeeper = new Gatekeeper();
    gatekeeper.admit(1, join(8, 0), 0);
    gatekeeper.admit(2, join(9, 0, 10), 0);
    const next = view.next([host(9)], new Map([[host(9), joiner(9)]]));
    assert.deepEqual(gatekeeper.release(next, self), [
      { token: 1, reply: refuse.wrongConfiguration },
      { token: 2, reply: refuse.hostExists },
    ]);
  });

  it("answers each call once, and none that was hung up", () => {
    const gatekeeper = new Gatekeeper();
    gatekeeper.admit(1, join(8, 0), 0);
    gatekeeper.admit(2, join(9, 0), 0);
    gatekeeper.hangup(1);
    assert.deepEqual(
      gatekeeper.release(view, self).map(({ token }) => token),
      [2],
    );
    assert.deepEqual(gatekeeper.release(view, self), []);
  });

  it("names the calls that are open when it closes, once", () => {
    const gatekeeper = new Gatekeeper();
    gatekeeper.admit(1, join(8, 0), 0);
    gatekeeper.admit(2, join(9, 0), 0);
    assert.deepEqual(gatekeeper.close(), [1, 2]);
    assert.deepEqual([gatekeeper.close(), gatekeeper.wakeAt], [[], Infinity]);
  });

  it("reports a joiner on every ring that one call of it names", () => {
    const edges = edgesOf({ ...join(8, 3), moreRings: [5, 7] });
    assert.deepEqual(
      edges,
      [3, 5, 7].flatMap((ring) => edgesOf(join(8, ring))),
    );
  });

  it("repeats the edges of those who wait once a second, for as long as they wait", () => {
    const gatekeeper = new Gatekeeper();
    assert.equal(gatekeeper.wakeAt, Infinity);
    gatekeeper.admit(1, join(8, 3), 1000);
    gatekeeper.admit(2, join(9, 5), 1500);
    assert.equal(gatekeeper.wakeAt, 2000);
    assert.deepEqual(gatekeeper.repeat(1999), []);
    assert.deepEqual(gatekeeper.repeat(2000), [...edgesOf(join(8, 3)), ...edgesOf(join(9, 5))]);
    gatekeeper.hangup(1);
    assert.deepEqual(gatekeeper.repeat(3000), edgesOf(join(9, 5)));
    gatekeeper.hangup(2);
    assert.equal(gatekeeper.wakeAt, Infinity);
    assert.deepEqual(gatekeeper.repeat(4000), []);
  });

  it("is full at 20,000 waiting calls", () => {
    const gatekeeper = new Gatekeeper();
    for (let token = 0; token < 20_000; token++) {
      assert.equal(gatekeeper.isFull, false);
      gatekeeper.admit(token, join(9, 0), 0);
    }
    assert.equal(gatekeeper.isFull, true);
    gatekeeper.hangup(7);
    assert.equal(gatekeeper.isFull, false);
  });
});

describe("who asks for its observers", () => {
  it("is told those who stand before it, and which of them are Node members", () => {
    const mixed = viewOfSize(6, (i) => i % 2 === 1);
    const reply = contactsFor({ kind: "preJoin", sender: host(9), uuid: joiner(9).uuid }, mixed, self);
    assert.ok(reply.kind === "contacts");
    assert.deepEqual(reply.observers, mixed.observersOf(host(9)));
    for (const [ring, observer] of reply.observers.entries()) {
      assert.equal(reply.nodeRings!.includes(ring), mixed.isNode(observer));
    }
  });

  it("and is a member already, by its uuid, is sent to whom it asked: all its observers may be Rust members", () => {
    const mixed = viewOfSize(6, (i) => i !== 0 && i !== 3);
    const reply = contactsFor({ kind: "preJoin", sender: host(3), uuid: joiner(3).uuid }, mixed, self);
    assert.ok(reply.kind === "contacts");
    assert.deepEqual([new Set(reply.observers), reply.nodeRings!.length], [new Set([self]), mixed.observers]);
    const ask: Join = { ...join(3, 0), moreRings: reply.nodeRings!.slice(1), configuration: mixed.id };
    assert.equal(new Gatekeeper().judge(ask, mixed, self)?.kind, "joined");
    const another = { kind: "preJoin", sender: host(3), uuid: joiner(30).uuid } as const;
    assert.equal(contactsFor(another, mixed, self), refuse.hostExists);
  });
});
