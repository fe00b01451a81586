// Members that die, alone, together, half of all, one after the other (PITFALLS §3.2: S4).

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { seededRandom, shuffled } from "../../src/core/random.ts";
import { at, type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";

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
  it("of four leaves three, with one cut", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const mesh = new VirtualMesh(seed);
      crashAndAgree(mesh, [mesh.grow(4)[seed % 4]!], DETECTION_MS + 1000);
    }
  });
});

describe("a crash of half or more", () => {
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
        if (viewOf(members[0]!)!.ringsHeld(members[5]!.endpoint, at(port)).length <= 1) return port;
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
