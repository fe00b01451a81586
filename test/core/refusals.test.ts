// Every refusal of PROTOCOL §7 by its code and exact words, through the door that requests come in by. The two that the
// codec makes, "invalid endpoint" and "missing oneof", are tested with it.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Endpoint, parseEndpoint } from "../../src/core/endpoint.ts";
import type { Edge, Gossip, Join, Rank, Reply, Request } from "../../src/core/messages.ts";
import { LoneMember } from "./lone-member.ts";
import { host, hosts, joiner, uuid } from "./sample-views.ts";

const stranger = host(99);
const newcomer = host(100);

function member(): LoneMember {
  return LoneMember.among(hosts(4, 1));
}

type Case = readonly [
  what: string,
  code: string,
  why: string,
  /** The request, after whatever has to happen before. */
  ask: (lone: LoneMember) => Request,
];

function rank(round: number, nodeIndex = 5n): Rank {
  return { round, nodeIndex };
}

function alerts(
  lone: LoneMember,
  sender: Endpoint,
  edges: readonly Edge[],
  configuration = lone.view.id,
): Gossip {
  return { kind: "alerts", sender, configuration, edges };
}

function vote(lone: LoneMember, sender: Endpoint, configuration = lone.view.id): Gossip {
  return { kind: "fastAccepted", sender, configuration, value: [host(4)] };
}

function prepare(lone: LoneMember, at: Rank, sender = host(1)): Gossip {
  return { kind: "prepare", sender, configuration: lone.view.id, rank: at };
}

function promise(lone: LoneMember, at: Rank, sender = host(1), configuration = lone.view.id): Gossip {
  return { kind: "promise", sender, configuration, rank: at, voted: rank(0, 0n), value: [] };
}

function accept(lone: LoneMember, at: Rank): Gossip {
  return { kind: "accept", sender: host(1), configuration: lone.view.id, rank: at, value: [host(4)] };
}

function join(
  lone: LoneMember,
  node: Endpoint,
  who: number,
  configuration = lone.view.id,
  ring?: number,
): Join {
  const own = lone.view.ringsHeld(lone.self, node)[0]!;
  return { kind: "join", sender: node, ring: ring ?? own, configuration, ...joiner(who) };
}

/** A node that would like to join, and that we observe on some rings but not on all. */
function observed(lone: LoneMember): Endpoint {
  return hosts(100, 100).find((node) => {
    const held = lone.view.ringsHeld(lone.self, node).length;
    return held > 0 && held < lone.view.observers;
  })!;
}

const severalRings: readonly (readonly [string, (held: readonly number[]) => readonly number[]])[] = [
  ["one ring twice", (held) => held.slice(0, 1)],
  ["a ring that others hold", (held) => [[...Array(10).keys()].find((ring) => !held.includes(ring))!]],
  ["a ring that there is not", () => [10]],
];

const cases: readonly Case[] = [
  ["PreJoin of a member", "already_exists", "host already exists", () => preJoin(host(1), 100)],
  ["PreJoin with a used uuid", "already_exists", "uuid already exists", () => preJoin(newcomer, 1)],
  [
    "PreJoin with both: the host comes first",
    "already_exists",
    "host already exists",
    (lone) => {
      lone.decide([newcomer]);
      return preJoin(newcomer, 1);
    },
  ],
  [
    "Join under another configuration",
    "aborted",
    "mismatched configuration id",
    (lone) => join(lone, observed(lone), 100, 5n),
  ],
  [
    "Join of a member under another configuration: the configuration comes first",
    "aborted",
    "mismatched configuration id",
    (lone) => join(lone, host(1), 100, 5n, 0),
  ],
  [
    "Join of a member",
    "already_exists",
    "host already exists",
    (lone) => join(lone, host(1), 100, lone.view.id, 0),
  ],
  ["Join with a used uuid", "already_exists", "uuid already exists", (lone) => join(lone, observed(lone), 1)],
  [
    "Join on a ring that we do not hold it on",
    "invalid_argument",
    "invalid ring number",
    (lone) => {
      const node = observed(lone);
      const others = lone.view.observersOf(node).findIndex((observer) => observer !== lone.self);
      return join(lone, node, 100, lone.view.id, others);
    },
  ],
  ...[10, 2 ** 53, -1, 0.5].map(
    (ring): Case => [
      `Join on ring ${ring}`,
      "invalid_argument",
      "invalid ring number",
      (lone) => join(lone, observed(lone), 100, lone.view.id, ring),
    ],
  ),
  ...severalRings.map(
    ([what, more]): Case => [
      `Join for several rings with ${what}`,
      "invalid_argument",
      "invalid ring number",
      (lone) => {
        const node = observed(lone);
        return { ...join(lone, node, 100), moreRings: more(lone.view.ringsHeld(lone.self, node)) };
      },
    ],
  ),
  [
    "alerts of a stranger",
    "aborted",
    "10.0.0.99:9000 not in configuration",
    (lone) => alerts(lone, stranger, []),
  ],
  [
    "alerts of a stranger under another configuration: the stranger comes first",
    "aborted",
    "10.0.0.99:9000 not in configuration",
    (lone) => alerts(lone, stranger, [], 5n),
  ],
  [
    "alerts of a stranger with TLS, named by its address alone",
    "aborted",
    "10.0.0.1:9000 not in configuration",
    (lone) => alerts(lone, parseEndpoint("tls://10.0.0.1:9000")!, []),
  ],
  [
    "alerts under another configuration",
    "aborted",
    "mismatched configuration id",
    (lone) => alerts(lone, host(1), [], 5n),
  ],
  [
    "alerts after we announced",
    "aborted",
    "already announced fast paxos round",
    (lone) => {
      const edges = [...lone.view.observersOf(host(4)).entries()];
      for (const [ring, observer] of edges) lone.hear(alerts(lone, observer, [{ node: host(4), ring }]));
      return alerts(lone, host(1), []);
    },
  ],
  [
    "JOIN of a member",
    "aborted",
    "edge cannot apply to configuration",
    (lone) => alerts(lone, host(1), [{ node: host(2), ring: 0, join: joiner(100) }]),
  ],
  [
    "DOWN of a stranger",
    "aborted",
    "edge cannot apply to configuration",
    (lone) => alerts(lone, host(1), [{ node: stranger, ring: 0 }]),
  ],
  [
    "edge on a ring of another observer",
    "invalid_argument",
    "invalid ring number",
    (lone) => {
      const ring = lone.view.observersOf(host(2)).findIndex((observer) => observer !== host(1));
      return alerts(lone, host(1), [{ node: host(2), ring }]);
    },
  ],
  ["vote of a stranger", "aborted", "10.0.0.99:9000 not in configuration", (lone) => vote(lone, stranger)],
  [
    "vote under another configuration",
    "aborted",
    "mismatched configuration id",
    (lone) => vote(lone, host(1), 5n),
  ],
  [
    "second vote",
    "already_exists",
    "sender has already voted",
    (lone) => {
      lone.ask(vote(lone, host(1)));
      return vote(lone, host(1));
    },
  ],
  [
    "Prepare of a rank that was promised",
    "aborted",
    "rank is too low",
    (lone) => {
      lone.ask(prepare(lone, rank(2)));
      return prepare(lone, rank(2));
    },
  ],
  [
    "Prepare below a rank that was promised",
    "aborted",
    "rank is too low",
    (lone) => {
      lone.ask(prepare(lone, rank(3)));
      return prepare(lone, rank(2, 2n ** 64n - 1n));
    },
  ],
  ["Prepare of no rank", "aborted", "rank is too low", (lone) => prepare(lone, rank(0, 0n))],
  ["Promise that we did not ask for", "aborted", "rnd is not our crnd", (lone) => promise(lone, rank(2))],
  [
    "Accept below a rank that was promised",
    "aborted",
    "rnd is too low",
    (lone) => {
      lone.ask(prepare(lone, rank(3)));
      return accept(lone, rank(2));
    },
  ],
  [
    "Accept of a rank that was accepted",
    "aborted",
    "rnd is equal to vrnd",
    (lone) => {
      lone.ask(accept(lone, rank(2)));
      return accept(lone, rank(2));
    },
  ],
  // The configuration check of a peer (PITFALLS E2), which has no effect.
  [
    "a configuration check of a member in our configuration",
    "aborted",
    "rnd is not our crnd",
    (lone) => promise(lone, rank(2 ** 32 - 1, 0n)),
  ],
  [
    "a configuration check of a member in another configuration",
    "aborted",
    "mismatched configuration id",
    (lone) => promise(lone, rank(2 ** 32 - 1, 0n), host(1), 5n),
  ],
  [
    "a configuration check of a stranger, whatever its configuration",
    "aborted",
    "10.0.0.99:9000 not in configuration",
    (lone) => promise(lone, rank(2 ** 32 - 1, 0n), stranger, 5n),
  ],
  [
    "a broadcast that was heard before",
    "already_exists",
    "delivery is redundant",
    (lone) => {
      const broadcast = lone.broadcast(vote(lone, host(1)));
      lone.ask(broadcast);
      return broadcast;
    },
  ],
  [
    "a leave of a stranger",
    "aborted",
    "10.0.0.99:9000 not in configuration",
    (lone) => ({ kind: "leave", sender: stranger, configuration: lone.view.id }),
  ],
  [
    "a leave under another configuration",
    "aborted",
    "mismatched configuration id",
    () => ({ kind: "leave", sender: host(1), configuration: 5n }),
  ],
];

function preJoin(sender: Endpoint, who: number): Request {
  return { kind: "preJoin", sender, uuid: uuid(who) };
}

describe("a member refuses (PROTOCOL §7)", () => {
  for (const [what, code, why, ask] of cases) {
    it(`${what}: ${code} "${why}", and is as it was`, () => {
      const lone = member();
      const request = ask(lone);
      const { view } = lone;
      const { wakeAt } = lone.member;

      const effects = lone.feed({ kind: "request", token: 1000, request });

      assert.deepEqual(effects, [{ kind: "reply", token: 1000, reply: { kind: "refused", code, why } }]);
      assert.equal(lone.member.wakeAt, wakeAt);
      assert.equal(lone.view, view);
    });
  }
});

describe("who is in no configuration", () => {
  const requests: readonly (readonly [what: string, request: Request, code: string, why: string])[] = [
    ["a probe", { kind: "probe" }, "unavailable", "degraded"],
    ["a PreJoin", preJoin(newcomer, 100), "unavailable", "not in a configuration yet"],
    [
      "a Join",
      { kind: "join", sender: newcomer, ring: 0, configuration: 1n, ...joiner(100) },
      "unavailable",
      "not in a configuration yet",
    ],
    [
      "a leave",
      { kind: "leave", sender: newcomer, configuration: 1n },
      "unavailable",
      "not in a configuration yet",
    ],
  ];
  const answerOf = (lone: LoneMember, request: Request): Reply | undefined =>
    request.kind === "probe" ? lone.probe() : lone.ask(request);

  for (const [what, request, code, why] of requests) {
    it(`refuses ${what} while it looks for a mesh (PITFALLS A11, B12)`, () => {
      const lone = new LoneMember(host(0));
      lone.feed({ kind: "start" });
      assert.deepEqual(answerOf(lone, request), { kind: "refused", code, why });
    });

    it(`refuses ${what} when it was removed`, () => {
      const lone = LoneMember.among(hosts(4, 1));
      lone.decide([lone.self]);
      assert.equal(lone.degraded, true);
      assert.deepEqual(answerOf(lone, request), { kind: "refused", code, why });
    });
  }
});

describe("a member that has gone", () => {
  it("refuses whatever would need it as a member, and lets nobody in", () => {
    const lone = LoneMember.founding(host(0));
    lone.feed({ kind: "leave", timeoutMs: 1000 });
    assert.equal(lone.left, true);
    const closed = { kind: "refused", code: "unavailable", why: "closed" };
    const degraded = { kind: "refused", code: "unavailable", why: "degraded" };
    assert.deepEqual(lone.probe(), degraded);
    assert.deepEqual(lone.ask(preJoin(newcomer, 100)), closed);
    const { id } = lone.view;
    const asks: Request = { kind: "join", sender: newcomer, ring: 0, configuration: id, ...joiner(100) };
    assert.deepEqual(lone.ask(asks), closed);
    assert.deepEqual(lone.ask({ kind: "leave", sender: newcomer, configuration: id }), closed);
    assert.deepEqual(lone.ask(vote(lone, host(0))), closed);
    assert.equal(lone.member.wakeAt, Infinity);
  });
});
