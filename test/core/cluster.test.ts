// ClusterTest of Java Rapid, case by case, on a virtual mesh. Its netty cases run over real sockets elsewhere.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { seededRandom, shuffled } from "../../src/core/random.ts";
import { at, type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";

function some(members: readonly VirtualMember[], count: number): readonly VirtualMember[] {
  return shuffled(members.slice(1), seededRandom(5n)).slice(0, count);
}

function kickedBy(members: readonly VirtualMember[]): Set<Endpoint> {
  return new Set(members.flatMap(({ cuts }) => cuts.flatMap(({ kicked }) => kicked)));
}

function agree(mesh: VirtualMesh, size: number, withinMs?: number): void {
  mesh.until(`${size} agree`, () => mesh.living.length === size && mesh.agree(), withinMs);
}

/** How many calls a joiner makes: one to each distinct observer. */
function callsOfJoiner(members: readonly VirtualMember[], joiner: Endpoint): number {
  return new Set(members[0]!.cuts.at(-1)!.view.observersOf(joiner)).size;
}

describe("ClusterTest of Java Rapid", () => {
  it("singleNodeJoinsThroughSeed", () => {
    const mesh = new VirtualMesh(1);
    const seed = mesh.start(1);
    agree(mesh, 1);
    mesh.start(2, { seeds: [at(1)] });
    agree(mesh, 2);
    assert.deepEqual(
      seed.cuts.map(({ view }) => view.size),
      [1, 2],
    );
    mesh.assertSound();
  });

  for (const [name, size] of [
    ["tenNodesJoinSequentially", 10],
    ["twentyNodesJoinSequentially", 20],
  ] as const) {
    it(name, () => {
      const mesh = new VirtualMesh(1);
      mesh.start(1);
      for (let i = 2; i <= size; i++) {
        mesh.start(i, { seeds: [at(1)] });
        agree(mesh, i);
      }
      for (const [i, { cuts }] of [...mesh.members.values()].entries()) {
        assert.deepEqual(
          cuts.map(({ view }) => view.size),
          Array.from({ length: size - i }, (_, j) => i + 1 + j),
        );
      }
      mesh.assertSound();
    });
  }

  it("hundredNodesJoinInParallel, in a few view changes and with the metadata that they bring", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(100);
    assert.ok(members[0]!.cuts.length <= 4);
    for (const { endpoint, metadata } of members) {
      for (const other of members) assert.deepEqual(viewOf(other)!.recordOf(endpoint)!.metadata, metadata);
    }
    mesh.assertSound();
  });

  it("fiftyNodesJoinTwentyNodeCluster", () => {
    const mesh = new VirtualMesh(1);
    mesh.grow(20);
    for (let port = 100; port < 150; port++) mesh.start(port, { seeds: [at(1 + (port % 20))] });
    agree(mesh, 70, 15_000);
    mesh.assertSound();
  });

  it("oneFailureOutOfFiveNodes", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    mesh.crash(members[2]!);
    agree(mesh, 4, 10_000);
    assert.deepEqual(kickedBy(mesh.living), new Set([members[2]!.endpoint]));
    mesh.assertSound();
  });

  it("concurrentNodeJoinsAndFails: of thirty, five crash while ten join", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(30);
    const dead = some(members, 5);
    mesh.crash(...dead);
    for (let port = 100; port < 110; port++) mesh.start(port, { seeds: [at(1)] });
    agree(mesh, 35, 30_000);
    assert.deepEqual(kickedBy(mesh.living), new Set(dead.map(({ endpoint }) => endpoint)));
    mesh.assertSound();
  });

  it("concurrentNodeJoins: waves of joiners through random seeds", () => {
    const mesh = new VirtualMesh(1);
    const random = seededRandom(5n);
    mesh.grow(5);
    for (let wave = 0; wave < 6; wave++) {
      for (let i = 0; i < 2; i++) {
        mesh.start(10 + 2 * wave + i, { seeds: [at(1 + random.below(5))] });
      }
      mesh.run(random.below(150));
    }
    agree(mesh, 17, 20_000);
    mesh.assertSound();
  });

  for (const [name, count] of [
    ["failRandomQuarterOfNodes", 12],
    ["failRandomThirdOfNodes, which is more than the fast round can bear", 16],
  ] as const) {
    it(name, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(50);
      const dead = some(members, count);
      mesh.crash(...dead);
      agree(mesh, 50 - count, 20_000);
      assert.deepEqual(kickedBy(mesh.living), new Set(dead.map(({ endpoint }) => endpoint)));
      mesh.assertSound();
    });
  }

  it("failTenRandomNodes: ten of fifty are thought dead but live; they are removed, learn it, and come back", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(50);
    const accused = new Set(some(members, 10).map(({ endpoint }) => endpoint));
    for (const endpoint of accused) mesh.checker.mayBeRemoved.add(endpoint);
    mesh.filter = (_, to, request) => request.kind === "probe" && accused.has(to);
    mesh.until(
      "all ten know",
      () => [...accused].every((e) => mesh.members.get(e)!.cuts.at(-1)!.degraded),
      20_000,
    );
    mesh.filter = () => false;
    assert.deepEqual(kickedBy(members), accused);
    agree(mesh, 50, 30_000);
    mesh.assertSound();
  });

  it("injectAsymmetricDrops: ten of fifty drop their first hundred probes, and just those are removed", () => {
    const mesh = new VirtualMesh(2);
    const members = mesh.grow(50);
    const deaf = new Map(some(members, 10).map(({ endpoint }) => [endpoint, 100]));
    for (const endpoint of deaf.keys()) mesh.checker.mayBeRemoved.add(endpoint);
    mesh.filter = (_, to, request) => {
      const left = deaf.get(to) ?? 0;
      if (request.kind !== "probe" || left === 0) return false;
      deaf.set(to, left - 1);
      return true;
    };
    mesh.until("the ten are removed", () => kickedBy(members).size >= 10, 20_000);
    agree(mesh, 50, 60_000);
    assert.deepEqual(kickedBy(members), new Set(deaf.keys()));
    mesh.assertSound();
  });

  // Java repeats a call, we ask all observers on all rings: any one that answers suffices.
  it("phase2MessageDropsRpcRetries: a joiner gets in while one of its joins is answered", () => {
    const mesh = new VirtualMesh(1);
    const calls = callsOfJoiner(mesh.grow(5), at(9));
    mesh.replyFilter = (_, to, reply) => to === at(9) && reply.kind === "joined" && ++joined < calls;
    let joined = 0;
    mesh.start(9, { seeds: [at(1)] });
    agree(mesh, 6, 2000);
    mesh.assertSound();
  });

  it("phase2JoinAttemptRetry: a joiner whose joins are all lost at first tries again and gets in", () => {
    const mesh = new VirtualMesh(1);
    const calls = callsOfJoiner(mesh.grow(5), at(9));
    let lost = 0;
    mesh.filter = (from, _, request) => from === at(9) && request.kind === "join" && lost++ < calls;
    mesh.start(9, { seeds: [at(1)] });
    agree(mesh, 6, 10_000);
    assert.ok(lost > calls);
    mesh.assertSound();
  });

  it("phase2JoinAttemptRetryWithConfigChange: the configuration changes between the phases", () => {
    const mesh = new VirtualMesh(1);
    mesh.grow(5);
    // The first joiner's joins wait until the second is in.
    const waiting: (() => boolean)[] = [() => mesh.living.some((m) => viewOf(m)?.has(at(8)))];
    mesh.filter = (from, _, request) => from === at(9) && request.kind === "join" && !waiting[0]!();
    mesh.start(9, { seeds: [at(1)] });
    mesh.run(50);
    mesh.start(8, { seeds: [at(2)] });
    agree(mesh, 7, 10_000);
    mesh.assertSound();
  });

  it("testRejoinSingleNode: stop, be removed, and come back at the same address, twice", () => {
    const mesh = new VirtualMesh(1);
    mesh.grow(10);
    const uuids = new Set<string>();
    for (let i = 0; i < 2; i++) {
      mesh.crash(mesh.members.get(at(4))!);
      mesh.until("it is removed", () => mesh.living.every((m) => !viewOf(m)!.has(at(4))), 15_000);
      mesh.start(4, { seeds: [at(1)] });
      agree(mesh, 10, 15_000);
      uuids.add(viewOf(mesh.members.get(at(1))!)!.recordOf(at(4))!.uuid!);
    }
    assert.equal(uuids.size, 2);
    mesh.assertSound();
  });

  it("testRejoinSingleNodeSameConfiguration: not before it was removed", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mesh.crash(members[3]!);
    const back = mesh.start(4, { seeds: [at(1)] });
    const isToldSo = (): boolean => back.notes.some((note) => /host already exists/.test(note));
    mesh.until("it is told so", isToldSo, 2000);
    assert.deepEqual(back.cuts, []);
    agree(mesh, 10, 20_000);
    assert.equal(back.cuts.length >= 1, true);
    mesh.assertSound();
  });

  it("testRejoinMultipleNodes: five of thirty stop and come back three times, all at once", () => {
    const mesh = new VirtualMesh(1);
    mesh.grow(30);
    for (let i = 0; i < 3; i++) {
      for (let port = 10; port < 15; port++) mesh.crash(mesh.members.get(at(port))!);
      for (let port = 10; port < 15; port++) mesh.start(port, { seeds: [at(1)] });
      agree(mesh, 30, 40_000);
    }
    mesh.assertSound();
  });

  it("testLeaving: the seed leaves, and the other ten agree within a second", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(11);
    mesh.leave(members[0]!);
    agree(mesh, 10, 1000);
    assert.equal(members[0]!.wasRemoved, true);
    mesh.assertSound();
  });

  it("a member that is not there refuses connections, and nobody minds for long", () => {
    const mesh = new VirtualMesh(1);
    mesh.start(1);
    const joiner = mesh.start(2, { seeds: [at(77), at(1)] });
    agree(mesh, 2, 10_000);
    assert.equal(joiner.cuts.length, 1);
  });
});
