// Members that die, alone, together, half of all, one after the other (PITFALLS §3.2: S4–S8, S32, S33, S36).

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { seededRandom, shuffled } from "../../src/core/random.ts";
import { at, type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";
import { ringsHeld } from "./sample-views.ts";

const DETECTION_MS = 8000;

function endpoints(members: readonly VirtualMember[]): readonly Endpoint[] {
  return members.map(({ endpoint }) => endpoint).sort();
}

function kickedAt(member: VirtualMember): readonly (readonly Endpoint[])[] {
  return member.cuts.filter(({ kicked }) => kicked.length > 0).map(({ kicked }) => [...kicked].sort());
}

/** Crashes these at once and waits until all the others have removed just them. */
function crashAndAgree(mesh: VirtualMesh, dead: readonly VirtualMember[], withinMs: number): void {
  mesh.crash(...dead);
  mesh.until(`${dead.length} are removed`, () => mesh.agree(), withinMs);
  for (const member of mesh.living) assert.deepEqual(kickedAt(member).flat().sort(), endpoints(dead));
  mesh.assertSound();
}

describe("a crash (S4)", () => {
  for (const [size, count] of [
    [20, 1],
    [20, 2],
    [20, 3],
    [20, 5],
    [50, 1],
    [50, 12],
  ] as const) {
    it(`of ${count} of ${size} at once is one cut`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(size);
      crashAndAgree(mesh, shuffled(members, seededRandom(9n)).slice(0, count), DETECTION_MS);
      for (const member of mesh.living) assert.equal(kickedAt(member).length, 1);
    });
  }

  for (const size of [5, 20, 50]) {
    it(`of one of ${size} is decided in the fast round`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(size);
      let prepares = 0;
      mesh.filter = (_, __, request) => {
        if (request.kind === "broadcast" && request.gossip.kind === "prepare") prepares += 1;
        return false;
      };
      crashAndAgree(mesh, [members[3]!], DETECTION_MS);
      assert.equal(prepares, 0);
    });
  }

  for (const [size, count] of [
    [5, 2],
    [7, 3],
    [20, 9],
    [50, 24],
  ] as const) {
    it(`of ${count} of ${size} at once, almost half, is decided by a classic round`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(size);
      crashAndAgree(mesh, shuffled(members, seededRandom(9n)).slice(0, count), 4 * DETECTION_MS);
    });
  }

  it("of a member and two of its observers, in a mesh of correlated rings, blocks nothing (S36)", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(16, 7000);
      const view = viewOf(members[0]!)!;
      const victim = members[seed]!;
      // The two that hold the most of its rings.
      const observers = [...new Set(view.observersOf(victim.endpoint))].sort(
        (a, b) => ringsHeld(view, b, victim.endpoint).length - ringsHeld(view, a, victim.endpoint).length,
      );
      const dead = [victim, ...observers.slice(0, 2).map((observer) => mesh.members.get(observer)!)];
      crashAndAgree(mesh, dead, 2 * DETECTION_MS);
    }
  });

  it("of the one that holds six rings of a joiner leaves it at exactly L, and yet it gets in (LIVE §2.1)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(4);
    const [dead] = members as [VirtualMember];
    const view = viewOf(dead)!;
    let port = 100;
    while (ringsHeld(view, dead.endpoint, at(port)).length !== 6) port += 1;
    mesh.crash(dead);
    const joiner = mesh.start(port, { seeds: mesh.living.map(({ endpoint }) => endpoint) });
    mesh.until("it is in and the dead one is out", () => mesh.agree(), DETECTION_MS + 2000);
    assert.equal(viewOf(joiner)!.size, 4);
    mesh.assertSound();
  });

  it("of three of the first observers of a joiner does not keep it out", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    const observers = [...new Set(viewOf(members[0]!)!.observersOf(at(50)))].slice(0, 3);
    mesh.crash(...observers.map((observer) => mesh.members.get(observer)!));
    const joiner = mesh.start(50, { seeds: mesh.living.map(({ endpoint }) => endpoint) });
    mesh.until("it is in and they are out", () => mesh.agree(), 3 * DETECTION_MS);
    assert.equal(viewOf(joiner)!.size, 8);
    mesh.assertSound();
  });
});

describe("a crash of one in few", () => {
  it("of three: the fast round needs all three, so a classic one decides soon (S7)", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const mesh = new VirtualMesh(seed);
      crashAndAgree(mesh, [mesh.grow(3)[seed % 3]!], DETECTION_MS + 1000);
    }
  });

  it("of four leaves three, with one cut", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const mesh = new VirtualMesh(seed);
      crashAndAgree(mesh, [mesh.grow(4)[seed % 4]!], DETECTION_MS + 1000);
    }
  });

  it("of two leaves one that goes on alone waiting, for it cannot know which of them is cut off (S6)", () => {
    const mesh = new VirtualMesh(1);
    const [a, b] = mesh.grow(2) as [VirtualMember, VirtualMember];
    mesh.crash(b);
    mesh.run(300_000);
    assert.equal(viewOf(a)!.size, 2);
    assert.equal(a.cuts.at(-1)!.degraded, false);
    mesh.assertSound();
  });
});

describe("a crash of half or more", () => {
  for (const [size, count] of [
    [4, 2],
    [10, 5],
    [10, 7],
  ] as const) {
    it(`of ${count} of ${size} decides nothing, and nobody is lost when the dead were only asleep (S5)`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(size);
      const asleep = members.slice(-count);
      const before = viewOf(members[0]!);
      for (const member of asleep) mesh.stall(member);
      mesh.run(60_000);
      for (const member of members) assert.equal(viewOf(member)!.id, before!.id);
      for (const member of asleep) mesh.resume(member);
      // Whoever was proposed meanwhile may be removed in one cut, and then comes back.
      for (const { endpoint } of members) mesh.checker.mayBeRemoved.add(endpoint);
      mesh.until("all are together again", () => mesh.agree(), 180_000);
      mesh.assertSound();
    });
  }

  it("of all but one of five leaves the survivor as it is (S32)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    mesh.crash(...members.slice(1));
    mesh.run(300_000);
    assert.equal(viewOf(members[0]!)!.size, 5);
    assert.equal(members[0]!.cuts.length, 2);
    mesh.assertSound();
  });

  it("keeps a joiner waiting, and takes it once enough are there again", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(4);
    for (const member of members.slice(2)) mesh.stall(member);
    mesh.run(5000);
    const joiner = mesh.start(20, { seeds: [at(1)] });
    mesh.run(20_000);
    assert.deepEqual(joiner.cuts, []);
    for (const member of members) {
      mesh.checker.mayBeRemoved.add(member.endpoint);
      if (member.isStalled) mesh.resume(member);
    }
    mesh.until("five agree", () => mesh.living.length === 5 && mesh.agree(), 180_000);
    mesh.assertSound();
  });
});

describe("crashes one after the other", () => {
  it("are removed step by step, and the quorum follows (S33)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(20);
    for (let size = 19; size >= 8; size--) {
      mesh.crash(members[size]!);
      mesh.run(7000);
    }
    mesh.until("eight are left", () => mesh.agree(), 3 * DETECTION_MS);
    assert.equal(viewOf(members[0]!)!.size, 8);
    mesh.assertSound();
  });

  it("are found though the view changes more often than detection takes (PITFALLS B15)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mesh.crash(members[5]!);
    const crashedAt = mesh.now;
    let port = 100;
    // Only where the dead one observes no more than one ring, so that it does not hold the join back.
    const next = (): number => {
      for (;;) {
        port += 1;
        if (ringsHeld(viewOf(members[0]!)!, members[5]!.endpoint, at(port)).length <= 1) return port;
      }
    };
    while (viewOf(members[0]!)!.has(members[5]!.endpoint)) {
      assert.ok(mesh.now - crashedAt < DETECTION_MS + 2000, "it is still there");
      mesh.start(next(), { seeds: [at(1)] });
      mesh.run(1500);
    }
    mesh.until("all agree", () => mesh.agree());
    mesh.assertSound();
  });
});

describe("a joiner that dies on its way (S8)", () => {
  it("after its PreJoin leaves no trace", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    mesh.filter = (from, _, request) => from === at(9) && request.kind === "join";
    const joiner = mesh.start(9, { seeds: [at(1)] });
    mesh.run(50);
    mesh.crash(joiner);
    mesh.run(30_000);
    assert.equal(members[0]!.cuts.length, 2);
    mesh.assertSound();
  });

  for (let reached = 1; reached <= 10; reached++) {
    it(`after ${reached} of its ten Joins does not keep others out for ever`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(6);
      let joins = 0;
      mesh.filter = (from, _, request) => from === at(9) && request.kind === "join" && ++joins > reached;
      const joiner = mesh.start(9, { seeds: [at(1)] });
      mesh.run(80);
      mesh.crash(joiner);
      mesh.filter = () => false;
      const other = mesh.start(8, { seeds: [at(2)] });
      mesh.crash(members[4]!);
      mesh.until("the other is in and the dead are out", () => mesh.agree(), 45_000);
      assert.equal(viewOf(other)!.size, 6);
      mesh.assertSound();
    });
  }
});
