import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_SETTINGS, faultIn, LOW_LATENCY, type Settings } from "./settings.ts";

function withCutDetector(observers: number, high: number, low: number): Settings {
  return { ...DEFAULT_SETTINGS, cutDetector: { observers, high, low } };
}

describe("settings", () => {
  const sound: readonly (readonly [what: string, settings: Settings])[] = [
    ["the defaults", DEFAULT_SETTINGS],
    ["those for low latency", { ...DEFAULT_SETTINGS, ...LOW_LATENCY }],
    ["the smallest cut detector", withCutDetector(1, 1, 1)],
    ["the largest cut detector", withCutDetector(30, 30, 30)],
    ["the paper's cut detector (Rapid §7)", withCutDetector(10, 9, 3)],
  ];
  for (const [what, settings] of sound) {
    it(`work: ${what}`, () => assert.equal(faultIn(settings), undefined));
  }

  const unsound: readonly (readonly [settings: Settings, fault: string])[] = [
    [withCutDetector(0, 1, 1), "cutDetector.observers: expected a whole number from 1 to 30, got 0"],
    [withCutDetector(31, 9, 4), "cutDetector.observers: expected a whole number from 1 to 30, got 31"],
    [withCutDetector(2.5, 1, 1), "cutDetector.observers: expected a whole number from 1 to 30, got 2.5"],
    [
      withCutDetector(10, 11, 4),
      "cutDetector.high: expected a whole number from 1 to observers (10), got 11",
    ],
    [withCutDetector(10, 0, 0), "cutDetector.high: expected a whole number from 1 to observers (10), got 0"],
    [withCutDetector(10, 9, 10), "cutDetector.low: expected a whole number from 1 to high (9), got 10"],
    [withCutDetector(10, 9, 0), "cutDetector.low: expected a whole number from 1 to high (9), got 0"],
    [
      { ...DEFAULT_SETTINGS, faultTimeoutMs: 9 },
      "faultTimeoutMs: expected whole milliseconds from 10 to 3600000, got 9",
    ],
    [
      { ...DEFAULT_SETTINGS, faultTimeoutMs: Number.NaN },
      "faultTimeoutMs: expected whole milliseconds from 10 to 3600000, got NaN",
    ],
    [{ ...DEFAULT_SETTINGS, faultStrikes: 0 }, "faultStrikes: expected a whole number from 1 to 1000, got 0"],
  ];
  for (const [settings, fault] of unsound) {
    it(`cannot work: ${fault}`, () => assert.equal(faultIn(settings), fault));
  }

  it("are by default the crate's (PROTOCOL §18)", () => {
    assert.deepEqual(DEFAULT_SETTINGS, {
      cutDetector: { observers: 10, high: 9, low: 4 },
      faultTimeoutMs: 2000,
      faultStrikes: 3,
    });
    assert.deepEqual(LOW_LATENCY, { faultTimeoutMs: 150, faultStrikes: 2 });
  });
});
