import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { endpointFrom, golden, uuidFrom } from "../../test/core/golden.ts";
import {
  foreignMetadata,
  host,
  hosts,
  joiner,
  K,
  nodeMetadata,
  uuid,
  viewAmong,
  viewOfSize,
} from "../../test/core/sample-views.ts";
import { compareEndpoints, type Endpoint, parseEndpoint } from "./endpoint.ts";
import type { Joiner } from "./messages.ts";
import { type MemberRecord, View } from "./view.ts";

const nobody: ReadonlyMap<Endpoint, Joiner> = new Map();
const indices = fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: 24 });

/** The step from members `from` to members `to`; those who join come with uuid 1000 + i. */
function stepFrom(view: View, to: readonly number[]): { view: View; joiners: Map<Endpoint, Joiner> } {
  const wanted = new Map(to.map((i) => [host(i), joiner(1000 + i, nodeMetadata({ i: `${i}` }))]));
  const joiners = new Map([...wanted].filter(([endpoint]) => !view.has(endpoint)));
  const leaving = view.members.filter((endpoint) => !wanted.has(endpoint));
  const decision = [...leaving, ...joiners.keys()].sort(compareEndpoints);
  return { view: decision.length === 0 ? view : view.next(decision, joiners), joiners };
}

function record(endpoint: Endpoint): MemberRecord & { endpoint: Endpoint } {
  return { endpoint, metadata: nodeMetadata() };
}

function assertSameView(actual: View, expected: View): void {
  assert.equal(actual.id, expected.id);
  assert.deepEqual(actual.members, expected.members);
  assert.deepEqual(actual.uuids, expected.uuids);
  assert.equal(actual.isAllNode, expected.isAllNode);
  assert.equal(actual.fastQuorum, expected.fastQuorum);
  for (const endpoint of [...expected.members, host(301), host(302), parseEndpoint("[::1]:1")!]) {
    assert.deepEqual(actual.observersOf(endpoint), expected.observersOf(endpoint));
    assert.deepEqual(actual.subjectsOf(endpoint), expected.subjectsOf(endpoint));
    assert.deepEqual(actual.recordOf(endpoint)?.metadata, expected.recordOf(endpoint)?.metadata);
    assert.equal(actual.indexOf(endpoint), expected.indexOf(endpoint));
  }
}

describe("a view's id", () => {
  for (const { label, endpoints, uuids_sorted, conf_id } of golden.c_conf_ids) {
    it(`is the crate's: ${label}`, () => {
      const uuids = uuids_sorted.map(uuidFrom);
      const records = endpoints.map((endpoint) => ({
        endpoint: endpointFrom(endpoint),
        metadata: foreignMetadata,
      }));
      assert.equal(View.of(K, records, uuids).id, BigInt(conf_id));
      assert.equal(View.of(K, [...records].reverse(), [...uuids].reverse()).id, BigInt(conf_id));
    });
  }

  it("does not depend on metadata (ALGORITHMS c)", () => {
    const record = { endpoint: host(1), uuid: uuid(1) };
    const ids = [nodeMetadata(), foreignMetadata].map(
      (metadata) => View.of(K, [{ ...record, metadata }], [uuid(1)]).id,
    );
    assert.equal(ids[0], ids[1]);
  });
});

describe("a view", () => {
  it("refuses a member named twice and a uuid named twice", () => {
    const record = { endpoint: host(1), metadata: foreignMetadata };
    assert.throws(() => View.of(K, [record, record], [uuid(1), uuid(2)]), /a member is named twice/);
    assert.throws(() => View.of(K, [record], [uuid(1), uuid(1)]), /a uuid is named twice/);
  });

  const quorums: readonly (readonly [size: number, fast: number, majority: number])[] = [
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 2],
    [4, 3, 3],
    [5, 4, 3],
    [6, 5, 4],
    [7, 6, 4],
    [8, 6, 5],
    [10, 8, 6],
    [100, 75, 51],
  ];
  for (const [size, fast, majority] of quorums) {
    it(`of ${size} decides by ${fast} equal votes or ${majority} acceptances (PROTOCOL §13, §14)`, () => {
      const view = viewOfSize(size);
      assert.deepEqual([view.fastQuorum, view.majority], [fast, majority]);
    });
  }

  it("is all Node only where every member's metadata says so", () => {
    assert.equal(viewOfSize(5).isAllNode, true);
    const mixed = viewOfSize(5, (i) => i === 3);
    assert.equal(mixed.isAllNode, false);
    assert.deepEqual(
      hosts(6).map((endpoint) => mixed.isNode(endpoint)),
      [true, true, true, false, true, false],
    );
  });

  it("tells the incarnation of a member by its uuid, and believes a used one where it does not know whose it is", () => {
    const told = View.of(K, [record(host(1)), record(host(2))], [uuid(1), uuid(2)]);
    const view = told.next([host(3)], new Map([[host(3), joiner(3)]]));
    const answers = [
      [host(1), uuid(1)],
      [host(1), uuid(9)],
      [host(3), uuid(3)],
      [host(3), uuid(1)],
      [host(4), uuid(1)],
    ] as const;
    assert.deepEqual(
      answers.map(([endpoint, id]) => view.hasAs(endpoint, id)),
      [true, false, true, false, false],
    );
  });

  it("lists members by address for cuts: IPv4 first", () => {
    const records = ["[::1]:1", "127.0.0.1:2", "127.0.0.1:1", "9.9.9.9:9"].map((address) => ({
      endpoint: parseEndpoint(address)!,
      metadata: foreignMetadata,
    }));
    const view = View.of(K, records, []);
    assert.deepEqual(view.membersByAddress, ["9.9.9.9:9", "127.0.0.1:1", "127.0.0.1:2", "[::1]:1"]);
  });

  it("tells on which rings one observes another, also of one that is not in yet", () => {
    const view = viewOfSize(5);
    for (const subject of [...view.members, host(99)]) {
      const observers = view.observersOf(subject);
      for (const observer of view.members) {
        const rings = view.ringsHeld(observer, subject);
        assert.deepEqual(
          [...observers.keys()].map((ring) => rings.includes(ring)),
          observers.map((one) => one === observer),
        );
        assert.deepEqual(
          rings,
          [...rings].sort((a, b) => a - b),
        );
      }
    }
  });

  it("observes both ways: o precedes s on a ring exactly where s succeeds o, and nobody observes itself", () => {
    fc.assert(
      fc.property(indices, (members) => {
        const view = viewAmong(members);
        for (const subject of view.members) {
          for (const [ring, observer] of view.observersOf(subject).entries()) {
            assert.equal(view.subjectsOf(observer)[ring], subject);
            assert.equal(observer === subject, view.size === 1);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("a step to the next view", () => {
  it("leads from any members to any others, as if those had been listed afresh", () => {
    fc.assert(
      fc.property(indices, indices, (from, to) => {
        const before = viewAmong(from);
        const { view, joiners } = stepFrom(before, to);
        const records = to.map((i) => ({
          endpoint: host(i),
          ...(joiners.get(host(i)) ?? { uuid: uuid(i), metadata: nodeMetadata() }),
        }));
        const uuids = [...before.uuids, ...[...joiners.values()].map((one) => one.uuid)];
        assertSameView(view, View.of(K, records, uuids));
        for (const { endpoint, uuid } of records) assert.equal(view.recordOf(endpoint)?.uuid, uuid);
      }),
      { numRuns: 60 },
    );
  });

  it("keeps every uuid that was ever admitted, in order, over any number of steps", () => {
    fc.assert(
      fc.property(fc.array(indices, { maxLength: 5 }), (sets) => {
        let view = viewAmong([]);
        const seen = new Set<string>();
        for (const set of sets) {
          const step = stepFrom(view, set);
          // The same host may come back only as a new incarnation.
          fc.pre([...step.joiners.values()].every((one) => !seen.has(one.uuid)));
          for (const one of step.joiners.values()) seen.add(one.uuid);
          view = step.view;
        }
        assert.deepEqual(view.uuids, [...seen].sort());
        for (const one of view.uuids) assert.equal(view.knows(one), true);
        assert.equal(view.knows(uuid(5)), false);
      }),
      { numRuns: 60 },
    );
  });

  it("leaves the view that it started from as it was", () => {
    const before = viewOfSize(6);
    const again = viewOfSize(6);
    before.next([host(1), host(9)], new Map([[host(9), joiner(9)]]));
    assertSameView(before, again);
  });

  it("is taken once and shared by all who decide the same", () => {
    const before = viewOfSize(4);
    const joiners = (): Map<Endpoint, Joiner> => new Map([[host(9), joiner(9, nodeMetadata({ a: "b" }))]]);
    assert.equal(before.next([host(2), host(9)], joiners()), before.next([host(2), host(9)], joiners()));
  });

  const variants: readonly (readonly [what: string, one: Joiner, other: Joiner])[] = [
    ["uuid", joiner(9), joiner(10)],
    ["metadata value", joiner(9, nodeMetadata({ a: "1" })), joiner(9, nodeMetadata({ a: "2" }))],
    ["metadata key", joiner(9, nodeMetadata({ a: "1" })), joiner(9, nodeMetadata({ b: "1" }))],
    ["amount of metadata", joiner(9, nodeMetadata()), joiner(9, nodeMetadata({ a: "" }))],
  ];
  for (const [what, one, other] of variants) {
    it(`is another one for a joiner of another ${what}`, () => {
      const before = viewOfSize(4);
      const first = before.next([host(9)], new Map([[host(9), one]]));
      const second = before.next([host(9)], new Map([[host(9), other]]));
      assert.notEqual(first, second);
      assert.equal(second.recordOf(host(9))?.uuid, other.uuid);
      assert.deepEqual(second.recordOf(host(9))?.metadata, other.metadata);
      assert.equal(first.id === second.id, one.uuid === other.uuid);
    });
  }
});

describe("two joiners that bring the same uuid", () => {
  it("leave a view that can be told to others: uuids are a set", () => {
    const twins = new Map([8, 9].map((i) => [host(i), joiner(7)]));
    const view = viewOfSize(2).next([host(8), host(9)], twins);
    assert.deepEqual(view.uuids, [uuid(0), uuid(1), uuid(7)]);
    assertSameView(view, View.of(K, view.members.map(record), view.uuids));
  });
});

describe("MembershipViewTest of Java Rapid", () => {
  it("oneRingAddition, multipleRingAdditions: everybody added is on every ring, once", () => {
    for (const size of [1, 10]) {
      const view = viewOfSize(size);
      assert.deepEqual(new Set(view.members), new Set(hosts(size)));
      for (let ring = 0; ring < K; ring++) {
        assert.equal(new Set(view.members.map((m) => view.subjectsOf(m)[ring])).size, size);
      }
    }
  });

  it("ringReAdditions: a member cannot be added twice", () => {
    assert.throws(() => viewAmong([1, 2, 3, 1]), RangeError);
  });

  it("ringDeletionsOnly, ringAdditionsAndDeletions: those removed are on no ring, the others still on all", () => {
    const view = viewOfSize(10).next(hosts(5), nobody);
    assert.deepEqual(new Set(view.members), new Set(hosts(5, 5)));
    assertSameView(view, View.of(K, hosts(5, 5).map(record), viewOfSize(10).uuids));
  });

  it("monitoringRelationshipEmpty: without members nobody has observers or subjects", () => {
    const view = viewOfSize(0);
    assert.deepEqual([view.observersOf(host(1)), view.subjectsOf(host(1)), view.members], [[], [], []]);
  });

  it("monitoringRelationshipEdge: a lone member is its own only neighbour (here as in the crate)", () => {
    const view = viewOfSize(1);
    assert.deepEqual(view.observersOf(host(0)), new Array(K).fill(host(0)));
  });

  it("monitoringRelationshipTwoNodes: two members observe each other on all rings", () => {
    const view = viewOfSize(2);
    assert.deepEqual(view.observersOf(host(0)), new Array(K).fill(host(1)));
    assert.deepEqual(view.subjectsOf(host(0)), new Array(K).fill(host(1)));
  });

  it("monitoringRelationshipThreeNodesWithDelete: of three, one is removed and the two are left with each other", () => {
    const three = viewOfSize(3);
    assert.equal(new Set(three.subjectsOf(host(0))).size, 2);
    assert.deepEqual(three.next([host(1)], nobody).subjectsOf(host(0)), new Array(K).fill(host(2)));
  });

  it("monitoringRelationshipMultipleNodes: in a thousand, each has K observers and K subjects, mostly distinct", () => {
    const view = viewOfSize(1000);
    for (const member of view.members.slice(0, 50)) {
      assert.equal(view.observersOf(member).length, K);
      assert.ok(new Set(view.observersOf(member)).size >= K / 2);
    }
  });

  it("monitoringRelationshipBootstrap: a lone member is expected to observe whoever joins, on all rings", () => {
    assert.deepEqual(viewOfSize(1).observersOf(host(1)), new Array(K).fill(host(0)));
  });

  it("monitoringRelationshipBootstrapMultiple: whoever joins K members has several observers, one per ring", () => {
    for (let size = 2; size <= K; size++) {
      const view = viewOfSize(size);
      const observers = view.observersOf(host(99));
      assert.equal(observers.length, K);
      assert.ok(new Set(observers).size >= Math.min(2, size));
      assert.ok(observers.every((observer) => view.has(observer)));
    }
  });

  it("nodeUniqueIdNoDeletions: a uuid in use is known, another is not", () => {
    const view = viewOfSize(10);
    assert.deepEqual([view.knows(uuid(3)), view.knows(uuid(10))], [true, false]);
  });

  it("nodeUniqueIdWithDeletions: a used uuid never comes back, its address may with a new one", () => {
    const without = viewOfSize(3).next([host(1)], nobody);
    assert.deepEqual([without.has(host(1)), without.knows(uuid(1))], [false, true]);
    const back = without.next([host(1)], new Map([[host(1), joiner(11)]]));
    assert.deepEqual([back.has(host(1)), back.knows(uuid(1)), back.knows(uuid(11))], [true, true, true]);
  });

  it("nodeConfigurationChange: each addition gives another id", () => {
    let view = viewOfSize(1);
    const ids = new Set([view.id]);
    for (let i = 1; i < 300; i++) {
      view = view.next([host(i)], new Map([[host(i), joiner(i)]]));
      ids.add(view.id);
    }
    assert.equal(ids.size, 300);
  });

  it("nodeConfigurationsAcrossMViews: the id does not depend on the order of additions", () => {
    const order = hosts(100).map((_, i) => i);
    const add = (view: View, i: number): View => view.next([host(i)], new Map([[host(i), joiner(i)]]));
    const upward = order.reduce(add, viewAmong([]));
    const downward = [...order].reverse().reduce(add, viewAmong([]));
    assertSameView(upward, downward);
  });
});
