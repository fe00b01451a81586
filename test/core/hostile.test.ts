// Well-formed nonsense from whoever can reach us (S41, PITFALLS B19): refused or held within bounds, and without
// any effect on what the member does afterwards. Malformed bytes never get past the codec.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Gossip, Request } from "../../src/core/messages.ts";
import { LoneMember } from "./lone-member.ts";
import { host, hosts, joiner, uuid } from "./sample-views.ts";

const others = hosts(6, 1);

function member(): LoneMember {
  return LoneMember.among(others);
}

/** Everything about a member that can be seen from outside: what it does from here on to the same events. */
function behaviour(lone: LoneMember): unknown {
  const { sent, cuts, said } = { sent: lone.sent.length, cuts: lone.cuts.length, said: lone.view };
  lone.sleep(2000);
  lone.decide([host(200), host(3)].sort());
  lone.sleep(8000, (subject) => (subject === host(4) ? undefined : { kind: "ack" }));
  return {
    said: said.id,
    view: lone.view.id,
    wakesIn: lone.member.wakeAt - lone.now,
    cuts: lone.cuts.slice(cuts).map(({ view, joined, kicked }) => [view.id, joined, kicked]),
    sent: lone.sent
      .slice(sent)
      .map(({ to, request }) => [to, request.kind === "broadcast" ? { ...request, unique: 0n } : request]),
  };
}

describe("a stranger", () => {
  const stranger = host(99);
  const sayings: readonly ((lone: LoneMember) => Gossip)[] = [
    ({ view }) => ({
      kind: "alerts",
      sender: stranger,
      configuration: view.id,
      edges: others.flatMap((node) => view.observersOf(node).map((_, ring) => ({ node, ring }))),
    }),
    ({ view }) => ({ kind: "fastAccepted", sender: stranger, configuration: view.id, value: [host(1)] }),
    ({ view }) => ({
      kind: "prepare",
      sender: stranger,
      configuration: view.id,
      rank: { round: 9, nodeIndex: 1n },
    }),
    ({ view }) => ({
      kind: "accept",
      sender: stranger,
      configuration: view.id,
      rank: { round: 9, nodeIndex: 1n },
      value: [host(1)],
    }),
    ({ view }) => ({
      kind: "accepted",
      sender: stranger,
      configuration: view.id,
      rank: { round: 9, nodeIndex: 1n },
      value: [host(1)],
    }),
  ];
  for (const [i, say] of sayings.entries()) {
    it(`has no effect, saying "${say(member()).kind}" directly or to all`, () => {
      const expected = behaviour(member());
      const direct = member();
      direct.ask(say(direct));
      assert.deepEqual(behaviour(direct), expected);
      const all = member();
      all.sent.length = 0;
      all.hear(say(all));
      assert.equal(all.sent.length, 1, "it is told on, as everything that is new (PROTOCOL §10)");
      assert.deepEqual(behaviour(all), expected);
      assert.ok(i < sayings.length);
    });
  }
});

describe("a member with a wrong idea", () => {
  const anybody = fc.nat(12).map((i) => (i > 6 ? host(90 + i) : host(i)));
  const configuration = fc.constantFrom(0n, 1n, 2n ** 64n - 1n, 12345n);
  const rank = fc.record({
    round: fc.constantFrom(0, 1, 2, 9, 2 ** 32 - 1),
    nodeIndex: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  });
  const value = fc.uniqueArray(anybody, { minLength: 1 }).map((list) => [...list].sort());
  const ring = fc.constantFrom(0, 5, 9, 10, 31, 32, 2 ** 31, Number.MAX_SAFE_INTEGER, -1);
  const edge = fc.record(
    { node: anybody, ring, join: fc.nat(200).map((i) => joiner(i)) },
    { requiredKeys: ["node", "ring"] },
  );
  const request: fc.Arbitrary<Request> = fc.oneof(
    fc.record({
      kind: fc.constant("alerts" as const),
      sender: anybody,
      configuration,
      edges: fc.array(edge),
    }) as fc.Arbitrary<Request>,
    fc.record({ kind: fc.constant("fastAccepted" as const), sender: anybody, configuration, value }),
    fc.record({ kind: fc.constant("prepare" as const), sender: anybody, configuration, rank }),
    fc.record({
      kind: fc.constant("promise" as const),
      sender: anybody,
      configuration,
      rank,
      voted: rank,
      value,
    }),
    fc.record({ kind: fc.constant("accept" as const), sender: anybody, configuration, rank, value }),
    fc.record({ kind: fc.constant("accepted" as const), sender: anybody, configuration, rank, value }),
    fc.record({
      kind: fc.constant("join" as const),
      sender: anybody,
      configuration,
      ring,
      uuid: fc.nat(200).map(uuid),
      metadata: fc.constant({}),
    }),
    fc.record({ kind: fc.constant("leave" as const), sender: anybody, configuration }),
    fc.record({ kind: fc.constant("preJoin" as const), sender: anybody, uuid: fc.nat(200).map(uuid) }),
    fc.record({ kind: fc.constant("probe" as const) }),
  );

  it("about the configuration, asking directly, gets one answer each and changes nothing", () => {
    const expected = behaviour(member());
    fc.assert(
      fc.property(fc.array(request, { maxLength: 30 }), (requests) => {
        const lone = member();
        for (const one of requests) assert.ok(lone.ask(one) !== undefined, one.kind);
        assert.deepEqual(behaviour(lone), expected);
      }),
      { numRuns: 40 },
    );
  });

  it("may say anything in our own configuration, and is answered once", () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 30 }), (requests) => {
        const lone = member();
        const { view } = lone;
        for (const one of requests) {
          if (lone.view !== view) break; // It was enough for a decision, which members may make.
          const here = "configuration" in one ? { ...one, configuration: view.id } : one;
          const reply = lone.ask(here as Request);
          if (here.kind !== "join") assert.ok(reply !== undefined, here.kind);
        }
        assert.ok(lone.member.wakeAt > lone.now - 1);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a flood", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;

  function heldBytes(run: () => void): number {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    run();
    collectGarbage();
    return process.memoryUsage().heapUsed - before;
  }

  const floods: readonly (readonly [what: string, one: (lone: LoneMember, i: number) => Request])[] = [
    [
      "of votes under unknown configurations",
      (lone, i) =>
        lone.broadcast({ kind: "fastAccepted", sender: host(1), configuration: BigInt(i), value: hosts(50) }),
    ],
    [
      "of joiners with large metadata under unknown configurations",
      (lone, i) =>
        lone.broadcast({
          kind: "alerts",
          sender: host(1),
          configuration: BigInt(i),
          edges: [
            { node: host(i), ring: 0, join: { uuid: uuid(i), metadata: { blob: new Uint8Array(5000) } } },
          ],
        }),
    ],
    [
      "of reports about strangers",
      (lone, i) =>
        lone.broadcast({
          kind: "alerts",
          sender: host(1),
          configuration: lone.view.id,
          edges: hosts(20, 1000 + 20 * i).map((node) => ({ node, ring: 0 })),
        }),
    ],
    [
      "of acceptances at ever other ranks",
      (lone, i) => ({
        kind: "accepted",
        sender: host(1),
        configuration: lone.view.id,
        rank: { round: 2, nodeIndex: BigInt(i) },
        value: hosts(20),
      }),
    ],
    [
      "of questions by ever other joiners",
      (_, i) => ({ kind: "preJoin", sender: host(1000 + i), uuid: uuid(1000 + i) }),
    ],
  ];
  for (const [what, one] of floods) {
    it(`${what} is held within bounds, and the member works on`, () => {
      const lone = member();
      const count = 8000;
      const grown = heldBytes(() => {
        for (let i = 0; i < count; i++) {
          lone.feed({ kind: "request", token: -1 - i, request: one(lone, i) });
          lone.replies.clear();
          lone.sent.length = 0;
        }
      });
      assert.ok(grown < 5 * 1024 * 1024, `${Math.round(grown / 1024 / 1024)} MiB`);
      lone.decide([host(5)]);
      assert.ok(!lone.view.has(host(5)));
    });
  }

  it("of joins leaves room for no more than 20,000 to wait", () => {
    const lone = LoneMember.founding(host(0));
    // So that it does not let them in at once.
    const configuration = lone.view.id;
    const replies = Array.from({ length: 20_001 }, (_, i) => {
      const token = lone.open({
        kind: "join",
        sender: host(1 + (i >> 3)),
        ring: i & 7,
        configuration,
        ...joiner(1 + (i >> 3)),
      });
      return lone.replies.get(token);
    });
    assert.deepEqual(replies.at(-1), {
      kind: "refused",
      code: "resource_exhausted",
      why: "too many requests are waiting",
    });
    assert.equal(replies.filter((reply) => reply === undefined).length, 20_000);
  });
});

describe("a forged report", () => {
  it("suspects nobody who is not a member", () => {
    const lone = member();
    const before = lone.broadcast({
      kind: "fastAccepted",
      sender: host(1),
      configuration: 5n,
      value: [host(1)],
    });
    lone.ask(before);
    const audience = (): readonly Endpoint[] => lone.sent.at(-1)!.to;
    const told = audience();
    const edges = others.map((node) => ({ node, ring: 0 }));
    lone.hear({ kind: "alerts", sender: host(99), configuration: lone.view.id, edges });
    lone.ask(lone.broadcast({ kind: "fastAccepted", sender: host(1), configuration: 6n, value: [host(1)] }));
    assert.deepEqual(audience(), told);
  });
});
