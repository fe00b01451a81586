// When a member is avoided, and for how long; and how many retries there are.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RetryBudget } from "./retry-budget.ts";
import { Standing } from "./standing.ts";

const times = (count: number, run: () => void): void => {
  for (let i = 0; i < count; i++) run();
};

describe("the standing of a member", () => {
  it("suffers from five faults in a row, not from faults among good answers", () => {
    const standing = new Standing();
    times(20, () => {
      times(4, () => assert.equal(standing.faulted(0), false));
      standing.answered();
    });
    assert.equal(standing.isAvoided(0), false);
    times(4, () => standing.faulted(0));
    assert.equal(standing.faulted(0), true);
    assert.equal(standing.isAvoided(4999), true);
    assert.equal(standing.penaltyEndsAfter(0), 5000);
    assert.equal(standing.isAvoided(5000), false);
  });

  it("suffers longer each time, a minute at most, until there is a good answer", () => {
    const standing = new Standing();
    let now = 0;
    const penalty = (): number => {
      times(5, () => standing.faulted(now));
      const ends = standing.penaltyEndsAfter(now)!;
      const took = ends - now;
      now = ends;
      return took;
    };
    assert.deepEqual([penalty(), penalty(), penalty()], [5000, 10_000, 15_000]);
    times(20, penalty);
    assert.equal(penalty(), 60_000);
    standing.answered();
    assert.equal(penalty(), 5000);
  });

  it("does not count what is late to come while a penalty is served", () => {
    const standing = new Standing();
    times(50, () => standing.faulted(0));
    assert.equal(standing.penaltyEndsAfter(0), 5000);
  });

  it("is missing from when it is missed until it is heard, and says so once", () => {
    const standing = new Standing();
    assert.deepEqual([standing.heard(), standing.missed(), standing.missed()], [false, true, false]);
    assert.equal(standing.isAvoided(1e9), true);
    assert.deepEqual([standing.heard(), standing.isAvoided(0)], [true, false]);
  });
});

describe("the retry budget", () => {
  it("allows a share of calls, and some at first", () => {
    const budget = new RetryBudget(0.2);
    let spent = 0;
    while (budget.spend()) spent += 1;
    assert.equal(spent, 20);
    times(50, () => budget.called());
    spent = 0;
    while (budget.spend()) spent += 1;
    assert.ok(spent === 9 || spent === 10, String(spent));
  });

  it("does not save up for ever, and is nothing where nothing is allowed", () => {
    const budget = new RetryBudget(1);
    times(10_000, () => budget.called());
    let spent = 0;
    while (budget.spend()) spent += 1;
    assert.equal(spent, 100);
    assert.equal(new RetryBudget(0).spend(), false);
  });
});
