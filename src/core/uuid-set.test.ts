import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { uuid } from "../../test/core/sample-views.ts";
import { UuidSet } from "./uuid-set.ts";

describe("a set of uuids", () => {
  it("has what was ever put into it, ascending, and leaves the one before as it was", () => {
    const few = fc.array(fc.nat(400).map(uuid), { maxLength: 50 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(400).map(uuid)), fc.array(few, { maxLength: 12 }), (first, steps) => {
        const expected = new Set(first);
        let set = UuidSet.of(first);
        for (const step of steps) {
          const before = set;
          const beforeAscending = [...expected].sort();
          set = before.with(step);
          for (const one of step) expected.add(one);
          assert.deepEqual(before.ascending, beforeAscending);
          assert.deepEqual(set.ascending, [...expected].sort());
        }
        for (let i = 0; i <= 400; i++) assert.equal(set.has(uuid(i)), expected.has(uuid(i)));
      }),
    );
  });

  it("is the same where nothing is new, and takes no uuid twice from a peer", () => {
    const set = UuidSet.of([uuid(2), uuid(1)]);
    assert.equal(set.with([uuid(1)]), set);
    assert.deepEqual(set.with([uuid(3), uuid(3)]).ascending, [uuid(1), uuid(2), uuid(3)]);
    assert.throws(() => UuidSet.of([uuid(1), uuid(1)]), RangeError);
  });

  it("costs a long history little for each configuration that is kept", () => {
    const kept: UuidSet[] = [];
    let set = UuidSet.of([]);
    const heapOf = (): number => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    };
    const names = Array.from({ length: 40_000 }, (_, i) => uuid(i));
    set = set.with(names.slice(0, 39_000));
    const before = heapOf();
    for (const name of names.slice(39_000)) {
      set = set.with([name]);
      kept.push(set);
    }
    // Each of the 1,000 would be 320 KB if it had them all for itself.
    assert.ok(heapOf() - before < 40 * 1024 * 1024);
    assert.equal(kept.at(-1)!.ascending.length, 40_000);
  });
});
