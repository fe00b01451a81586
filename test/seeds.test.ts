// Seeds that once failed, and must not fail again. Each is a small file that says which rule it broke.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { optionsOf, parseSeedFile } from "../src/cli/seed-file.ts";
import { simulate } from "../src/sim/index.ts";

const FOLDER = "test/seeds";

describe("seeds that were kept", () => {
  for (const file of readdirSync(FOLDER).sort()) {
    const kept = parseSeedFile(readFileSync(join(FOLDER, file), "utf8"));
    it(`${file}: ${kept.why}`, () => {
      assert.notEqual(kept.why, undefined, "say in `why` what it once showed");
      assert.deepEqual(simulate(optionsOf(kept)).violations, []);
    });
  }
});

describe("a seed file", () => {
  const wrong: readonly (readonly [text: string, message: RegExp])[] = [
    ["{", /expected a JSON object/],
    ["[1]", /expected a JSON object/],
    ["{}", /seed: expected a whole number, got nothing/],
    ['{"seed":-1}', /seed: expected a whole number, got -1/],
    ['{"seed":1,"members":0}', /members: expected a whole number from 1 to 2000, got 0/],
    ['{"seed":1,"scenario":"S99"}', /scenario: expected the name of a scenario, got "S99"/],
    ['{"seed":1,"search":"luck"}', /search: expected the name of a search, got "luck"/],
    ['{"seed":1,"durationS":0.5}', /durationS: expected whole seconds/],
    ['{"seed":1,"weather":["hail"]}', /weather: expected a list of all, delays/],
    ['{"seed":1,"size":3}', /size: expected one of the fields seed, members/],
  ];
  for (const [text, message] of wrong) {
    it(`that reads ${text} is refused: ${message.source}`, () => {
      assert.throws(() => parseSeedFile(text), message);
    });
  }
});
