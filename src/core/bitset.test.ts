import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Bitset, countOnes } from "./bitset.ts";

describe("a bitset", () => {
  it("holds what a set of numbers holds, and knows how many", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(99)), (numbers) => {
        const bits = new Bitset(100);
        const set = new Set<number>();
        for (const number of numbers) {
          assert.equal(bits.add(number), !set.has(number));
          set.add(number);
        }
        assert.equal(bits.size, set.size);
        for (let i = 0; i < 100; i++) assert.equal(bits.has(i), set.has(i));
      }),
    );
  });

  it("counts the ones of a word as its binary text does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (word) => {
        assert.equal(countOnes(word), word.toString(2).replaceAll("0", "").length);
      }),
    );
  });
});
