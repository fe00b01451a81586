// The list of deliberate bugs stays true as the core changes, and some of them are caught here and now. All of them:
// npm run sim -- --mutants.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { goAfter, textOf } from "../mutants/hunting.ts";
import { isHunt } from "../mutants/hunts.ts";
import { MUTANTS } from "../mutants/list.ts";
import { mutate } from "../mutants/mutant.ts";

/** One of each kind: a quorum, a vote, a report, a joiner, a ring, a message. */
const SMOKE = [
  "fast-quorum-one-less",
  "vote-after-promise",
  "echo-of-one-accuser",
  "ring-order",
  "not-told-on",
];
const PATIENCE_MS = 60_000;

describe("mutants", () => {
  it("have names of their own, and each has exactly one place in the core", () => {
    assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
    for (const mutant of MUTANTS) assert.doesNotThrow(() => textOf(mutant));
  });

  it("say what catches them, so that all of them are gone through in two minutes", () => {
    for (const { name, first } of MUTANTS) assert.ok(isHunt(first), `${name}: there is no hunt ${first}`);
  });

  it("are refused where their place is not there, or there twice", () => {
    const mutant = { name: "m", file: "a.ts", find: "x", replace: "y" };
    assert.throws(() => mutate("z", mutant), /mutant m: expected exactly one place .* found 0/);
    assert.throws(() => mutate("x x", mutant), /found 2/);
    assert.equal(mutate("a x b", mutant), "a y b");
  });

  for (const name of SMOKE) {
    it(`are caught: ${name}`, async () => {
      const mutant = MUTANTS.find((one) => one.name === name)!;
      const { hunt, hunts } = await goAfter(mutant, PATIENCE_MS);
      assert.ok(hunt !== undefined, `it survived ${hunts} hunts`);
    });
  }
});
