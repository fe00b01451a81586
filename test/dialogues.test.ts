// What the real Rust peer said in a dialogue, the model says too, word for word. What is compared with was recorded from the
// real one: UPDATE_SCENARIOS=1 npm run interop -- --only dialogue does so anew.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { ModelStage } from "./dialogues/model-stage.ts";
import { addressesIn, FOLDER, fileOf, perform, textOf } from "./dialogues/performance.ts";
import { SCRIPTS } from "./dialogues/scripts/index.ts";

describe("dialogues with the model of a Rust peer", () => {
  for (const script of SCRIPTS) {
    it(`${script.name}: ${script.about}`, async () => {
      const recorded = readFileSync(fileOf(script), "utf8");
      const addresses = addressesIn(recorded);
      const { lines } = await perform(script, new ModelStage(), addresses);
      assert.equal(textOf(script, addresses, lines), recorded);
    });
  }

  it("are all that is recorded", () => {
    const expected = SCRIPTS.map(({ name }) => `${name}.txt`).sort();
    assert.deepEqual(readdirSync(FOLDER).sort(), expected);
  });
});
