import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drawNodeId, seededRandom, shuffled } from "./random.ts";

describe("seeded dice", () => {
  it("are splitmix64, so that a seed means the same everywhere", () => {
    const random = seededRandom(1234567n);
    assert.deepEqual(
      [random.u64(), random.u64(), random.u64()],
      [6457827717110365317n, 3203168211198807973n, 9817491932198370423n],
    );
  });

  it("fall below the limit, and on every number below it", () => {
    const random = seededRandom(1n);
    const seen = new Set(Array.from({ length: 500 }, () => random.below(7)));
    assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6]);
  });

  it("shuffle without losing or doubling anything", () => {
    const things = Array.from({ length: 50 }, (_, i) => i);
    const order = shuffled(things, seededRandom(1n));
    assert.notDeepEqual(order, things);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      things,
    );
    assert.deepEqual(shuffled(things, seededRandom(1n)), order);
  });

  it("give uuids of 128 bits, each another", () => {
    const random = seededRandom(1n);
    const uuids = new Set(Array.from({ length: 1000 }, () => drawNodeId(random)));
    assert.equal(uuids.size, 1000);
    for (const uuid of uuids) assert.match(uuid, /^[0-9a-f]{32}$/);
  });
});
