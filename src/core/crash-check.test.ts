import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host } from "../../test/core/sample-views.ts";
import { CrashCheck, DIAL_EVERY_MS, type Finding } from "./crash-check.ts";
import type { Found, Millis } from "./doorway.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";

const subject = host(1);
const PERIOD = DEFAULT_SETTINGS.faultTimeoutMs;
const NEEDED = 2 * DEFAULT_SETTINGS.faultStrikes;

/** Dials whenever it is time to, with these results, each at once; what it came to, and when. */
function dialAll(check: CrashCheck, results: readonly Found[]): { finding: Finding; at: Millis }[] {
  return results.map((found) => {
    const at = check.wakeAt;
    assert.deepEqual(check.due(at), [subject]);
    assert.equal(check.wakeAt, Infinity, "one at a time");
    return { finding: check.dialled(subject, found, at), at };
  });
}

function times<T>(count: number, one: T): T[] {
  return new Array<T>(count).fill(one);
}

describe("a crash check", () => {
  it("needs two refusals for each strike, in a row and some time apart", () => {
    const check = new CrashCheck(DEFAULT_SETTINGS);
    check.doubt(subject, 1000);
    const dials = dialAll(check, times(NEEDED, "refused"));
    assert.deepEqual(
      dials.map(({ finding }) => finding),
      [...times(NEEDED - 1, undefined), "crashed"],
    );
    assert.deepEqual(
      dials.map(({ at }) => at),
      times(NEEDED, 0).map((_, i) => 1000 + (i + 1) * DIAL_EVERY_MS),
    );
  });

  const ends: readonly (readonly [found: Found, finding: Finding])[] = [
    ["accepted", "alive"],
    ["unknown", undefined],
  ];
  for (const [found, finding] of ends) {
    it(`ends when one of the dials is ${found}, and begins anew from nothing, after a pause`, () => {
      const check = new CrashCheck(DEFAULT_SETTINGS);
      check.doubt(subject, 0);
      const dials = dialAll(check, [...times<Found>(NEEDED - 1, "refused"), found]);
      const { finding: last, at } = dials.at(-1)!;
      assert.equal(last, finding);
      assert.equal(check.isUndecided, false);
      assert.equal(check.wakeAt, Infinity);
      check.doubt(subject, at + 1);
      assert.ok(check.wakeAt >= at + PERIOD / 4);
      const again = dialAll(check, times(NEEDED, "refused")).map((dial) => dial.finding);
      assert.deepEqual(again, [...times(NEEDED - 1, undefined), "crashed"]);
    });
  }

  it("is not begun twice, whoever doubts", () => {
    const check = new CrashCheck(DEFAULT_SETTINGS);
    check.doubt(subject, 0);
    check.due(DIAL_EVERY_MS);
    check.doubt(subject, DIAL_EVERY_MS);
    assert.equal(check.wakeAt, Infinity);
    assert.equal(check.dialled(subject, "refused", DIAL_EVERY_MS), undefined);
    assert.equal(check.isUndecided, true);
  });

  it("takes no result that it did not ask for", () => {
    const check = new CrashCheck(DEFAULT_SETTINGS);
    for (let i = 0; i < NEEDED; i++) assert.equal(check.dialled(subject, "refused", i), undefined);
    check.doubt(subject, 0);
    for (let i = 0; i < NEEDED; i++) assert.equal(check.dialled(subject, "refused", i), undefined);
    assert.equal(check.isUndecided, false);
  });

  it("finds the crashed again at most once in a period, and in a new configuration at once", () => {
    const check = new CrashCheck(DEFAULT_SETTINGS);
    check.doubt(subject, 0);
    const crashedAt = dialAll(check, times(NEEDED, "refused")).at(-1)!.at;
    check.doubt(subject, crashedAt + 1);
    assert.equal(check.wakeAt, crashedAt + PERIOD);
    check.follow(() => true, crashedAt + 10);
    assert.deepEqual(dialAll(check, ["refused"]), [{ finding: "crashed", at: crashedAt + 10 }]);
  });

  it("forgets who is no subject any more", () => {
    const check = new CrashCheck(DEFAULT_SETTINGS);
    check.doubt(subject, 0);
    check.follow(() => false, 1);
    assert.equal(check.wakeAt, Infinity);
    assert.equal(check.dialled(subject, "refused", 2), undefined);
  });
});
