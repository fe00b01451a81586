// Sentences of the Rapid paper (USENIX ATC'18), each with its section, held against the parts that implement them and
// against whole meshes on virtual time.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CutDetector } from "../../src/core/cut-detector.ts";
import { compareEndpoints, type Endpoint } from "../../src/core/endpoint.ts";
import { seededRandom, shuffled } from "../../src/core/random.ts";
import type { View } from "../../src/core/view.ts";
import { type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";
import { K, viewOfSize } from "./sample-views.ts";

/** The cut that a process proposes first when all reports about these come to it one by one in this order. */
function firstProposal(
  view: View,
  reports: readonly (readonly [Endpoint, number])[],
  { high, low }: { readonly high: number; readonly low: number },
): string {
  const detector = new CutDetector(view, { observers: K, high, low });
  for (const [node, ring] of reports) {
    detector.report(node, ring, 0);
    const proposal = detector.proposal();
    if (proposal !== undefined) return proposal.join();
  }
  return "";
}

/** The share of processes whose first proposal misses some of those that failed. */
function conflictShare(failed: number, watermarks: { high: number; low: number }, processes: number): number {
  const view = viewOfSize(200);
  const random = seededRandom(11n);
  let conflicts = 0;
  for (let i = 0; i < processes; i++) {
    const down = shuffled(view.members, random).slice(0, failed).sort(compareEndpoints);
    const reports = down.flatMap((node) => Array.from({ length: K }, (_, ring) => [node, ring] as const));
    if (firstProposal(view, shuffled(reports, random), watermarks) !== down.join()) conflicts += 1;
  }
  return conflicts / processes;
}

describe("Rapid §4.1: expander-based monitoring edges", () => {
  it("every process observes K subjects and is monitored by K observers, duplicates included", () => {
    const view = viewOfSize(100);
    for (const member of view.members) {
      assert.equal(view.subjectsOf(member).length, K);
      assert.equal(view.observersOf(member).length, K);
    }
  });

  it("the topology is deterministic over the membership set: whoever knows it determines the same observers", () => {
    const [one, other] = [viewOfSize(50), viewOfSize(50)];
    for (const member of one.members) assert.deepEqual(one.observersOf(member), other.observersOf(member));
  });

  it("a joiner has K temporary observers, determined by its identity and the configuration", () => {
    const view = viewOfSize(50);
    const joiner = viewOfSize(60).members.find((member) => !view.has(member))!;
    assert.equal(view.observersOf(joiner).length, K);
    assert.ok(view.observersOf(joiner).every((observer) => view.has(observer)));
  });
});

describe("Rapid §4.2: multi-process cut detection", () => {
  it("no process is proposed while any is in the unstable region, and every stable one is then", () => {
    const view = viewOfSize(60);
    const random = seededRandom(1n);
    for (let run = 0; run < 50; run++) {
      const subjects = shuffled(view.members, random).slice(0, 5);
      const detector = new CutDetector(view, { observers: K, high: 9, low: 4 });
      const reports = shuffled(
        subjects.flatMap((node) => Array.from({ length: K }, (_, ring) => [node, ring] as const)),
        random,
      );
      for (const [node, ring] of reports) {
        detector.report(node, ring, 0);
        const counts = subjects.map((subject) => detector.countOf(subject));
        const isUnstable = counts.some((count) => count >= 4 && count < 9);
        const stable = subjects.filter((_, i) => counts[i]! >= 9).sort(compareEndpoints);
        assert.deepEqual(detector.proposal(), isUnstable || stable.length === 0 ? undefined : stable);
      }
    }
  });

  // Figure 11, H = 9, L = 4: about 2 % for two failures, 0.25 % for four, hardly any for more.
  for (const [failed, most] of [
    [2, 0.03],
    [4, 0.01],
    [8, 0.003],
    [16, 0.003],
  ] as const) {
    it(`almost-everywhere agreement (Figure 11): of ${failed} failures at most ${100 * most} % see a part first`, () => {
      assert.ok(conflictShare(failed, { high: 9, low: 4 }, 1000) <= most);
    });
  }

  it("the wider the gap between L and H, the fewer conflicts (Figure 11)", () => {
    const shares = [
      { high: 6, low: 4 },
      { high: 8, low: 4 },
      { high: 9, low: 3 },
    ].map((watermarks) => conflictShare(2, watermarks, 1000));
    assert.ok(shares[0]! > 0.25 && shares[0]! > 3 * shares[1]! && shares[1]! > shares[2]!, shares.join(" "));
  });
});

describe("Rapid §4.3: view changes", () => {
  it("members that propose the same cut decide in one message delay, without a leader", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(20);
    const kinds = new Set<string>();
    mesh.filter = (_, __, request) => {
      if (request.kind === "broadcast") kinds.add(request.gossip.kind);
      return false;
    };
    mesh.crash(members[4]!);
    mesh.until("it is removed", () => mesh.agree(), 10_000);
    assert.deepEqual(kinds, new Set(["alerts", "fastAccepted"]));
    mesh.assertSound();
  });
});

describe("Rapid §7.1: bootstrapping", () => {
  it("a herd of a hundred is in after few view changes, and members report few sizes (Table 1)", () => {
    const mesh = new VirtualMesh(3);
    const members = mesh.grow(100);
    const sizes = new Set(members.flatMap(({ cuts }) => cuts.map(({ view }) => view.size)));
    assert.ok(sizes.size <= 9);
    mesh.assertSound();
  });
});

describe("Rapid §7.2: failures", () => {
  function removals(members: readonly VirtualMember[]): readonly number[] {
    return [...new Set(members.map(({ cuts }) => cuts.filter(({ kicked }) => kicked.length > 0).length))];
  }

  it("ten of sixty that crash at once are removed in one decision by everybody (Figure 8)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(60);
    const dead = shuffled(members, seededRandom(4n)).slice(0, 10);
    mesh.crash(...dead);
    mesh.until("they are removed", () => mesh.agree(), 20_000);
    assert.deepEqual(removals(mesh.living), [1]);
    assert.equal(viewOf(mesh.living[0]!)!.size, 50);
    mesh.assertSound();
  });

  it("flip-flopping loss of all that comes in removes the faulty one at most once per fault, and nobody else (Figure 9)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(24);
    const faulty = members[9]!;
    const others = members.filter((member) => member !== faulty);
    mesh.checker.mayBeRemoved.add(faulty.endpoint);
    for (let i = 0; i < 3; i++) {
      mesh.block(others, [faulty]);
      mesh.run(20_000);
      mesh.heal();
      mesh.run(20_000);
    }
    assert.deepEqual(
      new Set(others.flatMap(({ cuts }) => cuts.flatMap(({ kicked }) => kicked))),
      new Set([faulty.endpoint]),
    );
    for (const count of removals(others)) assert.ok(count <= 3);
    mesh.assertSound();
  });
});
