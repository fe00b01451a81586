import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ViewChange } from "../src/core/doorway.ts";
import type { Endpoint } from "../src/core/endpoint.ts";
import type { Gossip, Proposal } from "../src/core/messages.ts";
import { View } from "../src/core/view.ts";
import { host, hosts, joiner, joinerAt, K, nodeMetadata, viewOfSize } from "./core/sample-views.ts";
import { MeshChecker } from "./mesh-checker.ts";

const start = viewOfSize(4);
const members = hosts(4).map((endpoint) => ({ endpoint }));

function first(view: View): ViewChange {
  return { view, joined: view.members, kicked: [], degraded: false };
}

function step(from: View, to: View, self: Endpoint): ViewChange {
  return {
    view: to,
    joined: to.members.filter((member) => !from.has(member)),
    kicked: from.members.filter((member) => !to.has(member)),
    degraded: !to.has(self),
  };
}

function after(from: View, decision: Proposal, uuidOf = joinerAt): View {
  return from.next(decision, new Map(decision.filter((e) => !from.has(e)).map((e) => [e, uuidOf(e)])));
}

function vote(checker: MeshChecker, sender: Endpoint, view: View, value: Proposal): void {
  checker.hears(sender, {
    kind: "broadcast",
    unix: 0n,
    unique: 0n,
    gossip: { kind: "fastAccepted", sender, configuration: view.id, value },
  });
}

/** Four members, all in the same view, that have voted for this. */
function mesh(value: Proposal = []): MeshChecker {
  const checker = new MeshChecker();
  for (const member of members) checker.sees(member, first(start), 0);
  if (value.length > 0) for (const { endpoint } of members) vote(checker, endpoint, start, value);
  return checker;
}

function complaints(checker: MeshChecker): string {
  return checker.contradictions().join("\n");
}

describe("the checker of a mesh", () => {
  it("has nothing against members that decide by votes and go on together", () => {
    const value = [host(3), host(9)];
    const checker = mesh(value);
    checker.ended(host(3));
    for (const member of members) checker.sees(member, step(start, after(start, value), member.endpoint), 1);
    assert.equal(complaints(checker), "");
  });

  const wrongs: readonly (readonly [what: string, run: () => MeshChecker, found: RegExp])[] = [
    [
      "two successors of one view",
      () => {
        const checker = mesh([host(9)]);
        checker.sees(members[0]!, step(start, after(start, [host(9)]), host(0)), 1);
        checker.sees(members[1]!, step(start, after(start, [host(8)]), host(1)), 1);
        return checker;
      },
      /has two successors/,
    ],
    [
      "the same members with another uuid",
      () => {
        const checker = mesh([host(9)]);
        checker.sees(members[0]!, step(start, after(start, [host(9)]), host(0)), 1);
        checker.sees(
          members[1]!,
          step(
            start,
            after(start, [host(9)], () => joiner(77)),
            host(1),
          ),
          1,
        );
        return checker;
      },
      /has two successors/,
    ],
    [
      "one id that stands for other metadata",
      () => {
        const checker = mesh([host(9)]);
        const other = (): ReturnType<typeof joiner> => joiner(9, nodeMetadata({ zone: "b" }));
        checker.sees(members[0]!, step(start, after(start, [host(9)]), host(0)), 1);
        checker.sees(members[1]!, step(start, after(start, [host(9)], other), host(1)), 1);
        return checker;
      },
      /is not what it is to others/,
    ],
    [
      "a decision without enough votes",
      () => {
        const checker = mesh();
        for (const sender of hosts(2)) vote(checker, sender, start, [host(9)]);
        checker.sees(members[0]!, step(start, after(start, [host(9)]), host(0)), 1);
        return checker;
      },
      /without a quorum/,
    ],
    [
      "a member that goes back",
      () => {
        const checker = mesh([host(9)]);
        const next = after(start, [host(9)]);
        checker.sees(members[0]!, step(start, next, host(0)), 1);
        checker.sees(members[0]!, step(next, start, host(0)), 2);
        return checker;
      },
      /back in view/,
    ],
    [
      "a view that no decision leads to",
      () => {
        const checker = mesh();
        checker.sees({ endpoint: host(9) }, first(after(start, [host(9)])), 1);
        return checker;
      },
      /history begins 2 times/,
    ],
    [
      "a member that was removed for nothing",
      () => {
        const checker = mesh([host(3)]);
        checker.sees(members[0]!, step(start, after(start, [host(3)]), host(0)), 1);
        return checker;
      },
      /was removed 1 times, but gave cause for 0/,
    ],
    [
      "a cut that does not lead from one view to the next",
      () => {
        const checker = mesh([host(9)]);
        const cut = step(start, after(start, [host(9)]), host(0));
        checker.sees(members[0]!, { ...cut, joined: [] }, 1);
        return checker;
      },
      /do not lead from the last view to this one/,
    ],
    [
      "a member that says it is degraded in a view that has it",
      () => {
        const checker = mesh([host(9)]);
        checker.sees(members[0]!, { ...step(start, after(start, [host(9)]), host(0)), degraded: true }, 1);
        return checker;
      },
      /says otherwise/,
    ],
    [
      "a uuid that comes back",
      () => {
        const checker = mesh([host(9)]);
        const next = View.of(
          K,
          [...start.members, host(9)].map((endpoint) => ({ ...joiner(1), endpoint })),
          start.uuids,
        );
        checker.sees(members[0]!, step(start, next, host(0)), 1);
        return checker;
      },
      /is not new|fewer uuids than members/,
    ],
  ];
  for (const [what, run, found] of wrongs) {
    it(`finds ${what}`, () => assert.match(complaints(run()), found));
  }

  const rank = (round: number) => ({ round, nodeIndex: 1n });
  const within = { sender: host(1), configuration: start.id };
  const sayings: readonly (readonly [what: string, said: readonly Gossip[], found: RegExp])[] = [
    [
      "two votes in the fast round",
      [
        { kind: "fastAccepted", ...within, value: [host(9)] },
        { kind: "fastAccepted", ...within, value: [host(8)] },
      ],
      /two votes in the fast round/,
    ],
    [
      "a vote in the fast round after a promise",
      [
        { kind: "promise", ...within, rank: rank(2), voted: rank(0), value: [] },
        { kind: "fastAccepted", ...within, value: [host(9)] },
      ],
      /a vote in the fast round after a promise/,
    ],
    [
      "an acceptance below a promise",
      [
        { kind: "promise", ...within, rank: rank(3), voted: rank(0), value: [] },
        { kind: "accepted", ...within, rank: rank(2), value: [host(9)] },
      ],
      /an acceptance below a promise/,
    ],
    [
      "a promise below an earlier one",
      [
        { kind: "promise", ...within, rank: rank(3), voted: rank(0), value: [] },
        { kind: "promise", ...within, rank: rank(2), voted: rank(0), value: [] },
      ],
      /a promise below an earlier one/,
    ],
    [
      "two values in one round",
      [
        { kind: "accept", ...within, rank: rank(2), value: [host(9)] },
        { kind: "accepted", ...within, sender: host(2), rank: rank(2), value: [host(8)] },
      ],
      /two values in round/,
    ],
    [
      "a vote for no proposal",
      [{ kind: "fastAccepted", ...within, value: [host(9), host(8)] }],
      /no proposal/,
    ],
  ];
  for (const [what, said, found] of sayings) {
    it(`finds ${what}`, () => {
      const checker = mesh();
      for (const gossip of said) checker.hears(gossip.sender, gossip);
      assert.match(complaints(checker), found);
    });
  }

  it("takes what somebody passes on for the author's, and so for nothing new", () => {
    const checker = mesh();
    vote(checker, host(1), start, [host(9)]);
    checker.hears(host(2), { kind: "fastAccepted", ...within, value: [host(8)] });
    assert.equal(complaints(checker), "");
  });
});
