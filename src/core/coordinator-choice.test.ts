import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { host, viewOfSize } from "../../test/core/sample-views.ts";
import { type Choice, choose } from "./coordinator-choice.ts";
import { FastPaxos } from "./fast-paxos.ts";
import { advised } from "./identity.ts";
import { FAST_RANK, keyOf, NO_RANK, type PromiseMessage, type Proposal, type Rank } from "./messages.ts";
import { seededRandom, shuffled } from "./random.ts";
import type { View } from "./view.ts";

const p1: Proposal = [host(101), host(102)];
const p2: Proposal = [host(103)];
const p3: Proposal = [host(104)];
const own: Proposal = [host(105)];

interface Vote {
  readonly voted: Rank;
  readonly value: Proposal;
}

const silent: Vote = { voted: NO_RANK, value: [] };

function fast(value: Proposal): Vote {
  return { voted: FAST_RANK, value };
}

function classic(round: number, nodeIndex: number, value: Proposal): Vote {
  return { voted: { round, nodeIndex: BigInt(nodeIndex) }, value };
}

function times<T>(count: number, thing: T): readonly T[] {
  return new Array(count).fill(thing);
}

/** Promises of members 0, 1, … with these votes. */
function promisesOf(view: View, votes: readonly Vote[]): readonly PromiseMessage[] {
  return votes.map(({ voted, value }, i) => ({
    kind: "promise",
    sender: host(i),
    configuration: view.id,
    rank: { round: 9, nodeIndex: 1n },
    voted,
    value,
  }));
}

function chosen(size: number, votes: readonly Vote[], candidate?: Proposal): Choice | undefined {
  const view = viewOfSize(size);
  return choose(view, promisesOf(view, votes), new FastPaxos(view), candidate);
}

describe("PaxosTests.coordinatorRuleTests of Java Rapid: the vote of the highest rank binds", () => {
  const cases: readonly (readonly [
    what: string,
    size: number,
    votes: readonly Vote[],
    valid: readonly Proposal[],
  ])[] = [
    ["all fast votes for one value", 6, times(6, fast(p1)), [p1]],
    ["one fast vote, all others silent", 6, [fast(p1), ...times(3, silent)], [p1]],
    ["a classic vote over any number of fast ones", 6, [classic(2, 1, p2), ...times(5, fast(p1))], [p2]],
    ["a classic vote over silence", 5, [classic(2, 1, p2), silent, silent], [p2]],
    ["the higher round over the lower", 5, [classic(3, 1, p1), ...times(4, classic(2, 9, p2))], [p1]],
    ["the higher index of two in one round", 5, [classic(2, 8, p1), ...times(4, classic(2, 7, p2))], [p1]],
    [
      "an index that is higher without sign",
      5,
      [classic(2, 2 ** 52, p1), ...times(2, classic(2, 1, p2))],
      [p1],
    ],
    ["the highest of three ranks", 6, [fast(p3), classic(2, 1, p2), classic(4, 1, p1), silent], [p1]],
    ["several votes of the highest rank, which agree", 6, [...times(3, classic(2, 1, p1)), fast(p2)], [p1]],
  ];
  for (const [what, size, votes, valid] of cases) {
    it(`${what}, whatever the order of promises`, () => {
      const random = seededRandom(1n);
      for (let i = 0; i < 100; i++) {
        const choice = chosen(size, shuffled(votes, random), own)!;
        assert.ok(valid.map(keyOf).includes(keyOf(choice.value)));
        assert.equal(choice.isSafe, true);
      }
    });
  }
});

describe("PaxosTests.coordinatorRuleTestsSameRank of Java Rapid: among fast votes, what a fast quorum may have", () => {
  // How many of the promises voted for p1 and p2, and which values may be chosen then.
  const cases: readonly (readonly [
    size: number,
    first: number,
    second: number,
    silent: number,
    valid: Proposal[],
  ])[] = [
    [6, 4, 0, 0, [p1]],
    [6, 3, 1, 0, [p1]],
    [6, 2, 2, 0, [p1, p2]],
    [6, 2, 1, 1, [p1]],
    [6, 5, 1, 0, [p1]],
    [6, 1, 5, 0, [p2]],
    [6, 1, 1, 2, [p1, p2]],
    [5, 2, 1, 0, [p1]],
    [5, 1, 2, 0, [p2]],
    [5, 3, 2, 0, [p1]],
    [9, 3, 2, 0, [p1]],
    [9, 2, 3, 0, [p2]],
    [9, 6, 3, 0, [p1]],
    [10, 3, 3, 0, [p1, p2]],
    [10, 4, 2, 0, [p1]],
    [20, 6, 5, 0, [p1]],
    [20, 10, 1, 0, [p1]],
  ];
  for (const [size, first, second, quiet, valid] of cases) {
    it(`of ${size}: ${first} for one, ${second} for another, ${quiet} silent`, () => {
      const votes = [...times(first, fast(p1)), ...times(second, fast(p2)), ...times(quiet, silent)];
      const random = seededRandom(2n);
      for (let i = 0; i < 100; i++) {
        const choice = chosen(size, shuffled(votes, random), own)!;
        assert.ok(valid.map(keyOf).includes(keyOf(choice.value)));
      }
    });
  }
});

describe("the choice of a value", () => {
  it("never overrides a value that a fast quorum has chosen or still may (Fast Paxos, coordinated recovery)", () => {
    const elections = fc.integer({ min: 1, max: 12 }).chain((size) =>
      fc.tuple(
        // What each member voted for in the end, if at all, and whether it did so before it promised.
        fc.array(fc.tuple(fc.constantFrom(p1, p2, p3, []), fc.boolean()), {
          minLength: size,
          maxLength: size,
        }),
        fc.shuffledSubarray(
          Array.from({ length: size }, (_, i) => i),
          { minLength: Math.floor(size / 2) + 1 },
        ),
      ),
    );
    fc.assert(
      fc.property(elections, ([members, promisers]) => {
        const view = viewOfSize(members.length);
        // Those who promised vote no more; the others may.
        const final = members.map(([value, isEarly], i) => (promisers.includes(i) && !isEarly ? [] : value));
        const promises = promisers.map((i) => ({
          ...promisesOf(view, [final[i]!.length === 0 ? silent : fast(final[i]!)])[0]!,
          sender: host(i),
        }));
        const choice = choose(view, promises, new FastPaxos(view), own)!;
        for (const value of [p1, p2, p3]) {
          const votes = final.filter((vote) => keyOf(vote) === keyOf(value)).length;
          if (votes >= view.fastQuorum) assert.equal(keyOf(choice.value), keyOf(value));
        }
        assert.equal(choice.isSafe, true);
      }),
      { numRuns: 500 },
    );
  });

  it("falls on what was voted for most where nobody who promised has voted, then on the coordinator's own", () => {
    const view = viewOfSize(5);
    const votes = new FastPaxos(view);
    const promises = promisesOf(view, times(3, silent));
    assert.equal(choose(view, promises, votes, undefined), undefined);
    assert.equal(choose(view, promises, votes, own)?.value, own);
    votes.count(4, p2);
    assert.equal(choose(view, promises, votes, own)?.value, p2);
  });

  it("falls on a value with the advice that anybody has who accepted it in the highest round", () => {
    const votes = [
      classic(2, 1, advised(p1, [1n, 2n])),
      classic(3, 1, p1),
      classic(3, 1, advised(p1, [3n, 4n])),
    ];
    for (const order of [votes, votes.toReversed()]) {
      assert.deepEqual(chosen(5, order)?.value.advice, [3n, 4n]);
    }
    assert.equal(chosen(5, votes.slice(0, 2))?.value.advice, undefined);
  });

  it("is none where nobody promised", () => {
    assert.equal(chosen(5, [], own), undefined);
  });

  it("falls on the value that more votes are known for, where promises alone do not tell", () => {
    const view = viewOfSize(10);
    for (const favourite of [p1, p2]) {
      const votes = new FastPaxos(view);
      for (const member of [7, 8, 9]) votes.count(member, favourite);
      const promises = promisesOf(view, [...times(3, fast(p1)), ...times(3, fast(p2))]);
      assert.equal(choose(view, promises, votes, own)?.value, favourite);
    }
  });
});

describe("among Rust members, who may still vote after they promised (PITFALLS B2)", () => {
  // Of 5 members a fast quorum is 4: a rival is out of reach when 2 are bound to something else.
  const isRust = (i: number): boolean => i > 0;

  function isSafe(votes: readonly Vote[], heard: readonly Proposal[] = [], rust = isRust): boolean {
    const view = viewOfSize(5, rust);
    const ballots = new FastPaxos(view);
    for (const [i, value] of heard.entries()) if (value.length > 0) ballots.count(i, value);
    return choose(view, promisesOf(view, votes), ballots, own)!.isSafe;
  }

  it("a value is not safe while three silent promises leave all of them free to vote", () => {
    assert.equal(isSafe([silent, silent, silent]), false);
  });

  it("a value is safe once two members have voted for it", () => {
    assert.equal(isSafe([fast(p1), fast(p1), silent]), true);
    assert.equal(isSafe([silent, fast(p1), fast(p1)]), true);
  });

  it("a value is safe once one voted and a Node member promised without a vote", () => {
    assert.equal(isSafe([silent, fast(p1), silent]), true);
    assert.equal(isSafe([fast(p1), silent, silent]), false);
  });

  it("votes heard of bind like promises", () => {
    assert.equal(isSafe([fast(p1), silent, silent], [p1, [], [], p1]), true);
  });

  it("a rival that has too many friends left is not out of reach", () => {
    // p1 is chosen, but only one member is bound to something other than p2.
    assert.equal(isSafe([fast(p1), fast(p1), silent], [p1, p1]), true);
    assert.equal(isSafe([fast(p2), fast(p1), silent], [p2, p1]), false);
  });

  it("a value accepted in a classic round binds at once", () => {
    assert.equal(isSafe([classic(2, 1, p1), silent, silent]), true);
  });

  it("nothing need be waited for where all members are Node", () => {
    assert.equal(
      isSafe([silent, silent, silent], [], () => false),
      true,
    );
  });
});
