// Networks, processes and clocks that fail in part (PITFALLS §3.2: S12, S16–S19). Where something is cut off it must
// decide nothing; what is healthy must not be harmed.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";

const DETECTION_MS = 8000;

function kickedBy(members: readonly VirtualMember[]): ReadonlySet<Endpoint> {
  return new Set(members.flatMap(({ cuts }) => cuts.flatMap(({ kicked }) => kicked)));
}

function mayBeRemoved(mesh: VirtualMesh, members: Iterable<VirtualMember>): void {
  for (const { endpoint } of members) mesh.checker.mayBeRemoved.add(endpoint);
}

describe("a member that some cannot reach", () => {
  it("because it drops all that comes in, on and off, is removed in one cut; the others never (S12)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(20);
    const victim = members[7]!;
    const others = members.filter((member) => member !== victim);
    mayBeRemoved(mesh, [victim]);
    mesh.block(others, [victim]);
    mesh.run(20_000);
    mesh.heal();
    mesh.run(20_000);
    assert.deepEqual([...kickedBy(others)], [victim.endpoint]);
    for (const { cuts } of others) assert.equal(cuts.filter(({ kicked }) => kicked.length > 0).length, 1);
    mesh.assertSound();
  });
});

describe("a partition", () => {
  it("of three from seven: the seven go on, the three decide nothing (S16)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    const [minority, majority] = [members.slice(0, 3), members.slice(3)];
    const before = minority.map(({ cuts }) => cuts.length);
    mayBeRemoved(mesh, minority);
    mesh.partition(minority, majority);
    mesh.until("the seven agree", () => mesh.agree(majority), DETECTION_MS + 4000);
    mesh.run(60_000);
    assert.deepEqual(
      minority.map(({ cuts }) => cuts.length),
      before,
    );
    for (const { cuts } of majority) assert.equal(cuts.filter(({ kicked }) => kicked.length > 0).length, 1);
    mesh.assertSound();
  });

  for (const [what, sizes] of [
    ["into two halves (S17)", [5, 5]],
    ["into three (S18)", [4, 3, 3]],
  ] as const) {
    it(`${what} decides nothing anywhere, and all are together again once it is over`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(10);
      let from = 0;
      const groups = sizes.map((size) => {
        from += size;
        return members.slice(from - size, from);
      });
      for (const a of groups) for (const b of groups) if (a !== b) mesh.block(a, b);
      const before = viewOf(members[0]!)!.id;
      mesh.run(60_000);
      for (const member of members) assert.equal(viewOf(member)!.id, before);
      mesh.heal();
      // A cut that was proposed meanwhile may still be decided; those whom it removes come back.
      mayBeRemoved(mesh, members);
      mesh.until("all agree", () => mesh.agree(), 180_000);
      mesh.assertSound();
    });
  }

  it("while votes spread leaves no other outcome than the one that some have seen (S19)", () => {
    for (let seed = 1; seed <= 12; seed++) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(8);
      mesh.crash(members[7]!);
      mayBeRemoved(mesh, members);
      let votes = 0;
      mesh.filter = (from, _, request) => {
        if (
          request.kind === "broadcast" &&
          request.gossip.kind === "fastAccepted" &&
          request.gossip.sender === from
        ) {
          votes += 1;
          if (votes === 5 + (seed % 30)) mesh.partition(members.slice(0, 3), members.slice(3));
        }
        return false;
      };
      mesh.run(20_000);
      mesh.heal();
      mesh.run(60_000);
      mesh.assertSound();
    }
  });
});
