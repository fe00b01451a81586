import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, viewOfSize } from "../../test/core/sample-views.ts";
import { ClassicPaxos } from "./classic-paxos.ts";
import type { Endpoint } from "./endpoint.ts";
import { nodeIndexOf } from "./hash.ts";
import { advised } from "./identity.ts";
import {
  type Accept,
  type Accepted,
  FAST_RANK,
  NO_RANK,
  type Prepare,
  type PromiseMessage,
  type Proposal,
  type Rank,
} from "./messages.ts";
import { refuse } from "./refusals.ts";

const view = viewOfSize(5);
const configuration = view.id;
const self = host(0);
const value: Proposal = [host(7)];
const rival: Proposal = [host(8)];
const nobody: ReadonlySet<Endpoint> = new Set();

function rank(round: number, of: Endpoint = host(1)): Rank {
  return { round, nodeIndex: nodeIndexOf(of) };
}

function prepare(at: Rank): Prepare {
  return { kind: "prepare", sender: host(1), configuration, rank: at };
}

function accept(at: Rank, what: Proposal = value): Accept {
  return { kind: "accept", sender: host(1), configuration, rank: at, value: what };
}

function accepted(sender: Endpoint, at: Rank, what: Proposal = value): Accepted {
  return { kind: "accepted", sender, configuration, rank: at, value: what };
}

function promise(sender: Endpoint, at: Rank, voted: Rank = NO_RANK, what: Proposal = []): PromiseMessage {
  return { kind: "promise", sender, configuration, rank: at, voted, value: what };
}

function acceptor(): ClassicPaxos {
  return new ClassicPaxos(view, self);
}

describe("an acceptor (PROTOCOL §14)", () => {
  it("that never voted promises with no vote", () => {
    assert.deepEqual(acceptor().prepare(prepare(rank(2))), promise(self, rank(2)));
  });

  it("that voted in the fast round promises and tells its vote", () => {
    const paxos = acceptor();
    assert.equal(paxos.voteFast(value), true);
    assert.deepEqual(paxos.prepare(prepare(rank(2))), promise(self, rank(2), FAST_RANK, value));
  });

  it("that accepted tells the advice that came with the value, too", () => {
    const paxos = acceptor();
    assert.deepEqual(paxos.accept(accept(rank(2), advised(value, [7n]))), {
      ...accepted(self, rank(2)),
      value: advised(value, [7n]),
    });
    const told = paxos.prepare(prepare(rank(3))) as PromiseMessage;
    assert.deepEqual(told.value.advice, [7n]);
  });

  it("that accepted tells its newest acceptance only", () => {
    const paxos = acceptor();
    paxos.voteFast(value);
    paxos.accept(accept(rank(2), rival));
    assert.deepEqual(paxos.prepare(prepare(rank(3))), promise(self, rank(3), rank(2), rival));
  });

  it("promises once per rank, and only upwards", () => {
    const [low, high] = [rank(2, host(1)), rank(2, host(2))].sort((a, b) =>
      a.nodeIndex < b.nodeIndex ? -1 : 1,
    );
    const paxos = acceptor();
    assert.equal(paxos.prepare(prepare(low!)).kind, "promise");
    assert.deepEqual(paxos.prepare(prepare(low!)), refuse.rankTooLow);
    assert.equal(paxos.prepare(prepare(high!)).kind, "promise");
    assert.deepEqual(paxos.prepare(prepare(low!)), refuse.rankTooLow);
    assert.equal(paxos.prepare(prepare(rank(3))).kind, "promise");
  });

  it("does not vote in the fast round after a promise of a classic one (PITFALLS B2)", () => {
    const paxos = acceptor();
    paxos.prepare(prepare(rank(2)));
    assert.equal(paxos.voteFast(value), false);
    assert.deepEqual(paxos.prepare(prepare(rank(3))), promise(self, rank(3)));
  });

  it("does not vote in the fast round after an acceptance, nor twice", () => {
    const paxos = acceptor();
    paxos.accept(accept(rank(2)));
    assert.equal(paxos.voteFast(rival), false);
    const other = acceptor();
    other.voteFast(value);
    assert.equal(other.voteFast(rival), false);
  });

  const accepts: readonly (readonly [what: string, promised: Rank | undefined, at: Rank, reply: unknown])[] =
    [
      ["without a promise", undefined, rank(2), accepted(self, rank(2))],
      ["at the rank that it promised", rank(2), rank(2), accepted(self, rank(2))],
      ["above the rank that it promised", rank(2), rank(3), accepted(self, rank(3))],
      ["not below the rank that it promised", rank(3), rank(2), refuse.roundTooLow],
    ];
  for (const [what, promised, at, reply] of accepts) {
    it(`accepts ${what}`, () => {
      const paxos = acceptor();
      if (promised !== undefined) paxos.prepare(prepare(promised));
      assert.deepEqual(paxos.accept(accept(at)), reply);
    });
  }

  it("accepts once per rank, whatever the second message says", () => {
    const paxos = acceptor();
    paxos.accept(accept(rank(2)));
    assert.deepEqual(paxos.accept(accept(rank(2))), refuse.alreadyAccepted);
    assert.deepEqual(paxos.accept(accept(rank(2), rival)), refuse.alreadyAccepted);
  });
});

describe("a coordinator (PITFALLS B6, B8)", () => {
  it("begins with round 2 and its own index, and goes above every round heard of", () => {
    const paxos = acceptor();
    assert.deepEqual(paxos.begin().rank, rank(2, self));
    assert.deepEqual(paxos.begin().rank, rank(3, self));
    paxos.prepare(prepare(rank(7)));
    assert.deepEqual(paxos.begin().rank, rank(8, self));
    paxos.accept(accept(rank(11)));
    assert.deepEqual(paxos.begin().rank, rank(12, self));
    paxos.accepted(accepted(host(3), rank(20)));
    assert.deepEqual(paxos.begin().rank, rank(21, self));
  });

  it("can still begin after somebody used the highest round there is", () => {
    const paxos = acceptor();
    paxos.accepted(accepted(host(3), rank(2 ** 32 - 1)));
    assert.deepEqual(paxos.begin().rank, rank(2, self));
  });

  it("takes promises of its own rank only", () => {
    const paxos = acceptor();
    assert.deepEqual(paxos.promise(promise(host(1), rank(2, self))), refuse.notOurRank);
    paxos.begin();
    assert.deepEqual(paxos.promise(promise(host(1), rank(2, host(1)))), refuse.notOurRank);
    assert.deepEqual(paxos.promise(promise(host(1), rank(3, self))), refuse.notOurRank);
    assert.equal(paxos.promise(promise(host(1), rank(2, self))), undefined);
  });

  it("counts the promises of a majority, each member's first one once", () => {
    const paxos = acceptor();
    const { rank: own } = paxos.begin();
    paxos.promise(promise(host(1), own, FAST_RANK, value));
    for (let i = 0; i < 5; i++) paxos.promise(promise(host(1), own, FAST_RANK, rival));
    paxos.promise(promise(host(2), own));
    assert.equal(paxos.awaitingChoice(nobody), undefined);
    paxos.promise(promise(host(3), own));
    assert.deepEqual(paxos.awaitingChoice(nobody), [
      promise(host(1), own, FAST_RANK, value),
      promise(host(2), own),
      promise(host(3), own),
    ]);
  });

  it("puts one value to the vote per rank", () => {
    const paxos = acceptor();
    const { rank: own } = paxos.begin();
    for (const i of [1, 2, 3]) paxos.promise(promise(host(i), own));
    assert.deepEqual(paxos.propose(value, new Set()), [
      { kind: "accept", sender: self, configuration, rank: own, value },
    ]);
    paxos.promise(promise(host(4), own));
    assert.equal(paxos.awaitingChoice(nobody), undefined);
  });

  it("leaves nothing of a round behind when it begins the next", () => {
    const paxos = acceptor();
    const { rank: second } = paxos.begin();
    for (const i of [1, 2, 3]) paxos.promise(promise(host(i), second));
    paxos.propose(value, new Set());
    const { rank: third } = paxos.begin();
    assert.deepEqual(paxos.promise(promise(host(4), second)), refuse.notOurRank);
    const promised = [1, 2, 3].map((i) => {
      paxos.promise(promise(host(i), third));
      return paxos.awaitingChoice(nobody)?.length;
    });
    assert.deepEqual(promised, [undefined, undefined, 3]);
  });
});

describe("counting acceptances (PROTOCOL §14)", () => {
  it("decides with more than half of the members at one rank", () => {
    const paxos = acceptor();
    assert.equal(paxos.accepted(accepted(host(1), rank(2))), undefined);
    assert.equal(paxos.accepted(accepted(host(1), rank(2))), undefined);
    assert.equal(paxos.accepted(accepted(host(2), rank(2))), undefined);
    assert.deepEqual(paxos.accepted(accepted(host(3), rank(2))), value);
  });

  it("does not add up acceptances of different ranks", () => {
    const paxos = acceptor();
    const ranks = [rank(2, host(1)), rank(2, host(2)), rank(3, host(1)), rank(4, host(1)), rank(5, host(1))];
    for (const [i, at] of ranks.entries()) assert.equal(paxos.accepted(accepted(host(i), at)), undefined);
  });

  it("does not count who names another value at the same rank", () => {
    const paxos = acceptor();
    paxos.accepted(accepted(host(1), rank(2)));
    paxos.accepted(accepted(host(2), rank(2), rival));
    assert.equal(paxos.accepted(accepted(host(3), rank(2))), undefined);
    assert.deepEqual(paxos.accepted(accepted(host(4), rank(2))), value);
  });

  it("counts a value the same whether or not it came with advice, and keeps the advice that anybody knows", () => {
    const paxos = acceptor();
    const words = [value, advised(value, [7n]), value];
    const decided = words.map((word, i) => paxos.accepted(accepted(host(i), rank(2), word)));
    assert.deepEqual(decided.slice(0, 2), [undefined, undefined]);
    assert.deepEqual(decided[2]!.advice, [7n]);
  });

  it("keeps a limited number of ranks in mind", () => {
    const paxos = acceptor();
    for (let round = 2; round < 2000; round++) paxos.accepted(accepted(host(1), rank(round)));
    const decided = [1, 2, 3, 4].map((i) => paxos.accepted(accepted(host(i), rank(5000))));
    assert.deepEqual(decided, new Array(4).fill(undefined));
  });
});
