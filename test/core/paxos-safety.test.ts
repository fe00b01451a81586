// Whatever the order in which messages arrive, whichever are lost or doubled, and whoever coordinates when: members
// never decide two values (Fast Paxos; PITFALLS §3.1, 2 and 4).

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { compareRanks, keyOf, type Proposal } from "../../src/core/messages.ts";
import { seededRandom } from "../../src/core/random.ts";
import type { View } from "../../src/core/view.ts";
import { Council } from "./council.ts";
import { host, viewOfSize } from "./sample-views.ts";

const proposals: readonly Proposal[] = [
  [host(100)],
  [host(101)],
  [host(100), host(101)],
  [host(0), host(100)],
];

/** How often, of a hundred, the next thing to happen is this. */
interface Weather {
  readonly propose: number;
  readonly wake: number;
  readonly lose: number;
  readonly double: number;
}

const weathers = fc.record({
  propose: fc.integer({ min: 1, max: 20 }),
  wake: fc.integer({ min: 1, max: 40 }),
  lose: fc.integer({ min: 0, max: 20 }),
  double: fc.integer({ min: 0, max: 20 }),
});

/** A council after this many things happened to it, drawn from the seed. */
function afterStorm(
  view: View,
  seed: number,
  { propose, wake, lose, double }: Weather,
  steps: number,
): Council {
  const council = new Council(view, BigInt(seed));
  const dice = seededRandom(BigInt(seed) + 1n);
  council.introduce([host(100), host(101)]);
  const anyOf = <T>(things: readonly T[]): T => things[dice.below(things.length)]!;
  for (let step = 0; step < steps; step++) {
    const roll = dice.below(100);
    const letter = dice.below(Math.max(1, council.mail.length));
    if (roll < propose) council.propose(anyOf(council.members), anyOf(proposals));
    else if (roll < propose + wake) {
      const member = anyOf(council.members);
      const { wakeAt } = council.round(member);
      if (wakeAt === Infinity) continue;
      council.now = Math.max(council.now, wakeAt);
      council.wake(member);
    } else if (roll < propose + wake + lose) council.mail.splice(letter, 1);
    else council.deliver(letter, roll < propose + wake + lose + double);
  }
  return council;
}

function assertOneValue(council: Council): void {
  assert.ok(council.chosen.size <= 1, `chosen: ${[...council.chosen].join(" | ")}`);
  for (const [member, { value }] of council.decisions) {
    assert.ok(council.chosen.has(keyOf(value)), `${member} decided ${keyOf(value)}, which nobody chose`);
  }
}

/** No member goes back on its word. */
function assertVotesFollowPromises(council: Council): void {
  for (const member of council.members) {
    const mine = council.minutes.filter(({ sender }) => sender === member);
    const votes = new Set(
      mine.flatMap((gossip) => (gossip.kind === "fastAccepted" ? [keyOf(gossip.value)] : [])),
    );
    assert.ok(votes.size <= 1);
    let promised = { round: 0, nodeIndex: 0n };
    for (const gossip of mine) {
      if (gossip.kind === "fastAccepted") assert.equal(promised.round, 0, "a vote after a promise");
      if (gossip.kind !== "promise" && gossip.kind !== "accepted") continue;
      assert.ok(compareRanks(gossip.rank, promised) >= (gossip.kind === "promise" ? 1 : 0));
      promised = gossip.rank;
    }
  }
}

const sizes = fc.integer({ min: 2, max: 7 });

describe("a council in any weather", () => {
  it("chooses at most one value, and decides no other", () => {
    fc.assert(
      fc.property(sizes, fc.nat(), weathers, (size, seed, weather) => {
        const council = afterStorm(viewOfSize(size), seed, weather, 400);
        assertOneValue(council);
        assertVotesFollowPromises(council);
      }),
      { numRuns: 250 },
    );
  });

  // Not all decide: what was lost is not said again, and whoever decided goes on (PITFALLS B4).
  it("comes to a decision once the weather clears", () => {
    fc.assert(
      fc.property(sizes, fc.nat(), weathers, (size, seed, weather) => {
        const council = afterStorm(viewOfSize(size), seed, weather, 150);
        fc.pre(council.decisions.size === 0);
        if (council.said("fastAccepted").length === 0) council.propose(host(0), proposals[0]!);
        assert.ok(council.runUntil(() => council.decisions.size > 0));
        assertOneValue(council);
      }),
      { numRuns: 120 },
    );
  });

  it("chooses at most one value where up to a minority crashes and the rest go on", () => {
    fc.assert(
      fc.property(sizes, fc.nat(), weathers, (size, seed, weather) => {
        const council = afterStorm(viewOfSize(size), seed, weather, 150);
        fc.pre(council.decisions.size === 0);
        const dead = Math.ceil(size / 2) - 1;
        for (const member of council.members.slice(0, dead)) council.crashed.add(member);
        const [witness] = council.living as [Endpoint];
        // What only the dead knew of is not known any more: somebody who lives has to see that there is a cut.
        const isKnown = council.said("fastAccepted").some(({ sender }) => !council.crashed.has(sender));
        if (!isKnown) council.propose(witness, proposals[0]!);
        assert.ok(council.runUntil(() => council.decisions.size > 0));
        assertOneValue(council);
        assertVotesFollowPromises(council);
      }),
      { numRuns: 120 },
    );
  });
});
