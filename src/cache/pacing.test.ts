import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inTurn, UNDER_WAY_MAX } from "./pacing.ts";

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("work in turn", () => {
  it("goes through every lane in order, with no more than so many of each under way", async () => {
    const begun: Record<string, number[]> = { few: [], many: [] };
    const underWay: Record<string, number> = { few: 0, many: 0 };
    const most: Record<string, number> = { few: 0, many: 0 };
    const laneOf = (i: number): string | undefined =>
      i % 1000 === 0 ? "few" : i % 2 === 0 ? undefined : "many";
    await inTurn(5000, laneOf, async (i) => {
      const lane = laneOf(i)!;
      begun[lane]!.push(i);
      underWay[lane]! += 1;
      most[lane] = Math.max(most[lane]!, underWay[lane]!);
      await settled();
      underWay[lane]! -= 1;
    });
    assert.deepEqual(begun, {
      few: [0, 1000, 2000, 3000, 4000],
      many: Array.from({ length: 2500 }, (_, i) => 2 * i + 1),
    });
    assert.equal(most.many, UNDER_WAY_MAX);
    assert.deepEqual(underWay, { few: 0, many: 0 });
  });

  it("begins all of a short list before anything else has its turn", async () => {
    const begun: number[] = [];
    const all = inTurn(
      UNDER_WAY_MAX,
      () => "",
      async (i) => void begun.push(i),
    );
    assert.equal(begun.length, UNDER_WAY_MAX);
    await all;
  });

  it("has nothing to do for no items, and for items without a lane", async () => {
    const fail = async (): Promise<void> => assert.fail();
    await inTurn(0, () => "", fail);
    await inTurn(3000, () => undefined, fail);
  });

  it("begins no more once a piece has failed, in any lane", async () => {
    let begun = 0;
    const failed = inTurn(
      10_000,
      (i) => (i < 1000 ? "one" : "other"),
      async (i) => {
        begun += 1;
        await settled();
        if (i === 5) throw new Error("the sixth");
      },
    );
    await assert.rejects(failed, /the sixth/);
    const before = begun;
    for (let turn = 0; turn < 20; turn++) await settled();
    assert.equal(begun, before);
    assert.ok(begun <= 2 * UNDER_WAY_MAX, `${begun} begun`);
  });

  it("fails where an item cannot be looked at", async () => {
    const wrong = inTurn(
      3000,
      (i) => {
        if (i === 2000) throw new Error("which lane?");
        return "";
      },
      settled,
    );
    await assert.rejects(wrong, /which lane/);
  });
});
