import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { JoinerUuid } from "./joiner-uuid.ts";
import { seededRandom } from "./random.ts";

describe("by which uuid a joiner asks (PITFALLS B3)", () => {
  function joiner(): { own: JoinerUuid; first: string } {
    const own = new JoinerUuid(seededRandom(1n));
    return { own, first: own.uuid };
  }

  it("stays the same over rounds in which nobody says that it is used", () => {
    const { own, first } = joiner();
    own.judge(0);
    own.good();
    own.judge(60_000);
    assert.equal(own.uuid, first);
  });

  it("changes after a round in which it is used and nobody names observers for it", () => {
    const { own, first } = joiner();
    own.good();
    own.judge(0);
    own.used(100);
    assert.equal(own.uuid, first);
    own.judge(200);
    assert.notEqual(own.uuid, first);
  });

  it("stays the same for half a minute where others name observers for it in the same round", () => {
    const { own, first } = joiner();
    for (const now of [1000, 20_000, 30_999]) {
      own.used(now);
      own.good();
      own.judge(now);
      assert.equal(own.uuid, first, `at ${now}`);
    }
    own.used(31_000);
    own.good();
    own.judge(31_000);
    const second = own.uuid;
    assert.notEqual(second, first);
    own.used(31_100);
    own.good();
    own.judge(31_100);
    assert.equal(own.uuid, second);
  });

  it("waits the half minute anew after a round in which nobody says any more that it is used", () => {
    const { own, first } = joiner();
    own.used(1000);
    own.good();
    own.judge(1000);
    own.judge(15_000);
    own.used(30_999);
    own.good();
    own.judge(30_999);
    assert.equal(own.uuid, first, "a round in which nobody answers ends no dispute, and 30 s are not over");
    own.good();
    own.judge(31_500);
    for (const now of [32_000, 61_999]) {
      own.used(now);
      own.good();
      own.judge(now);
      assert.equal(own.uuid, first, `at ${now}`);
    }
    own.used(62_000);
    own.good();
    own.judge(62_000);
    assert.notEqual(own.uuid, first);
  });
});
