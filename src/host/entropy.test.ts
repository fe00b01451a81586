// The dice of the real world.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemRandom } from "./entropy.ts";

describe("the dice", () => {
  it("do not repeat themselves, and keep to their limits", () => {
    const random = systemRandom();
    const drawn = new Set(Array.from({ length: 1000 }, () => random.u64()));
    assert.equal(drawn.size, 1000);
    const small = new Set(Array.from({ length: 1000 }, () => random.below(5)));
    assert.deepEqual([...small].sort(), [0, 1, 2, 3, 4]);
  });
});
