import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { host, viewOfSize } from "../../test/core/sample-views.ts";
import { FastPaxos } from "./fast-paxos.ts";
import { keyOf, type Proposal } from "./messages.ts";

const value: Proposal = [host(1)];
const rival: Proposal = [host(1), host(2)];

/** The number of the vote that decided, and what; `undefined` where all votes were cast for nothing. */
function decisionOf(size: number, votes: readonly Proposal[]): { at: number; value: Proposal } | undefined {
  const fast = new FastPaxos(viewOfSize(size));
  for (const [member, vote] of votes.entries()) {
    const decided = fast.count(member, vote);
    if (decided !== undefined) return { at: member + 1, value: decided };
  }
  return undefined;
}

describe("FastPaxosWithoutFallbackTests of Java Rapid, with the crate's quorum of ⌈¾N⌉ (PROTOCOL §13)", () => {
  const sizes: readonly (readonly [size: number, quorum: number])[] = [
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [5, 4],
    [6, 5],
    [48, 36],
    [49, 37],
    [50, 38],
    [51, 39],
    [99, 75],
    [100, 75],
    [101, 76],
    [102, 77],
  ];
  for (const [size, quorum] of sizes) {
    const mayFail = size - quorum;

    it(`fastQuorumTestNoConflicts: of ${size} votes the ${quorum}th decides`, () => {
      assert.deepEqual(decisionOf(size, new Array(size).fill(value)), { at: quorum, value });
      assert.equal(decisionOf(size, new Array(quorum - 1).fill(value)), undefined);
    });

    for (const conflicts of new Set([1, mayFail].filter((n) => n >= 1 && n <= mayFail))) {
      it(`fastQuorumTestWithConflicts: ${conflicts} other votes of ${size} do not keep it from deciding`, () => {
        const votes = [...new Array(conflicts).fill(rival), ...new Array(size - conflicts).fill(value)];
        assert.deepEqual(decisionOf(size, votes), { at: conflicts + quorum, value });
      });
    }

    if (mayFail + 1 < quorum) {
      it(`fastQuorumTestWithConflicts: ${mayFail + 1} other votes of ${size} leave it undecided`, () => {
        const conflicts = mayFail + 1;
        const votes = [...new Array(conflicts).fill(rival), ...new Array(size - conflicts).fill(value)];
        assert.equal(decisionOf(size, votes), undefined);
      });
    }
  }
});

describe("the fast round", () => {
  it("knows who has voted", () => {
    const fast = new FastPaxos(viewOfSize(3));
    fast.count(1, value);
    assert.deepEqual(
      [0, 1, 2].map((member) => fast.hasVoted(member)),
      [false, true, false],
    );
  });

  it("takes the same endpoints in another order for another value, as the crate does", () => {
    const votes: Proposal[] = [
      [host(1), host(2)],
      [host(2), host(1)],
      [host(1), host(2)],
    ];
    assert.equal(decisionOf(3, votes), undefined);
  });

  it("leads with the value voted for most, of several the one voted for first", () => {
    const fast = new FastPaxos(viewOfSize(8));
    assert.equal(fast.leading, undefined);
    for (const [member, vote, leading] of [
      [0, value, value],
      [1, rival, value],
      [2, rival, rival],
      [3, value, value],
    ] as const) {
      fast.count(member, vote);
      assert.equal(keyOf(fast.leading!), keyOf(leading));
    }
  });

  it("never decides two values, whoever votes for what in whatever order", () => {
    const proposals = [value, rival, [host(2)]];
    const election = fc.integer({ min: 1, max: 24 }).chain((size) =>
      fc.tuple(
        fc.constant(size),
        fc.array(fc.nat(2), { minLength: size, maxLength: size }),
        fc.shuffledSubarray(
          Array.from({ length: size }, (_, i) => i),
          { minLength: size },
        ),
      ),
    );
    fc.assert(
      fc.property(election, ([size, votes, order]) => {
        const fast = new FastPaxos(viewOfSize(size));
        const decided = new Set<string>();
        for (const member of order) {
          const decision = fast.count(member, proposals[votes[member]!]!);
          if (decision !== undefined) decided.add(keyOf(decision));
        }
        const most = Math.max(...[0, 1, 2].map((p) => votes.filter((vote) => vote === p).length));
        assert.equal(decided.size, most >= Math.ceil(0.75 * size) ? 1 : 0);
      }),
    );
  });
});

describe("whether the fast round can still decide", () => {
  it("depends on the leading value, those who have not voted, and how many of these never will", () => {
    const fast = new FastPaxos(viewOfSize(8)); // The quorum is 6.
    assert.equal(fast.canDecide(2), true);
    assert.equal(fast.canDecide(3), false);
    for (const member of [0, 1]) fast.count(member, value);
    fast.count(2, rival);
    assert.equal(fast.canDecide(1), true);
    fast.count(3, rival);
    assert.equal(fast.canDecide(0), true);
    assert.equal(fast.canDecide(1), false);
    fast.count(4, rival);
    assert.equal(fast.canDecide(0), true);
    fast.count(5, value);
    assert.equal(fast.canDecide(0), false);
  });
});
