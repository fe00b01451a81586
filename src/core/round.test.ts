import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchesAbout } from "../../test/core/council.ts";
import {
  asVoted,
  host,
  hosts,
  joiner,
  joinerAt,
  K,
  nodeMetadata,
  viewOfSize,
} from "../../test/core/sample-views.ts";
import type { Conclusion } from "./conclusion.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import { advised, identified, identityOf } from "./identity.ts";
import {
  type Accepted,
  type Alerts,
  ack,
  type Edge,
  type FastAccepted,
  type Join,
  type Joiner,
  type Prepare,
  type Proposal,
} from "./messages.ts";
import { seededRandom } from "./random.ts";
import { refuse } from "./refusals.ts";
import { Round } from "./round.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import type { View } from "./view.ts";

const view = viewOfSize(5);
const self = host(0);
const newcomer = host(100);

function roundOf(of: View = view): Round {
  return new Round(of, self, DEFAULT_SETTINGS, seededRandom(1n));
}

function alerts(sender: Endpoint, edges: readonly Edge[], of: View = view): Alerts {
  return { kind: "alerts", sender, configuration: of.id, edges };
}

/** What the observer on this ring says of a joiner. */
function joinOn(ring: number, node: Endpoint, who: Joiner = joinerAt(node), of: View = view): Alerts {
  return alerts(of.observersOf(node)[ring]!, [{ node, ring, join: who }], of);
}

function vote(sender: Endpoint, value: Proposal): FastAccepted {
  return { kind: "fastAccepted", sender, configuration: view.id, value };
}

/** All that a round concludes from everything that all observers say about these nodes. */
function hearAllAbout(round: Round, value: Proposal, now: Millis, of: View = view): readonly Conclusion[] {
  return batchesAbout(of, value).map((batch) => round.hear(batch, now));
}

function votesIn(conclusions: readonly Conclusion[]): readonly Proposal[] {
  return conclusions.flatMap(({ say }) =>
    say.flatMap((gossip) => (gossip.kind === "fastAccepted" ? [[...gossip.value]] : [])),
  );
}

describe("a round among Node members", () => {
  it("refuses what does not say as whom its joiners come", () => {
    const rank = { round: 2, nodeIndex: 1n };
    const said = { sender: host(1), configuration: view.id };
    const round = roundOf();
    for (const [value, reply] of [
      [[newcomer], refuse.notWhole],
      [[host(4)], ack],
    ] as const) {
      assert.equal(round.hear({ ...said, kind: "fastAccepted", value }, 0).reply, reply);
      assert.equal(round.hear({ ...said, kind: "accept", rank, value }, 0).reply, reply);
      assert.equal(round.hear({ ...said, kind: "accepted", rank, value }, 0).reply, reply);
    }
    assert.equal(
      round.hear({ ...said, kind: "promise", rank, voted: rank, value: [newcomer] }, 0).reply,
      refuse.notWhole,
    );
    assert.deepEqual(round.awaited?.members, view.next([host(4)], new Map()).members);
  });
});

describe("a round that hears of edges (PROTOCOL §12)", () => {
  it("votes once, when nobody is unstable and somebody stable, for them in Endpoint order", () => {
    const round = roundOf();
    assert.deepEqual(votesIn(hearAllAbout(round, [host(101), newcomer, host(1)], 0)), [
      [host(1), newcomer, host(101)],
    ]);
    assert.equal(round.hasAnnounced, true);
    assert.deepEqual(votesIn(hearAllAbout(round, [host(102)], 0)), []);
  });

  it("counts the good edges of a batch and says what is wrong with the first bad one (PITFALLS B18)", () => {
    const round = roundOf();
    const batches = batchesAbout(view, [newcomer]);
    const bad: readonly Edge[] = [
      { node: newcomer, ring: 10, join: joiner(100) },
      { node: host(102), ring: 0 },
    ];
    const replies = batches.map(({ sender, edges }) =>
      round.hear(alerts(sender, [bad[0]!, ...edges, bad[1]!]), 0),
    );
    assert.deepEqual(
      replies.slice(0, -1).map(({ reply }) => reply),
      new Array(replies.length - 1).fill(refuse.invalidRing),
    );
    assert.deepEqual(votesIn(replies), [[newcomer]]);
  });

  const badEdges: readonly (readonly [what: string, edge: Edge, refusal: unknown])[] = [
    ["JOIN of a member", { node: host(1), ring: 0, join: joiner(101) }, refuse.edgeCannotApply],
    ["DOWN of one that is no member", { node: newcomer, ring: 0 }, refuse.edgeCannotApply],
    ["JOIN with a uuid that was used", { node: newcomer, ring: 0, join: joiner(3) }, refuse.uuidExists],
    ["ring beyond K", { node: newcomer, ring: K, join: joiner(100) }, refuse.invalidRing],
    ["negative ring", { node: newcomer, ring: -1, join: joiner(100) }, refuse.invalidRing],
    ["ring that is no whole number", { node: newcomer, ring: 0.5, join: joiner(100) }, refuse.invalidRing],
  ];
  for (const [what, edge, refusal] of badEdges) {
    it(`refuses a ${what}, and is as it was`, () => {
      const round = roundOf();
      const sender = view.observersOf(edge.node)[edge.ring] ?? host(1);
      const { reply, ...conclusion } = round.hear(alerts(sender, [edge]), 0);
      assert.deepEqual(reply, refusal);
      assert.deepEqual(conclusion, { say: [], report: [], isLost: false });
      assert.equal(round.wakeAt, Infinity);
    });
  }

  it("refuses an edge from one that does not observe its subject on that ring", () => {
    const observer = view.observersOf(newcomer)[0]!;
    const other = view.members.find((member) => member !== observer)!;
    const { reply } = roundOf().hear(alerts(other, [{ node: newcomer, ring: 0, join: joiner(100) }]), 0);
    assert.deepEqual(reply, refuse.invalidRing);
  });

  it("refuses a report of a lone member about itself: it cannot remove itself (PITFALLS B10)", () => {
    const alone = viewOfSize(1);
    const round = roundOf(alone);
    const edges = Array.from({ length: K }, (_, ring) => ({ node: self, ring }));
    const { reply, say } = round.hear(alerts(self, edges, alone), 0);
    assert.deepEqual([reply, say], [refuse.invalidRing, []]);
  });

  it("hears nothing from strangers", () => {
    const round = roundOf();
    const rank = { round: 2, nodeIndex: 1n };
    const within = { sender: newcomer, configuration: view.id };
    for (const gossip of [
      alerts(newcomer, []),
      vote(newcomer, [host(1)]),
      { kind: "prepare", ...within, rank },
      { kind: "promise", ...within, rank, voted: rank, value: [] },
      { kind: "accept", ...within, rank, value: [host(1)] },
      { kind: "accepted", ...within, rank, value: [host(1)] },
    ] as const) {
      const { reply, ...conclusion } = round.hear(gossip, 0);
      assert.deepEqual(reply, refuse.notMember(newcomer));
      assert.deepEqual(conclusion, { say: [], report: [], isLost: false });
      assert.equal(round.wakeAt, Infinity);
    }
  });

  it("counts no joiner beyond those that it has room to record: a decision about it could not be applied", () => {
    const round = roundOf();
    for (const node of hosts(20_000, 100)) round.hear(joinOn(0, node), 0);
    assert.deepEqual(votesIn(hearAllAbout(round, [host(30_000)], 0)), []);
    assert.deepEqual(votesIn(hearAllAbout(round, [newcomer], 0)), [[newcomer]]);
  });
});

describe("a member that hears nobody", () => {
  const held = (observer: Endpoint, subject: Endpoint): number => view.ringsHeld(observer, subject).length;
  const { low } = DEFAULT_SETTINGS.cutDetector;
  const deaf = view.members.find(
    (node) => node !== self && view.subjectsOf(node).some((of) => held(node, of) >= low),
  )!;
  const accused = view.subjectsOf(deaf).find((subject) => held(deaf, subject) >= low)!;
  const accusations = (of: Endpoint, by = deaf): Alerts =>
    alerts(
      by,
      view.ringsHeld(by, of).map((ring) => ({ node: of, ring })),
    );

  it("and accuses one on L rings is removed a probe period later, when others would have accused that one, too", () => {
    const round = roundOf();
    round.hear(accusations(accused), 100);
    assert.deepEqual(votesIn(hearAllAbout(round, [deaf], 300)), []);
    for (const at of [2100, 2299]) {
      assert.deepEqual(votesIn([round.wake(at)]), []);
      assert.ok(round.wakeAt > at);
    }
    assert.equal(round.wakeAt, 2300);
    assert.deepEqual(votesIn([round.wake(2300)]), [[deaf]]);
  });

  it("is not removed yet while anybody else accuses that one, too", () => {
    const round = roundOf();
    const other = view.observersOf(accused).find((observer) => observer !== deaf)!;
    round.hear(accusations(accused), 100);
    hearAllAbout(round, [deaf], 300);
    round.hear(accusations(accused, other), 2200);
    assert.deepEqual(votesIn([round.wake(2300), round.wake(4500)]), []);
  });
});

describe("a member that nobody tells anything any more", () => {
  const mixed = viewOfSize(3, (i) => i !== 0);
  const accuse = (node: Endpoint, of: View): Alerts =>
    alerts(self, [{ node, ring: of.ringsHeld(self, node)[0]! }], of);
  const roundIn = (of: View, tellers = hosts(2, 1)): Round => {
    const round = roundOf(of);
    for (const node of tellers) round.hear(accuse(node, of), 100);
    return round;
  };
  const asks = (round: Round, at: Millis): boolean =>
    round.wake(at).say.some(({ kind }) => kind === "prepare");

  it("asks for the others' votes by a round of its own, since Rust members do not look past those who are down", () => {
    const round = roundIn(mixed);
    assert.equal(round.wakeAt, 12_100);
    assert.equal(asks(round, 12_099), false);
    assert.equal(asks(round, 12_100), true);
    assert.ok(round.wakeAt > 12_100 && round.wakeAt < 20_000, "and again, as every coordinator does");
  });

  it("does not while somebody would tell it, somebody does, or all are Node and look past each other", () => {
    assert.equal(roundIn(mixed, [host(1)]).wakeAt, Infinity);
    assert.equal(asks(roundIn(viewOfSize(3)), 12_100), false);
    const told = roundIn(mixed);
    told.hear(alerts(host(1), [], mixed), 5000);
    assert.equal(told.wakeAt, 17_000, "silence counts from the last word");
  });
});

describe("where a vote leads", () => {
  it("is known as soon as we voted, for those who are elsewhere may be there", () => {
    const round = roundOf();
    const before: View | undefined = round.awaited;
    assert.equal(before, undefined);
    hearAllAbout(round, [newcomer], 0);
    assert.equal(round.awaited?.id, view.next([newcomer], new Map([[newcomer, joinerAt(newcomer)]])).id);
  });
});

describe("a joiner that is told of in two variants (PITFALLS B3)", () => {
  it("is voted for only when no new variant came for 500 ms", () => {
    const round = roundOf();
    const conclusions = view
      .observersOf(newcomer)
      .map((_, ring) => round.hear(joinOn(ring, newcomer, joiner(ring < 3 ? 100 : 101)), 1000 + 10 * ring));
    assert.deepEqual(votesIn(conclusions), []);
    assert.equal(round.wakeAt, 1530); // The second variant was new at 1030.
    assert.deepEqual(votesIn([round.wake(1529)]), []);
    assert.deepEqual(votesIn([round.wake(1530)]), [[newcomer]]);
  });

  it("comes in as the variant that most rings hold, beside Rust members, and the others are named", () => {
    const mesh = viewOfSize(5, (i) => i === 4);
    const round = roundOf(mesh);
    for (const ring of mesh.observersOf(newcomer).keys()) {
      round.hear(joinOn(ring, newcomer, joiner(ring < 6 ? 100 : 101), mesh), 0);
    }
    const [decision] = hosts(4)
      .map((sender) => round.hear({ ...vote(sender, [newcomer]), configuration: mesh.id }, 1))
      .flatMap(({ decided, variants }) => (decided === undefined ? [] : [{ decided, variants }]));
    assert.deepEqual(decision!.decided.joiners, new Map([[newcomer, joiner(100)]]));
    assert.deepEqual(decision!.variants, new Map([[newcomer, [joiner(100), joiner(101)]]]));
  });

  it("comes in as the variant that was voted for, whatever most rings hold here", () => {
    const round = roundOf();
    for (const ring of view.observersOf(newcomer).keys()) {
      round.hear(joinOn(ring, newcomer, joiner(ring < 6 ? 100 : 101)), 0);
    }
    const value = identified([newcomer], [identityOf(joiner(101))]);
    const [decision] = hosts(4)
      .map((sender) => round.hear(vote(sender, value), 1))
      .flatMap(({ decided, variants }) => (decided === undefined ? [] : [{ decided, variants }]));
    assert.deepEqual(decision!.decided.joiners, new Map([[newcomer, joiner(101)]]));
    assert.equal(decision!.variants, undefined);
  });

  it("comes in as its coordinator advised, beside Rust members, and who lacks that variant waits two seconds for it", () => {
    const mesh = viewOfSize(5, (i) => i === 4);
    const rank = { round: 2, nodeIndex: 5n };
    const decidedBy = (round: Round, value: Proposal): readonly Conclusion[] =>
      hosts(3).map((sender) =>
        round.hear({ kind: "accepted", sender, configuration: mesh.id, rank, value }, 1),
      );
    const tell = (round: Round, variantOn: (ring: number) => number): void => {
      for (const ring of mesh.observersOf(newcomer).keys()) {
        round.hear(joinOn(ring, newcomer, joiner(variantOn(ring)), mesh), 0);
      }
    };
    const value = advised([newcomer], [identityOf(joiner(101))]);
    const both = roundOf(mesh);
    tell(both, (ring) => (ring < 6 ? 100 : 101));
    const { decided, variants } = decidedBy(both, value).at(-1)!;
    assert.deepEqual(decided!.joiners, new Map([[newcomer, joiner(101)]]));
    assert.deepEqual(
      variants,
      new Map([[newcomer, [joiner(100), joiner(101)]]]),
      "Rust members may have gone there",
    );

    const one = roundOf(mesh);
    tell(one, () => 100);
    assert.equal(decidedBy(one, value).at(-1)!.decided, undefined);
    assert.equal(one.wake(2000).decided, undefined);
    assert.deepEqual(one.wake(2001).decided!.joiners, new Map([[newcomer, joiner(100)]]));
  });

  it("is said to be taken as it is known to the coordinator of a classic round, beside Rust members", () => {
    for (const isForeign of [true, false]) {
      const mesh = viewOfSize(5, (i) => isForeign && i === 4);
      const round = roundOf(mesh);
      hearAllAbout(round, [newcomer], 0, mesh);
      const at = round.wakeAt;
      const prepare = round.wake(at).say.find((said): said is Prepare => said.kind === "prepare")!;
      const within = { sender: self, configuration: mesh.id, rank: prepare.rank };
      const idea = isForeign ? [newcomer] : identified([newcomer], [identityOf(joinerAt(newcomer))]);
      const voted = { round: 1, nodeIndex: 1n };
      const said = [host(0), host(1), host(2), host(3)].flatMap(
        (sender) => round.hear({ kind: "promise", ...within, sender, voted, value: idea }, at).say,
      );
      const expected = isForeign ? advised([newcomer], [identityOf(joinerAt(newcomer))]) : idea;
      assert.deepEqual(
        said.map((gossip) => gossip.kind === "accept" && gossip.value),
        [expected],
      );
    }
  });

  it("is not decided by votes that mean different variants", () => {
    const round = roundOf();
    for (const ring of view.observersOf(newcomer).keys()) {
      round.hear(joinOn(ring, newcomer, joiner(ring < 6 ? 100 : 101)), 0);
    }
    const conclusions = hosts(5).map((sender, i) =>
      round.hear(vote(sender, identified([newcomer], [identityOf(joiner(100 + (i % 2)))])), 1),
    );
    assert.deepEqual(
      conclusions.filter(({ decided }) => decided !== undefined),
      [],
    );
  });

  it("is not told of by who voted for it as another one, beside Rust members, whose votes do not say as whom", () => {
    const join = (i: number): Join => ({
      kind: "join",
      sender: newcomer,
      configuration: 0n,
      ring: 0,
      ...joiner(i),
    });
    for (const isForeign of [true, false]) {
      const mesh = viewOfSize(5, (i) => isForeign && i === 4);
      const round = roundOf(mesh);
      assert.ok(round.mayTellOf(join(101)), "nobody is voted for yet");
      hearAllAbout(round, [newcomer], 0, mesh);
      assert.ok(round.hasAnnounced);
      assert.ok(round.mayTellOf(join(100)));
      assert.equal(round.mayTellOf(join(101)), !isForeign);
      assert.ok(round.mayTellOf({ ...join(101), sender: host(102) }), "that one is not voted for");
    }
  });

  it("holds no vote back when both say the same", () => {
    const round = roundOf();
    const conclusions = view
      .observersOf(newcomer)
      .map((_, ring) => round.hear(joinOn(ring, newcomer, joiner(100, nodeMetadata({ a: "b" }))), ring));
    assert.deepEqual(votesIn(conclusions), [[newcomer]]);
  });
});

describe("a decision that names a joiner which is not known here (PITFALLS B1)", () => {
  const value = asVoted(view, [host(1), newcomer]);
  const votes = hosts(4).map((sender) => vote(sender, value));

  function decidedButUnknown(now: Millis, of: View = view): Round {
    const round = roundOf(of);
    const said = { configuration: of.id, value: asVoted(of, [host(1), newcomer]) };
    for (const { decided, isLost } of votes.map((one) => round.hear({ ...one, ...said }, now))) {
      assert.deepEqual([decided, isLost], [undefined, false]);
    }
    return round;
  }

  it("is held until the joiner's data comes, and applied then as a whole", () => {
    const round = decidedButUnknown(1000);
    assert.equal(round.wakeAt, Infinity);
    assert.equal(round.wake(1e9).isLost, false);
    const { decided, reply } = round.hear(joinOn(4, newcomer), 1e9);
    assert.deepEqual(reply, ack);
    assert.deepEqual(decided?.value, value);
    assert.deepEqual(decided?.joiners, new Map([[newcomer, joinerAt(newcomer)]]));
  });

  it("is held, too, while only another variant of the joiner is known", () => {
    const round = roundOf();
    round.hear(joinOn(4, newcomer, joiner(101)), 0);
    const value = identified([newcomer], [identityOf(joiner(100))]);
    const held = hosts(4).map((sender) => round.hear(vote(sender, value), 1));
    assert.ok(held.every(({ decided }) => decided === undefined));
    const { decided } = round.hear(joinOn(5, newcomer, joiner(100)), 2);
    assert.deepEqual(decided?.joiners, new Map([[newcomer, joiner(100)]]));
  });

  it("is lost after two seconds where there are Rust members, who may never tell", () => {
    const round = decidedButUnknown(
      1000,
      viewOfSize(5, (i) => i === 4),
    );
    assert.equal(round.wakeAt, 3000);
    assert.equal(round.wake(2999).isLost, false);
    const { say, report, isLost, decided } = round.wake(3000);
    assert.deepEqual([say, report, isLost, decided], [[], [], true, undefined]);
  });

  it("takes the data from edges that came after we had made up our mind, which it answers as the crate does", () => {
    const round = roundOf();
    hearAllAbout(round, [host(1)], 0);
    assert.deepEqual(round.hear(joinOn(0, newcomer), 10).reply, refuse.alreadyAnnounced);
    const decided = votes.map((one) => round.hear(one, 20).decided).find((one) => one !== undefined);
    assert.deepEqual(decided?.joiners, new Map([[newcomer, joinerAt(newcomer)]]));
  });

  it("is not put off or replaced by anything that is said meanwhile", () => {
    const round = decidedButUnknown(1000);
    const rank = { round: 2, nodeIndex: 5n };
    const within = { sender: host(2), configuration: view.id, rank };
    const prepare: Prepare = { kind: "prepare", ...within };
    const accepted = (sender: Endpoint): Accepted => ({
      kind: "accepted",
      ...within,
      sender,
      value: [host(3)],
    });
    assert.equal(round.hear(prepare, 1500).promise, undefined);
    for (const sender of hosts(3)) assert.equal(round.hear(accepted(sender), 1500).decided, undefined);
    assert.equal(round.wakeAt, Infinity);
    assert.deepEqual(round.hear(joinOn(0, newcomer), 1600).decided?.value, value);
  });
});

describe("a vote in the fast round (PROTOCOL §13)", () => {
  it("counts once per member, whether or not we have announced", () => {
    const round = roundOf();
    assert.deepEqual(round.hear(vote(host(1), [host(4)]), 0).reply, ack);
    assert.deepEqual(round.hear(vote(host(1), [host(4)]), 0).reply, refuse.alreadyVoted);
    assert.deepEqual(round.hear(vote(host(1), [host(3)]), 0).reply, refuse.alreadyVoted);
    round.hear(vote(host(2), [host(4)]), 0);
    round.hear(vote(host(3), [host(4)]), 0);
    assert.deepEqual(round.hear(vote(host(0), [host(4)]), 0).decided?.value, [host(4)]);
  });

  it("is not cast after a promise, though the cut is kept as our own idea (PITFALLS B2)", () => {
    const round = roundOf();
    const rank = { round: 2, nodeIndex: 5n };
    const { promise } = round.hear({ kind: "prepare", sender: host(1), configuration: view.id, rank }, 0);
    assert.deepEqual(promise, {
      to: host(1),
      message: {
        kind: "promise",
        sender: self,
        configuration: view.id,
        rank,
        voted: { round: 0, nodeIndex: 0n },
        value: [],
      },
    });
    assert.deepEqual(votesIn(hearAllAbout(round, [host(4)], 0)), []);
    assert.equal(round.hasAnnounced, true);
  });
});
