// Leaving gracefully (PITFALLS E5, S42, S43): observers are asked to report the leaver, it votes until it is out, and
// nobody waits for strikes. For Rust observers, who cannot be asked, it speaks in their name.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { viewAfter } from "../../src/core/certificates.ts";
import { type Alerts, ack, type Leave } from "../../src/core/messages.ts";
import { refuse, refused } from "../../src/core/refusals.ts";
import type { View } from "../../src/core/view.ts";
import { type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";
import { LoneMember } from "./lone-member.ts";
import { host, hosts } from "./sample-views.ts";

const DETECTION_MS = 6000;

function leaveAll(mesh: VirtualMesh, leavers: readonly VirtualMember[], timeoutMs?: number): void {
  for (const leaver of leavers) mesh.leave(leaver, timeoutMs);
}

describe("a member that leaves", () => {
  for (const [size, leaving] of [
    [2, 1],
    [3, 1],
    [4, 1],
    [5, 1],
    [5, 2],
    [5, 4],
    [12, 3],
    [12, 6],
    [20, 5],
  ] as const) {
    it(`is gone within a second: ${leaving} of ${size} at once`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(size);
      const leavers = members.slice(1, 1 + leaving);
      leaveAll(mesh, leavers);
      mesh.until("they left", () => leavers.every(({ leftAt }) => leftAt !== undefined), 1000);
      mesh.until("the others agree", () => mesh.agree(), 1000);
      assert.ok(leavers.every(({ wasRemoved }) => wasRemoved === true));
      mesh.assertSound();
    });
  }

  it("may be the seed, and may be alone in the end", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(4);
    for (const [i, leaver] of members.entries()) {
      mesh.leave(leaver);
      mesh.until("it left", () => leaver.leftAt !== undefined, 1000);
      assert.equal(leaver.wasRemoved, true);
      const rest = members.slice(i + 1);
      if (rest.length > 0) mesh.until("the rest agree", () => mesh.agree(rest), 1000);
    }
    mesh.assertSound();
  });

  for (const size of [2, 3, 5, 8]) {
    it(`goes also when all ${size} go at once`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(size);
      leaveAll(mesh, members);
      mesh.until("all left", () => members.every(({ leftAt }) => leftAt !== undefined), 10_000);
      assert.ok(members.every(({ wasRemoved }) => wasRemoved === true));
      mesh.assertSound();
    });
  }

  for (const [what, isForeign] of [
    ["all others are Rust members", () => true],
    ["some others are Rust members", (i: number) => i % 2 === 0],
  ] as const) {
    it(`is gone within a second where ${what}`, () => {
      const mesh = new VirtualMesh(1);
      const founder = mesh.start(1, { isForeign: isForeign(1) });
      for (let port = 2; port <= 6; port++) {
        mesh.start(port, { seeds: [founder.endpoint], isForeign: port < 6 && isForeign(port) });
      }
      mesh.until("six agree", () => mesh.agree());
      const leaver = [...mesh.members.values()].at(-1)!;
      let asked = 0;
      mesh.filter = (_, to, request) => {
        if (request.kind === "leave") asked += viewOf(founder)!.isNode(to) ? 1 : 1000;
        return false;
      };
      mesh.leave(leaver);
      mesh.until("it left", () => leaver.leftAt !== undefined, 1000);
      mesh.until("the others agree", () => mesh.agree(), 1000);
      assert.ok(asked < 1000, "a Rust member does not know what Leave is");
      mesh.assertSound();
    });
  }

  it("goes in the next configuration where another change came first", () => {
    // In most of these it is the first to take the other change, and its observers do not know yet what it speaks of.
    for (let seed = 1; seed <= 20; seed++) leavesAfterAnother(seed);
  });

  function leavesAfterAnother(seed: number): void {
    const mesh = new VirtualMesh(seed);
    const members = mesh.grow(6);
    // What its observers say of it is lost until somebody else is in.
    mesh.filter = (_, __, request) =>
      request.kind === "leave" &&
      !viewOf(members[0]!)!.has(mesh.members.get([...mesh.members.keys()].at(-1)!)!.endpoint);
    mesh.start(20, { seeds: [members[1]!.endpoint] });
    mesh.leave(members[4]!);
    mesh.until("it left", () => members[4]!.leftAt !== undefined, 1000);
    assert.equal(members[4]!.wasRemoved, true);
    mesh.until("the rest agree", () => mesh.agree(), 1000);
    mesh.assertSound();
  }

  it("is removed by failing probes where nobody heard its wish", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    mesh.filter = (_, __, request) => request.kind === "leave";
    mesh.leave(members[2]!);
    mesh.until("it left", () => members[2]!.leftAt !== undefined, DETECTION_MS + 3000);
    assert.equal(members[2]!.wasRemoved, true);
    mesh.assertSound();
  });

  it("does not wait beyond its time, and says that it was not removed", () => {
    const mesh = new VirtualMesh(1);
    const [a, b] = mesh.grow(2) as [VirtualMember, VirtualMember];
    mesh.crash(a);
    mesh.leave(b, 2000);
    const from = mesh.now;
    mesh.until("it left", () => b.leftAt !== undefined);
    assert.deepEqual([b.leftAt, b.wasRemoved], [from + 2000, false]);
    mesh.run(60_000);
    mesh.assertSound();
  });

  it("does not come back", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(4);
    mesh.leave(members[1]!);
    mesh.run(60_000);
    assert.equal(members[1]!.cuts.at(-1)!.degraded, true);
    assert.ok(mesh.agree());
    assert.equal(viewOf(members[0]!)!.size, 3);
  });
});

describe("what a leaver does", () => {
  const others = hosts(4, 1);

  it("asks each Node observer once, directly", () => {
    const lone = LoneMember.among(others);
    const before = lone.sent.length;
    lone.feed({ kind: "leave", timeoutMs: 10_000 });
    const leave: Leave = { kind: "leave", sender: lone.self, configuration: lone.view.id };
    const sent = lone.sent.slice(before);
    assert.deepEqual(new Set(sent.flatMap(({ to }) => to)), new Set(lone.view.observersOf(lone.self)));
    for (const { to, request } of sent) assert.deepEqual([to.length, request], [1, leave]);
  });

  it("says in the name of each Rust observer, to all and at once, that it is down on all its rings", () => {
    const lone = LoneMember.among(others, { isForeign: () => true });
    const before = lone.sent.length;
    lone.feed({ kind: "leave", timeoutMs: 10_000 });
    const said = lone.sent.slice(before).flatMap(({ request }) => {
      return request.kind === "broadcast" && request.gossip.kind === "alerts" ? [request.gossip] : [];
    });
    const expected = [...new Set(lone.view.observersOf(lone.self))].map(
      (sender): Alerts => ({
        kind: "alerts",
        sender,
        configuration: lone.view.id,
        edges: lone.view.ringsHeld(sender, lone.self).map((ring) => ({ node: lone.self, ring })),
      }),
    );
    assert.deepEqual(said, expected);
    assert.equal(lone.said("fastAccepted").length, 1, "and votes for it");
  });

  it("answers probes as degraded, refuses to be a contact, and goes on voting", () => {
    const lone = LoneMember.among(others);
    lone.feed({ kind: "leave", timeoutMs: 10_000 });
    assert.deepEqual(lone.probe(), refuse.degraded);
    assert.deepEqual(
      lone.ask({ kind: "preJoin", sender: host(50), uuid: lone.view.uuids[0]! }),
      refuse.joining,
    );
    const { view } = lone;
    const prepare = {
      kind: "prepare",
      sender: host(1),
      configuration: view.id,
      rank: { round: 2, nodeIndex: 1n },
    };
    assert.deepEqual(lone.hear(prepare as Parameters<LoneMember["hear"]>[0]), ack);
    assert.equal(lone.sent.at(-1)!.request.kind, "promise");
  });

  it("asks again in each configuration that still has it", () => {
    const lone = LoneMember.among(others);
    lone.feed({ kind: "leave", timeoutMs: 10_000 });
    lone.sent.length = 0;
    lone.decide([host(60)]);
    const asked = lone.sent.filter(({ request }) => request.kind === "leave");
    assert.deepEqual(new Set(asked.flatMap(({ to }) => to)), new Set(lone.view.observersOf(lone.self)));
  });

  /** A leaver that was removed just now, and what it asks those who stay. */
  function removedLeaver(): {
    readonly lone: LoneMember;
    readonly before: View;
    asked(): LoneMember["calls"];
  } {
    const lone = LoneMember.among(others);
    const before = lone.view;
    lone.feed({ kind: "leave", timeoutMs: 60_000 });
    lone.decide([lone.self]);
    lone.sleep(0);
    return { lone, before, asked: () => lone.calls.filter(({ request }) => request.kind === "compare") };
  }

  it("goes when one who stays knows that it is out, be it that this one has gone on since", () => {
    for (const gone of [0n, 1n]) {
      const { lone, asked } = removedLeaver();
      assert.equal(asked().length, 3);
      assert.equal(lone.left, undefined);
      const [{ call, to }] = asked() as [LoneMember["calls"][0]];
      const told = {
        size: 4,
        isMember: false,
        wasMember: true,
        chain: [],
        contacts: [],
        replaced: [],
        hasAdmitted: false,
      };
      lone.answer(call, { kind: "compared", sender: to, configuration: lone.view.id + gone, ...told });
      assert.equal(lone.left, true);
      assert.equal(lone.member.wakeAt, Infinity);
    }
  });

  it("tells those who stay how it came to be out, until one of them has followed", () => {
    const { lone, before, asked } = removedLeaver();
    const [{ call, to }] = asked() as [LoneMember["calls"][0]];
    const told = {
      size: 5,
      isMember: true,
      wasMember: true,
      chain: [],
      contacts: [],
      replaced: [],
      hasAdmitted: false,
    };
    lone.answer(call, { kind: "compared", sender: to, configuration: before.id, ...told });
    assert.equal(lone.left, undefined);
    const reply = lone.ask({ kind: "compare", sender: to, configuration: before.id, past: [] });
    assert.ok(reply?.kind === "compared");
    assert.deepEqual(viewAfter(before, reply.chain[0]!)?.id, lone.view.id);
    lone.sleep(50);
    assert.equal(asked().length, 4);
  });

  it("goes when all who stay are gone, and after the time in which a dead member is found", () => {
    const alone = removedLeaver();
    for (let i = 0; i < others.length; i++) {
      assert.equal(alone.lone.left, undefined);
      alone.lone.answer(alone.asked()[i]!.call, refused("unavailable", "connection refused"));
      alone.lone.sleep(50);
    }
    assert.equal(alone.lone.left, true);
    const { lone } = removedLeaver();
    lone.sleep(DETECTION_MS - 1);
    assert.equal(lone.left, undefined);
    lone.sleep(1);
    assert.equal(lone.left, true);
  });

  it("is done once it is the last", () => {
    const last = LoneMember.among(others);
    last.feed({ kind: "leave", timeoutMs: 10_000 });
    last.decide(others);
    assert.equal(last.view.size, 1);
    assert.equal(last.left, true);
  });

  it("is done at its time, ends the calls that wait at it, and does nothing more", () => {
    const lone = LoneMember.among(others);
    const node = hosts(100, 50).find((one) => lone.view.ringsHeld(lone.self, one).length > 0)!;
    const ring = lone.view.ringsHeld(lone.self, node)[0]!;
    const { id: configuration } = lone.view;
    const token = lone.open({
      kind: "join",
      sender: node,
      ring,
      configuration,
      uuid: "00000000000000000000000000000abc" as (typeof lone.view.uuids)[number],
      metadata: {},
    });
    lone.feed({ kind: "leave", timeoutMs: 3000 });
    lone.sleep(3000);
    assert.equal(lone.left, false);
    assert.equal(lone.replies.get(token)?.kind, "refused");
    assert.equal(lone.member.wakeAt, Infinity);
  });
});

describe("an observer that is asked", () => {
  it("reports the leaver on all its rings at once, without waiting for a batch", () => {
    const lone = LoneMember.among(hosts(4, 1));
    const leaver = lone.view.subjectsOf(lone.self)[0]!;
    assert.deepEqual(lone.ask({ kind: "leave", sender: leaver, configuration: lone.view.id }), ack);
    assert.deepEqual(lone.said("alerts"), [
      {
        kind: "alerts",
        sender: lone.self,
        configuration: lone.view.id,
        edges: lone.view.ringsHeld(lone.self, leaver).map((ring) => ({ node: leaver, ring })),
      },
    ]);
  });

  it("refuses to report one that it does not observe", () => {
    const lone = LoneMember.among(hosts(40, 1));
    const other = lone.view.members.find(
      (node) => !lone.view.subjectsOf(lone.self).includes(node) && node !== lone.self,
    )!;
    const { id: configuration } = lone.view;
    assert.deepEqual(lone.ask({ kind: "leave", sender: other, configuration }), refuse.invalidRing);
    assert.deepEqual(lone.ask({ kind: "leave", sender: lone.self, configuration }), refuse.invalidRing);
  });
});
