// After a partition of any shape heals, every member is back in one configuration without a human, unless a majority
// is gone for good (PITFALLS B4, B5; §3.2: S10, S16–S20, S30, S31, S35, S37).

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Compared, Reply } from "../../src/core/messages.ts";
import { refuse } from "../../src/core/refusals.ts";
import { at, type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";
import { LoneMember } from "./lone-member.ts";
import { host, hosts } from "./sample-views.ts";

const NOWHERE: Omit<Compared, "sender"> = {
  kind: "compared",
  configuration: 0n,
  size: 0,
  isMember: false,
  wasMember: false,
  chain: [],
  contacts: [],
  replaced: [],
  hasAdmitted: false,
};

/** Members that a partition cuts off may be removed without having crashed. */
function mayGo(mesh: VirtualMesh, members: readonly VirtualMember[]): void {
  for (const { endpoint } of members) mesh.checker.mayBeRemoved.add(endpoint);
}

describe("a partition that heals", () => {
  for (const seconds of [60, 150, 600]) {
    it(`of 7 and 3 after ${seconds} s: the 7 go on, the 3 change nothing, and all 10 are one again within 20 s (S16)`, () => {
      const mesh = new VirtualMesh(seconds);
      const members = mesh.grow(10);
      const [most, few] = [members.slice(0, 7), members.slice(7)];
      mayGo(mesh, few);
      mesh.partition(most, few);
      mesh.run(seconds * 1000);
      assert.ok(mesh.agree(most));
      for (const member of few) assert.equal(viewOf(member)!.size, 10);
      const before = viewOf(most[0]!)!;
      mesh.heal();
      mesh.until("all ten agree", () => mesh.agree(members), 20_000);
      assert.equal(viewOf(most[0]!)!.uuids.length, before.uuids.length + 3, "the 3 came back with new uuids");
      mesh.assertSound();
    });
  }

  it("one way only, of 3 whom nobody hears, ends in one configuration too", () => {
    for (const seed of [1, 2, 3]) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(10);
      const [most, few] = [members.slice(0, 7), members.slice(7)];
      mayGo(mesh, few);
      mesh.block(few, most);
      mesh.run(60_000);
      mesh.heal();
      mesh.until("all ten agree", () => mesh.agree(members), 30_000);
      mesh.assertSound();
    }
  });

  it("in halves changes nothing, and one value at most is decided afterwards (S17)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mayGo(mesh, members);
    const before = viewOf(members[0]!)!.id;
    mesh.partition(members.slice(0, 5), members.slice(5));
    mesh.run(60_000);
    for (const member of members) assert.equal(viewOf(member)!.id, before);
    mesh.heal();
    mesh.run(45_000);
    mesh.until("all ten agree", () => mesh.agree(members), 60_000);
    mesh.assertSound();
  });

  it("in 4, 3 and 3 changes nothing, and heals as halves do (S18)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mayGo(mesh, members);
    const groups = [members.slice(0, 4), members.slice(4, 7), members.slice(7)];
    for (const group of groups)
      mesh.block(
        group,
        members.filter((member) => !group.includes(member)),
      );
    mesh.run(60_000);
    mesh.heal();
    mesh.run(45_000);
    mesh.until("all ten agree", () => mesh.agree(members), 60_000);
    mesh.assertSound();
  });

  it("while a decision spreads leaves laggards, who catch up without leaving (S19)", () => {
    const mesh = new VirtualMesh(3);
    const members = mesh.grow(8);
    const few = members.slice(5, 7);
    // They are reached by probes, and by nothing that is told.
    mesh.filter = (_, to, { kind }) => kind === "broadcast" && few.some(({ endpoint }) => endpoint === to);
    mesh.crash(members[7]!);
    mesh.until("the rest took the next view", () => viewOf(members[0]!)!.size === 7, 20_000);
    assert.equal(viewOf(few[0]!)!.size, 8);
    mesh.filter = () => false;
    mesh.until("all seven agree", () => mesh.agree(members.slice(0, 7)), 10_000);
    for (const member of few) assert.ok(member.cuts.every(({ degraded }) => !degraded));
    mesh.assertSound();
  });

  it("with two groups of laggards, several configurations behind, makes them one", () => {
    const mesh = new VirtualMesh(5);
    const members = mesh.grow(12);
    const [most, first, second] = [members.slice(0, 8), members.slice(8, 10), members.slice(10)];
    mayGo(mesh, [...first, ...second]);
    mesh.partition(first, [...most, ...second]);
    mesh.run(4000);
    mesh.partition(second, most);
    mesh.run(20_000);
    for (let port = 50; port < 53; port++) {
      mesh.start(port, { seeds: [most[0]!.endpoint] });
      mesh.run(3000);
    }
    mesh.heal();
    mesh.until("all fifteen agree", () => mesh.agree(), 40_000);
    assert.equal(viewOf(members[11]!)!.size, 15);
    mesh.assertSound();
  });

  it("in the middle of a join, and with a restart meanwhile, ends in one configuration", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(9);
      const few = members.slice(6);
      mayGo(mesh, members);
      mesh.start(40, { seeds: members.map(({ endpoint }) => endpoint) });
      mesh.run(120);
      mesh.partition(members.slice(0, 6), few);
      mesh.run(10_000);
      mesh.crash(few[2]!);
      const back = mesh.start(9, { seeds: members.slice(0, 8).map(({ endpoint }) => endpoint) });
      mesh.block([back], members.slice(0, 6));
      mesh.block(members.slice(0, 6), [back]);
      mesh.run(30_000);
      mesh.heal();
      mesh.until("all ten agree", () => mesh.agree(), 60_000);
      mesh.assertSound();
    }
  });

  it("removes many at once, who are all back soon, not all at the same moment (S35)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(25);
    const few = members.slice(15);
    mayGo(mesh, few);
    mesh.partition(members.slice(0, 15), few);
    mesh.run(40_000);
    mesh.heal();
    mesh.until("all agree", () => mesh.agree(members), 30_000);
    mesh.assertSound();
  });
});

describe("a mesh in which all agree", () => {
  it("asks nothing but probes", () => {
    for (const size of [3, 10, 32]) {
      const mesh = new VirtualMesh(size);
      const members = mesh.grow(size);
      mesh.run(5000);
      const kinds = new Set<string>();
      mesh.filter = (_from, _to, { kind }) => {
        kinds.add(kind);
        return false;
      };
      mesh.run(120_000);
      assert.deepEqual([...kinds], ["probe"]);
      assert.ok(mesh.agree(members));
    }
  });

  it("asks nothing but probes either when one has been gone for more than an hour", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    mesh.crash(members[4]!);
    mesh.until("it is removed", () => mesh.agree(members.slice(0, 4)));
    const asked: number[] = [];
    mesh.filter = (_from, _to, { kind }) => {
      if (kind !== "probe") asked.push(mesh.now);
      return false;
    };
    const { now } = mesh;
    mesh.run(5_000_000);
    const last = asked.at(-1)! - now;
    assert.ok(last > 3_000_000 && last < 3_700_000, `asked last after ${last} ms`);
    assert.ok(asked.length < 500, `asked ${asked.length} times, by four members`);
  });

  it("finds a founder that comes back after half an hour, within two minutes", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    mesh.crash(members[0]!);
    mesh.run(1_800_000);
    const back = mesh.start(1);
    mesh.until("one mesh", () => mesh.agree([...members.slice(1), back]), 120_000);
  });
});

describe("a process that stands still (S20)", () => {
  for (const [seconds, isRemoved] of [
    [3, false],
    [30, true],
    [600, true],
  ] as const) {
    it(`for ${seconds} s ${isRemoved ? "is removed and comes back" : "is not removed"}`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(7);
      const slow = members[3]!;
      mayGo(mesh, [slow]);
      mesh.stall(slow);
      mesh.run(seconds * 1000);
      assert.equal(viewOf(members[0]!)!.has(slow.endpoint), !isRemoved);
      mesh.resume(slow);
      mesh.run(1000);
      mesh.until("all agree", () => mesh.agree(members), 20_000);
      mesh.assertSound();
    });
  }
});

describe("a founder that restarts at its address without seeds (S10, PITFALLS B5)", () => {
  it("goes back to the mesh that it founded", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(5);
      mesh.crash(members[0]!);
      mesh.run(seed * 37);
      const back = mesh.start(1);
      mesh.until("one mesh", () => mesh.agree([...members.slice(1), back]), 40_000);
    }
  });

  it("also where others join through it meanwhile", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(5);
      mesh.crash(members[0]!);
      mesh.run(seed * 37);
      mesh.start(1);
      for (let i = 0; i < 3; i++) {
        mesh.run(seed * 11);
        mesh.start(30 + i, { seeds: [at(1)] });
      }
      mesh.until("one mesh", () => mesh.agree(), 90_000);
    }
  });

  it("does not take its own mesh for an older one where a newcomer tells of it, who knows no evidence", () => {
    const mesh = new VirtualMesh(1);
    const [founder] = mesh.grow(4) as [VirtualMember];
    const isNew = (node: Endpoint): boolean => node === at(9);
    const isFounder = (node: Endpoint): boolean => node === founder.endpoint;
    const claims: Reply[] = [];
    // It misses the decision, and nobody but the newcomer can tell it where the others are.
    mesh.filter = (from, to, { kind }) =>
      !isNew(from) && !isNew(to) && ((isFounder(to) && kind !== "probe") || kind === "compare");
    mesh.replyFilter = (from, _, reply) => {
      if (isNew(from) && reply.kind === "compared") claims.push(reply);
      return false;
    };
    const newcomer = mesh.start(9, { seeds: [at(2)] });
    mesh.until("the newcomer is in", () => newcomer.cuts.length > 0);
    mesh.run(8000);
    assert.ok(claims.length > 0, "it was asked");
    assert.equal(viewOf(founder)!.size, 4);
    mesh.filter = () => false;
    mesh.until("all agree", () => mesh.agree(), 10_000);
    assert.ok(founder.cuts.every(({ degraded }) => !degraded));
    mesh.assertSound();
  });
});

describe("a member that says again and again that it does not know us", () => {
  const others = hosts(6, 1);
  const odd = host(3);

  /** Asks it where it is as often as it likes; in whose names, and what it reports. */
  function askedIn(answerOf: (speaker: Endpoint) => Reply): { speakers: Endpoint[]; reports: number } {
    const lone = LoneMember.among(others, { isForeign: (node) => node !== others[0] });
    const speakers: Endpoint[] = [];
    for (let i = 0; i < 40; i++) {
      lone.sleep(500);
      for (const { call, to, request } of lone.calls.splice(0)) {
        if (request.kind === "compare") {
          lone.answer(call, { ...NOWHERE, sender: to, configuration: lone.view.id, isMember: true });
        } else if (request.kind === "promise" && to === odd) {
          speakers.push(request.sender);
          lone.answer(call, answerOf(request.sender));
        } else if (request.kind === "promise") lone.answer(call, refuse.notOurRank);
      }
    }
    const edges = lone.said("alerts").flatMap((alerts) => alerts.edges);
    return { speakers, reports: edges.filter(({ node }) => node === odd).length };
  }

  it("is an impostor where it knows none of us", () => {
    const { speakers, reports } = askedIn((speaker) => refuse.notMember(speaker));
    assert.equal(speakers[0], host(0));
    assert.ok(new Set(speakers).size > 2 && !speakers.includes(odd), speakers.join());
    assert.ok(reports > 0);
  });

  it("is only behind where it knows those who were there before us", () => {
    const { speakers, reports } = askedIn((speaker) =>
      speaker === host(0) ? refuse.notMember(speaker) : refuse.wrongConfiguration,
    );
    assert.ok(speakers.some((speaker) => speaker !== host(0)));
    assert.equal(reports, 0);
  });
});
