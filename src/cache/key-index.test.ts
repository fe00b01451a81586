import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Key } from "./key.ts";
import { hashOf, hashOfAscii, KeyIndex } from "./key-index.ts";
import { NOWHERE } from "./records.ts";

describe("an index", () => {
  it("finds what was added and not removed, also where hashes are equal or close", () => {
    const hash = fc.oneof(fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)), fc.integer(), fc.nat({ max: 9 }));
    const step = fc.record({ name: fc.nat({ max: 99 }), isAdded: fc.boolean(), moves: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(hash, { minLength: 100, maxLength: 100 }),
        fc.array(step, { maxLength: 300, size: "max" }),
        (hashes, steps) => {
          const names: string[] = [];
          const index = new KeyIndex({ hasKey: (place, key) => names[place] === key });
          const model = new Map<string, number>();
          const check = (name: string): void =>
            assert.equal(index.find(hashes[Number(name)]!, name as Key), model.get(name) ?? NOWHERE);
          for (const { name: number, isAdded, moves } of steps) {
            const name = String(number);
            const before = model.get(name);
            if (before !== undefined && moves) {
              index.move(hashes[number]!, before, names.push(name) - 1);
              model.set(name, names.length - 1);
            } else if (before !== undefined) {
              index.remove(hashes[number]!, before);
              model.delete(name);
            } else if (isAdded) {
              index.add(hashes[number]!, names.push(name) - 1);
              model.set(name, names.length - 1);
            }
            check(name);
          }
          for (let i = 0; i < 100; i++) check(String(i));
          assert.equal(index.size, model.size);
        },
      ),
    );
  });
});

describe("the hash of a text", () => {
  it("is that of its key where it is ASCII, and none where its key is another text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "grapheme" })), (text) => {
        const isAscii = Buffer.byteLength(text) === text.length;
        assert.equal(hashOfAscii(text), isAscii ? hashOf(text) : undefined);
      }),
    );
    assert.equal(hashOfAscii("\x7f"), hashOf("\x7f"));
    assert.equal(hashOfAscii("\x80"), undefined);
  });
});
