import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scenarioOf } from "./scenarios/index.ts";
import { simulate } from "./simulation.ts";

describe("a simulation", () => {
  it("is the same from the same seed, and another from another", () => {
    const run = (seed: bigint) => {
      const { traceHash, steps, messages, virtualMs } = simulate({ seed, members: 5, durationMs: 20_000 });
      return { traceHash, steps, messages, virtualMs };
    };
    assert.deepEqual(run(7n), run(7n));
    assert.notEqual(run(7n).traceHash, run(8n).traceHash);
  });

  it("finds nothing wrong with small meshes in any weather", () => {
    for (let seed = 1n; seed <= 20n; seed++) {
      const { violations } = simulate({ seed, members: 2 + Number(seed % 5n), durationMs: 30_000 });
      assert.deepEqual(violations, [], `seed ${seed}`);
    }
  });
});

describe("scenarios", () => {
  it("are known by name and by slug", () => {
    assert.equal(scenarioOf("s4")?.slug, "crash-k-at-once");
    assert.equal(scenarioOf("crash-k-at-once")?.name, "S4");
    assert.equal(scenarioOf("S4-crash-k-at-once")?.name, "S4");
    assert.equal(scenarioOf("S999"), undefined);
  });
});
