// Every scenario ends as it should, and goes as it went: what happens is kept in test/scenarios as prose, so that a change
// in behaviour shows up as a difference to read. Where it is meant, UPDATE_SCENARIOS=1 npm test -- test/scenarios writes it anew.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SCENARIOS, simulate, storyOf } from "../src/sim/index.ts";

const FOLDER = "test/scenarios";
const fileOf = (name: string, slug: string): string => `${name}-${slug}.txt`;

describe("scenarios", () => {
  for (const scenario of SCENARIOS) {
    const { name, slug, faults, expected } = scenario;
    it(`${name} ${slug}: ${expected}`, () => {
      const file = join(FOLDER, fileOf(name, slug));
      const { violations, lines } = simulate({ seed: 1n, scenario, isQuick: true, keepsTranscript: true });
      assert.deepEqual(violations, []);
      const told = `${name} ${slug}\nfaults: ${faults}\nexpected: ${expected}\n\n${storyOf(lines)}\n`;
      if (process.env.UPDATE_SCENARIOS) writeFileSync(file, told);
      else assert.equal(told, readFileSync(file, "utf8"));
    });

    it(`${name} ends so from other seeds too`, () => {
      for (const seed of [2n, 3n]) {
        assert.deepEqual(simulate({ seed, scenario, isQuick: true }).violations, [], `seed ${seed}`);
      }
    });
  }

  it("are all that is told of", () => {
    const expected = SCENARIOS.map(({ name, slug }) => fileOf(name, slug)).sort();
    assert.deepEqual(readdirSync(FOLDER).sort(), expected);
  });
});
