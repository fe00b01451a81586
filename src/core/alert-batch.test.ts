import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, joiner } from "../../test/core/sample-views.ts";
import { AlertBatch, JOINS_WINDOW_MS } from "./alert-batch.ts";
import { BATCH_WINDOW_MS } from "./arrivals.ts";

describe("a batch of alerts (PROTOCOL §9)", () => {
  it("is due 100 ms after its first edge, which later ones do not put off", () => {
    const batch = new AlertBatch();
    assert.equal(batch.dueAt, Infinity);
    batch.add({ node: host(1), ring: 0 }, 1000);
    batch.add({ node: host(2), ring: 0 }, 1090);
    assert.equal(BATCH_WINDOW_MS, 100);
    assert.equal(batch.dueAt, 1100);
  });

  it("stays open for 100 ms after each new joiner, and for 1 s in all", () => {
    const batch = new AlertBatch();
    const dueAt: number[] = [];
    for (let i = 0; i < 13; i++) {
      batch.add({ node: host(i), ring: 0, join: joiner(i) }, 1000 + 80 * i);
      dueAt.push(batch.dueAt);
    }
    assert.equal(JOINS_WINDOW_MS, 1000);
    assert.deepEqual(dueAt, [1100, 1180, 1260, 1340, 1420, 1500, 1580, 1660, 1740, 1820, 1900, 1980, 2000]);
  });

  it("is not kept open by a joiner that is told of again, nor where somebody is down", () => {
    const batch = new AlertBatch();
    batch.add({ node: host(1), ring: 0, join: joiner(1) }, 1000);
    batch.add({ node: host(1), ring: 0, join: joiner(1) }, 1050);
    assert.equal(batch.dueAt, 1100);
    batch.add({ node: host(2), ring: 0 }, 1060);
    batch.add({ node: host(3), ring: 0, join: joiner(3) }, 1090);
    assert.equal(batch.dueAt, 1100);
  });

  it("keeps the order of arrival and each edge once", () => {
    const batch = new AlertBatch();
    const edges = [
      { node: host(2), ring: 1 },
      { node: host(1), ring: 0 },
      { node: host(1), ring: 1 },
    ];
    for (const edge of [...edges, ...edges]) batch.add(edge, 0);
    assert.deepEqual(batch.take(), edges);
  });

  it("keeps each incarnation of a joiner on a ring, with its newest data", () => {
    const batch = new AlertBatch();
    batch.add({ node: host(1), ring: 0, join: joiner(1) }, 0);
    batch.add({ node: host(1), ring: 0, join: joiner(2) }, 0);
    batch.add({ node: host(1), ring: 0, join: joiner(1) }, 0);
    assert.deepEqual(
      batch.take().map((edge) => edge.join?.uuid),
      [joiner(1).uuid, joiner(2).uuid],
    );
  });

  it("is empty once taken, and starts a window of its own with the next edge", () => {
    const batch = new AlertBatch();
    batch.add({ node: host(1), ring: 0 }, 1000);
    batch.take();
    assert.deepEqual([batch.dueAt, batch.take()], [Infinity, []]);
    batch.add({ node: host(1), ring: 0 }, 5000);
    assert.equal(batch.dueAt, 5100);
  });

  it("does not wait where it is hurried, unless there is nothing to tell", () => {
    const batch = new AlertBatch();
    batch.hurry([], 1000);
    assert.equal(batch.dueAt, Infinity);
    batch.add({ node: host(1), ring: 0 }, 1000);
    batch.hurry([{ node: host(1), ring: 1 }], 1001);
    assert.equal(batch.dueAt, 1001);
    assert.equal(batch.take().length, 2);
  });

  describe("of a lone founder", () => {
    const join = (i: number) => ({ node: host(i), ring: 0, join: joiner(i) });

    it("closes soon where no joiner is on the way", () => {
      const batch = new AlertBatch();
      batch.follow(true);
      batch.expect(host(1), 990);
      assert.equal(batch.dueAt, Infinity);
      batch.add(join(1), 1000);
      assert.equal(batch.dueAt, 1020);
    });

    it("stays open for those on the way, but for 1 s in all", () => {
      const batch = new AlertBatch();
      batch.follow(true);
      batch.add(join(1), 1000);
      batch.expect(host(2), 1010);
      assert.equal(batch.dueAt, 1110);
      for (let at = 1080; at < 2500; at += 80) batch.expect(host(at), at);
      assert.equal(batch.dueAt, 2000);
    });

    it("is as any other once there are others", () => {
      const batch = new AlertBatch();
      batch.follow(true);
      batch.follow(false);
      batch.expect(host(1), 1000);
      batch.add(join(2), 1010);
      batch.expect(host(3), 1050);
      assert.equal(batch.dueAt, 1110);
    });
  });
});
