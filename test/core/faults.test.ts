// Networks, processes and clocks that fail in part (PITFALLS §3.2: S12–S17, S19–S24). Where something is cut off it must
// decide nothing; what is healthy must not be harmed.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { seededRandom } from "../../src/core/random.ts";
import { at, type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";

const DETECTION_MS = 8000;
const UNSTABLE_MS = 12_000;

function kickedBy(members: readonly VirtualMember[]): ReadonlySet<Endpoint> {
  return new Set(members.flatMap(({ cuts }) => cuts.flatMap(({ kicked }) => kicked)));
}

function mayBeRemoved(mesh: VirtualMesh, members: Iterable<VirtualMember>): void {
  for (const { endpoint } of members) mesh.checker.mayBeRemoved.add(endpoint);
}

describe("a pair that cannot reach each other (S14)", () => {
  for (let size = 3; size <= 7; size++) {
    it(`in ${size} members stays, both of it, and others come and go`, () => {
      for (let seed = 1; seed <= 4; seed++) {
        const mesh = new VirtualMesh(seed);
        const members = mesh.grow(size, 100 * seed);
        mesh.partition([members[0]!], [members[1]!]);
        mesh.run(60_000);
        assert.deepEqual([...kickedBy(members)], []);
        mesh.start(20, { seeds: [members[2]!.endpoint] });
        mesh.until("the joiner is in", () => mesh.agree(), 3 * UNSTABLE_MS);
        assert.deepEqual([...kickedBy(members)], []);
        mesh.assertSound();
      }
    });
  }
});

describe("a member that some cannot reach", () => {
  it("on half of its rings is removed after a while, and joiners come in meanwhile (S15)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(12);
    const victim = members[5]!;
    mayBeRemoved(mesh, [victim]);
    const observers = [...new Set(viewOf(victim)!.observersOf(victim.endpoint))];
    const half = observers.slice(0, observers.length / 2).map((observer) => mesh.members.get(observer)!);
    mesh.block(half, [victim]);
    mesh.until(
      "it is removed",
      () => kickedBy(members).has(victim.endpoint),
      DETECTION_MS + UNSTABLE_MS + 2000,
    );
    const joiner = mesh.start(50, { seeds: [members[0]!.endpoint] });
    mesh.until("a joiner is in", () => viewOf(joiner) !== undefined, 3 * UNSTABLE_MS);
    assert.deepEqual([...kickedBy(members)], [victim.endpoint]);
    mesh.assertSound();
  });

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

  it("because four in five of its messages are lost on the way out is removed; the others never (S13)", () => {
    for (let seed = 1; seed <= 3; seed++) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(24);
      const victim = members[7]!;
      const others = members.filter((member) => member !== victim);
      mayBeRemoved(mesh, [victim]);
      const dice = seededRandom(BigInt(seed));
      mesh.filter = (from) => from === victim.endpoint && dice.below(5) > 0;
      mesh.replyFilter = mesh.filter as never;
      mesh.until("it is removed", () => kickedBy(others).has(victim.endpoint), 60_000);
      mesh.run(20_000);
      assert.deepEqual([...kickedBy(others)], [victim.endpoint]);
      mesh.assertSound();
    }
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

describe("a process that stands still", () => {
  it("for three seconds is missed by nobody (S20)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(8);
    mesh.stall(members[3]!);
    mesh.run(3000);
    mesh.resume(members[3]!);
    mesh.run(30_000);
    assert.deepEqual([...kickedBy(members)], []);
    mesh.assertSound();
  });

  for (const seconds of [30, 600]) {
    it(`for ${seconds} s is removed; it reads of that when it wakes, and comes back (S20)`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(8);
      const sleeper = members[3]!;
      mayBeRemoved(mesh, [sleeper]);
      mesh.stall(sleeper);
      mesh.run(1000 * seconds);
      assert.deepEqual([...kickedBy(members)], [sleeper.endpoint]);
      mesh.resume(sleeper);
      mesh.until("all agree", () => mesh.agree(), 10_000);
      assert.ok(sleeper.cuts.some(({ degraded }) => degraded));
      mesh.assertSound();
    });
  }

  it("now and then, as all of them do for up to 1.5 s, is no reason to remove anybody (S21)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(12);
    const dice = seededRandom(1n);
    const rest = (member: VirtualMember): void => {
      mesh.later(dice.below(4000), () => {
        mesh.stall(member);
        mesh.later(dice.below(1500), () => {
          mesh.resume(member);
          rest(member);
        });
      });
    };
    for (const member of members) rest(member);
    mesh.run(120_000);
    assert.deepEqual([...kickedBy(members)], []);
    mesh.assertSound();
  });
});

describe("messages", () => {
  it("that arrive five times, out of order and up to ten seconds late do no harm, and in the end all agree (S22)", () => {
    for (let seed = 1; seed <= 3; seed++) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(8);
      mesh.latencyMs = [1, 10_000];
      mesh.duplication = 0.8;
      mesh.crash(members[2]!);
      mesh.start(20, { seeds: members.map(({ endpoint }) => endpoint) });
      mesh.run(60_000);
      mayBeRemoved(mesh, mesh.living);
      mesh.assertSound();
      mesh.latencyMs = [1, 5];
      mesh.duplication = 0;
      mesh.until("all agree", () => mesh.agree(), 180_000);
      mesh.assertSound();
    }
  });

  for (const loss of [0.02, 0.05, 0.2, 0.4]) {
    it(`of which ${100 * loss} % are lost never lead to two histories (S23)`, () => {
      for (let seed = 1; seed <= 2; seed++) {
        const mesh = new VirtualMesh(seed);
        const members = mesh.grow(10);
        mesh.loss = loss;
        mesh.crash(members[4]!);
        mesh.start(20, { seeds: members.map(({ endpoint }) => endpoint) });
        mesh.run(60_000);
        // A probe that loses either of its messages fails. Of 5 %, that makes some false reports in a minute and a mesh
        // of ten, and two observers that err about the same member are enough for the others to join in.
        if (loss > 0.02) mayBeRemoved(mesh, mesh.living);
        mesh.assertSound();
      }
    });
  }
});

describe("clocks that are wrong (S24, PITFALLS B17)", () => {
  const HOUR = 3_600_000;
  for (const hours of [-2, 2, -50, 50, -400_000]) {
    it(`by ${hours} h on one of five make no difference`, () => {
      const mesh = new VirtualMesh(1);
      mesh.start(1);
      for (let port = 2; port <= 5; port++) {
        mesh.start(port, { seeds: [at(1)], aheadMs: port === 3 ? Math.max(hours * HOUR, -mesh.now) : 0 });
      }
      mesh.until("five agree", () => mesh.agree(), 5000);
      mesh.crash(mesh.members.get(at(5))!);
      mesh.until("four agree", () => mesh.agree(), DETECTION_MS + 2000);
      mesh.start(6, { seeds: [at(3)] });
      mesh.until("five agree again", () => mesh.agree(), 5000);
      mesh.assertSound();
    });
  }

  it("are told to the operator of the machine that is wrong, once", () => {
    const mesh = new VirtualMesh(1);
    mesh.start(1);
    for (let port = 2; port <= 8; port++)
      mesh.start(port, { seeds: [at(1)], aheadMs: port === 3 ? 5 * HOUR : 0 });
    mesh.until("eight agree", () => mesh.agree(), 5000);
    for (let port = 20; port < 24; port++) {
      mesh.start(port, { seeds: [at(1)] });
      mesh.until("it is in", () => mesh.agree(), 5000);
    }
    const warned = [...mesh.members.values()].filter(({ notes }) => notes.some((note) => /clock/.test(note)));
    assert.deepEqual(
      warned.map(({ endpoint }) => endpoint),
      [at(3)],
    );
    assert.deepEqual(
      warned[0]!.notes.filter((note) => /clock/.test(note)),
      ["warn: this machine's clock is 18000 s ahead of the other members'"],
    );
  });
});
