// Herds on real processes, a few of each kind. Hundreds of them: `npm run bench -- herd --runs 100`.

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type HerdEvent, Herds, TIMEOUT_MS } from "./herds.ts";

async function drive(t: TestContext, event: HerdEvent, runs: number, loadsMax: number): Promise<void> {
  const herds = await Herds.open();
  t.after(() => herds.close());
  for (let run = 0; run < runs; run++) {
    const { loads, failures, slowestMs } = await herds.run(event);
    assert.deepEqual(failures, []);
    assert.ok(loads >= 1 && loads <= loadsMax, `${loads} loads`);
    assert.ok(slowestMs <= TIMEOUT_MS, `somebody waited ${slowestMs} ms`);
  }
}

describe("a thousand callers on three processes, and a key that nobody has", () => {
  it("is loaded once", (t) => drive(t, "calm", 5, 1));
  it("is loaded at most twice where another member joins meanwhile", (t) => drive(t, "join", 2, 2));
  it("is loaded at most twice where one is killed, loading or not", (t) => drive(t, "kill", 2, 2));
});
