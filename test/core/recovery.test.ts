// What happens when the fast round does not decide: PaxosTests of Java Rapid, and PITFALLS B6, which it lacks.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeIndexOf } from "../../src/core/hash.ts";
import { ack, keyOf, type Proposal } from "../../src/core/messages.ts";
import { Council } from "./council.ts";
import { asVoted, host, viewOfSize } from "./sample-views.ts";

const p1: Proposal = [host(100)];
const p2: Proposal = [host(101)];

/** Which value each member announces, by place; `undefined` for none. */
function announce(council: Council, values: readonly (Proposal | undefined)[]): void {
  // Everybody knows the joiners; who announces what is a matter of who saw which reports in time.
  for (const [i, member] of council.members.entries()) {
    const value = values[i];
    if (value !== undefined) council.propose(member, value);
  }
}

describe("PaxosTests of Java Rapid", () => {
  for (const size of [5, 6, 10, 11, 20]) {
    it(`testRecoveryForSinglePropose: one of ${size} proposes, and all decide that`, () => {
      const council = new Council(viewOfSize(size));
      council.introduce(p1);
      announce(council, [p1]);
      assert.ok(council.runUntil(() => council.decided(p1)));
      assert.deepEqual([...council.chosen], [keyOf(asVoted(council.view, p1))]);
    });

    it(`testRecoveryFromFastRoundWithDifferentProposals: each of ${size} proposes something else, and all decide one`, () => {
      const council = new Council(viewOfSize(size));
      const proposals = council.members.map((_, i) => [host(100 + i)]);
      council.introduce(proposals.flat());
      announce(council, proposals);
      assert.ok(council.runUntil(() => council.decided()));
      const [chosen] = council.chosen;
      assert.ok(proposals.map((value) => keyOf(asVoted(council.view, value))).includes(chosen!));
      for (const { value } of council.decisions.values()) assert.equal(keyOf(value), chosen);
    });

    it(`testClassicRoundAfterSuccessfulFastRound: all of ${size} vote for one value and no vote arrives, yet it is decided`, () => {
      const council = new Council(viewOfSize(size));
      council.introduce([...p1, ...p2]);
      council.isLost = ({ gossip }) => gossip.kind === "fastAccepted";
      announce(council, new Array(size).fill(p1));
      assert.ok(council.runUntil(() => council.decided(p1)));
    });
  }

  const mixes: readonly (readonly [first: number, second: number, decided: Proposal | undefined])[] = [
    [5, 1, p1],
    [1, 5, p2],
    [3, 3, undefined],
    [4, 1, p1],
    [8, 2, p1],
    [2, 8, p2],
    [5, 5, undefined],
    [7, 2, p1],
  ];
  for (const [first, second, decided] of mixes) {
    const size = first + second;
    it(`testClassicRoundAfterSuccessfulFastRoundMixedValues: ${first} of ${size} vote for one value, ${second} for another, and no vote arrives`, () => {
      for (let seed = 0n; seed < 10n; seed++) {
        const council = new Council(viewOfSize(size), seed);
        council.introduce([...p1, ...p2]);
        council.isLost = ({ gossip }) => gossip.kind === "fastAccepted";
        announce(council, [...new Array(first).fill(p1), ...new Array(second).fill(p2)]);
        assert.ok(council.runUntil(() => council.decided(decided)));
        assert.equal(council.chosen.size, 1);
      }
    });
  }
});

describe("classic rounds (PITFALLS B6)", () => {
  it("wait as long as the crate's before the first: 1 s to 4·log₂(N + 1) s (PROTOCOL §14)", () => {
    for (const size of [3, 10, 30]) {
      const delays = Array.from({ length: 20 }, (_, seed) => {
        const council = new Council(viewOfSize(size), BigInt(seed));
        council.propose(host(0), p1);
        return council.round(host(0)).wakeAt;
      });
      assert.ok(Math.min(...delays) >= 1000);
      assert.ok(Math.max(...delays) <= 4000 * Math.log2(size + 1));
      assert.ok(new Set(delays).size > 10);
    }
  });

  it("come soon where those who are to be removed are missing for the fast round", () => {
    const council = new Council(viewOfSize(3));
    council.propose(host(0), [host(1)]);
    assert.ok(council.round(host(0)).wakeAt <= 50 + 100, "at the latest in the second turn");
  });

  it("are begun by a member that announced nothing but heard a vote", () => {
    const council = new Council(viewOfSize(5));
    council.introduce(p1);
    council.tell(host(0), {
      kind: "fastAccepted",
      sender: host(1),
      configuration: council.view.id,
      value: asVoted(council.view, p1),
    });
    assert.ok(council.round(host(0)).wakeAt < Infinity);
    council.now = council.round(host(0)).wakeAt;
    council.wake(host(0));
    assert.deepEqual(council.said("prepare"), [
      {
        kind: "prepare",
        sender: host(0),
        configuration: council.view.id,
        rank: { round: 2, nodeIndex: nodeIndexOf(host(0)) },
      },
    ]);
  });

  it("begin with round 2 and go on upwards, with growing pauses of at most 30 s", () => {
    const council = new Council(viewOfSize(3));
    council.isLost = () => true;
    council.propose(host(0), p1);
    const times: number[] = [];
    for (let i = 0; i < 12; i++) {
      council.now = council.round(host(0)).wakeAt;
      times.push(council.now);
      council.wake(host(0));
    }
    assert.deepEqual(
      council.said("prepare").map(({ rank }) => rank.round),
      Array.from({ length: 12 }, (_, i) => i + 2),
    );
    const pauses = times.slice(1).map((at, i) => at - times[i]!);
    assert.ok(pauses[0]! <= 4000);
    assert.ok(pauses.every((pause) => pause >= 1000 && pause <= 30_000));
    assert.ok(pauses.at(-1)! >= 15_000);
  });

  it("are stood back from while somebody else coordinates", () => {
    const council = new Council(viewOfSize(3));
    council.propose(host(0), p1);
    const due = council.round(host(0)).wakeAt;
    council.now = due - 1;
    const rank = { round: 2, nodeIndex: nodeIndexOf(host(1)) };
    council.tell(host(0), { kind: "prepare", sender: host(1), configuration: council.view.id, rank });
    assert.ok(council.round(host(0)).wakeAt >= due - 1 + 1000);
  });

  it("decide in a later round when coordinators crash after their prepare, as long as a majority lives (S28)", () => {
    for (let seed = 0n; seed < 20n; seed++) {
      const council = new Council(viewOfSize(7), seed);
      council.introduce(p1);
      council.isLost = ({ to, gossip }) => {
        if (gossip.kind === "promise" && council.crashed.size < 3) council.crashed.add(to);
        return gossip.kind === "fastAccepted" || council.crashed.has(to);
      };
      announce(council, new Array(7).fill(p1));
      assert.ok(council.runUntil(() => council.decided(p1)));
      assert.equal(council.crashed.size, 3);
      assert.ok(council.said("prepare").at(-1)!.rank.round >= 3);
    }
  });

  it("respect a value that was chosen under a coordinator that crashed before anybody noticed (S27)", () => {
    let chosenEarly = 0;
    for (let seed = 0n; seed < 30n; seed++) {
      const council = new Council(viewOfSize(5), seed);
      council.introduce([...p1, ...p2]);
      council.isLost = ({ to, gossip }) => {
        if (gossip.kind === "accept" && council.crashed.size === 0) council.crashed.add(gossip.sender);
        const isFirst = "rank" in gossip && gossip.rank.round === 2;
        return (
          gossip.kind === "fastAccepted" || (isFirst && gossip.kind === "accepted") || council.crashed.has(to)
        );
      };
      announce(council, [p1, p2, p1, p2, p1]);
      assert.ok(council.runUntil(() => council.decided()));
      assert.equal(council.chosen.size, 1);
      const [first] = council.said("accept");
      const early = council.said("accepted").filter(({ rank }) => rank.round === first!.rank.round);
      if (early.length < council.view.majority) continue;
      chosenEarly += 1;
      assert.deepEqual([...council.chosen], [keyOf(first!.value)]);
    }
    assert.ok(chosenEarly > 10);
  });

  it("end in a decision when all timers fire at once (S27)", () => {
    const council = new Council(viewOfSize(6));
    council.introduce([...p1, ...p2]);
    announce(council, [p1, p2, p1, p2, p1, p2]);
    council.now = 60_000;
    for (const member of council.members) council.wake(member);
    assert.equal(council.said("prepare").length, 6);
    assert.ok(council.runUntil(() => council.decided(), 120_000));
    assert.equal(council.chosen.size, 1);
  });

  it("count a promise that arrives twice once (PITFALLS B8)", () => {
    const council = new Council(viewOfSize(5));
    council.introduce(p1);
    council.isLost = ({ gossip }) => gossip.kind !== "promise" && gossip.kind !== "prepare";
    council.propose(host(0), p1);
    council.now = council.round(host(0)).wakeAt;
    council.wake(host(0));
    const { rank } = council.said("prepare")[0]!;
    const promise = {
      kind: "promise",
      sender: host(1),
      configuration: council.view.id,
      rank,
      voted: { round: 0, nodeIndex: 0n },
      value: [],
    } as const;
    for (let i = 0; i < 5; i++) assert.deepEqual(council.tell(host(0), promise), ack);
    council.tell(host(0), { ...promise, sender: host(2) });
    assert.equal(council.said("accept").length, 0);
    council.tell(host(0), { ...promise, sender: host(3) });
    assert.equal(council.said("accept").length, 1);
  });
});
