import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { viewOfSize } from "../../test/core/sample-views.ts";
import { VirtualMesh } from "../../test/virtual-mesh.ts";
import { patienceMs, retryMs, turnMs } from "./coordinator-timing.ts";
import type { Endpoint } from "./endpoint.ts";
import { nodeIndexOf } from "./hash.ts";
import { seededRandom } from "./random.ts";

const random = seededRandom(1n);
const NOBODY: ReadonlySet<Endpoint> = new Set();
const byRank = (a: Endpoint, b: Endpoint): number => (nodeIndexOf(a) > nodeIndexOf(b) ? -1 : 1);

describe("when a classic round is begun", () => {
  it("where the fast one is hopeless, the members take turns, the highest rank first", () => {
    const view = viewOfSize(40);
    const inTurn = [...view.members].sort(byRank);
    const waits = inTurn.map((member) => turnMs(view, member, NOBODY, random));
    assert.deepEqual(waits.slice(0, 5), [50, 150, 250, 350, 450]);
    for (const wait of waits.slice(5)) assert.ok(wait >= 550 && wait < 550 + 1000);
  });

  it("members that are going are passed over", () => {
    const view = viewOfSize(40);
    const [first, second, third] = [...view.members].sort(byRank);
    assert.equal(turnMs(view, third!, new Set([first!, second!]), random), 50);
  });

  it("otherwise after the crate's delay, up to 4 s for each doubling of the members", () => {
    const waits = Array.from({ length: 1000 }, () => patienceMs(viewOfSize(3), random));
    assert.ok(Math.min(...waits) >= 1000 && Math.max(...waits) < 8000);
  });

  it("again after a pause that doubles with the rounds, up to half a minute", () => {
    for (const [round, base] of [
      [2, 1000],
      [3, 2000],
      [20, 15_000],
    ] as const) {
      const wait = retryMs(round, random);
      assert.ok(wait >= base && wait < 2 * base, `${wait} ms after round ${round}`);
    }
  });
});

describe("a mesh that lost more than a quarter at once", () => {
  for (const [size, dead] of [
    [3, 1],
    [10, 3],
    [40, 12],
  ] as const) {
    it(`of ${size} has one coordinator`, () => {
      const mesh = new VirtualMesh(3);
      const members = mesh.grow(size);
      mesh.run(5000);
      const coordinators = new Set<Endpoint>();
      mesh.filter = (from, _to, request) => {
        const gossip = request.kind === "broadcast" ? request.gossip : request;
        if (gossip.kind === "prepare" && gossip.sender === from) coordinators.add(from);
        return false;
      };
      mesh.crash(...members.slice(0, dead));
      mesh.until("the rest agree", () => mesh.agree(), 5000);
      assert.equal(coordinators.size, 1);
      mesh.assertSound();
    });
  }

  it("goes on with the next in turn where the first dies as well", () => {
    const mesh = new VirtualMesh(3);
    const members = mesh.grow(10);
    mesh.run(5000);
    let hasDied = false;
    mesh.filter = (from, _to, request) => {
      const gossip = request.kind === "broadcast" ? request.gossip : request;
      if (gossip.kind !== "prepare" || gossip.sender !== from || hasDied) return false;
      hasDied = true;
      mesh.later(0, () => mesh.crash(mesh.members.get(from)!));
      return true;
    };
    mesh.crash(...members.slice(0, 3));
    mesh.until("the rest agree", () => mesh.agree(), 10_000);
    assert.equal(mesh.living.length, 6);
    mesh.assertSound();
  });
});
