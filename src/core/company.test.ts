import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { viewOfSize } from "../../test/core/sample-views.ts";
import { companyOf, LOOK_PAST_MAX } from "./company.ts";
import type { Endpoint } from "./endpoint.ts";
import { seededRandom, shuffled } from "./random.ts";
import type { View } from "./view.ts";

/** Whom the word of this member gets to, told on by all who hear it. */
function audienceOf(member: Endpoint, view: View, down: ReadonlySet<Endpoint>): ReadonlySet<Endpoint> {
  const audience = new Set([member]);
  for (const teller of audience) {
    for (const [ring, successor] of view.subjectsOf(teller).entries()) {
      let to = successor;
      for (let i = 0; i < LOOK_PAST_MAX && view.isNode(teller) && down.has(to); i++) {
        to = view.subjectsOf(to)[ring]!;
      }
      if (!down.has(to)) audience.add(to);
    }
  }
  return audience;
}

describe("the company of a member", () => {
  it("is everybody whose word gets to it", () => {
    const random = seededRandom(1n);
    let apart = 0;
    for (let run = 0; run < 400; run++) {
      const size = 3 + random.below(9);
      const view = viewOfSize(size, (i) => run % 2 === 0 || (i * 7 + run) % 4 > 0);
      const down = new Set(shuffled(view.members, random).slice(0, random.below(size)));
      const living = view.members.filter((member) => !down.has(member));
      for (const node of living) {
        const company = companyOf(node, view, (member) => down.has(member));
        const tellers = living.filter((member) => audienceOf(member, view, down).has(node));
        assert.deepEqual(new Set(company), new Set(tellers));
        if (company.size < living.length) apart += 1;
      }
    }
    assert.ok(apart >= 20, `only ${apart} are cut off from some`);
  });
});
