import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LoneMember } from "../../test/core/lone-member.ts";
import { host, hosts, joiner, viewOfSize } from "../../test/core/sample-views.ts";
import { Crossroads } from "./crossroads.ts";
import type { Endpoint } from "./endpoint.ts";
import { ack, type ConfigurationId, type Joiner } from "./messages.ts";
import type { View } from "./view.ts";

const before = viewOfSize(5);
const [first, second] = [host(100), host(101)] as [Endpoint, Endpoint];
const [a, b, c] = [joiner(100), joiner(101), joiner(102)] as [Joiner, Joiner, Joiner];

function after(joiners: ReadonlyMap<Endpoint, Joiner>): View {
  return before.next([...joiners.keys()], joiners);
}

function crossroads(variants: ReadonlyMap<Endpoint, readonly Joiner[]>, taken: View): Crossroads {
  return new Crossroads(before, [...variants.keys()], variants, taken);
}

/** What it answers when these members speak under this id, one after the other. */
function heard(
  at: Crossroads,
  senders: readonly Endpoint[],
  id: ConfigurationId,
): readonly (View | undefined)[] {
  return senders.map((sender) => at.hear(sender, id));
}

describe("a view change whose joiner came in two variants (PITFALLS B3)", () => {
  const taken = after(new Map([[first, a]]));
  const other = after(new Map([[first, b]]));

  it("is taken the other way when most members of the view speak under that id", () => {
    const at = crossroads(new Map([[first, [a, b]]]), taken);
    assert.notEqual(taken.id, other.id);
    assert.deepEqual(heard(at, hosts(4), other.id), [undefined, undefined, undefined, other]);
  });

  it("counts each member once, and strangers not at all", () => {
    const at = crossroads(new Map([[first, [a, b]]]), taken);
    const senders = [host(0), host(0), host(1), host(200), host(1), host(0), host(2)];
    assert.deepEqual(heard(at, senders, other.id), new Array(7).fill(undefined));
    assert.equal(at.hear(first, other.id), other);
  });

  it("answers once: who speaks on under that id says nothing new", () => {
    const at = crossroads(new Map([[first, [a, b]]]), taken);
    heard(at, hosts(4), other.id);
    assert.equal(at.hear(host(4), other.id), undefined);
  });

  it("does not add up members that speak under different ids", () => {
    const at = crossroads(new Map([[first, [a, b, c]]]), taken);
    const third = after(new Map([[first, c]]));
    assert.deepEqual(heard(at, hosts(2), other.id), [undefined, undefined]);
    assert.deepEqual(heard(at, hosts(3, 2), third.id), [undefined, undefined, undefined]);
  });

  it("stays where no variant leads to the id that the others speak under", () => {
    const at = crossroads(new Map([[first, [a, b]]]), taken);
    assert.deepEqual(heard(at, hosts(5), 12345n), new Array(5).fill(undefined));
  });

  it("finds the way through the variants of several joiners", () => {
    const variants = new Map([
      [first, [a, b]],
      [second, [c, joiner(103)]],
    ]);
    const way = new Map([
      [first, b],
      [second, joiner(103)],
    ]);
    const at = crossroads(
      variants,
      after(
        new Map([
          [first, a],
          [second, c],
        ]),
      ),
    );
    assert.equal(heard(at, hosts(4), after(way).id).at(-1), after(way));
  });

  it("knows where others may have gone instead, where there are few ways", () => {
    const at = crossroads(new Map([[first, [a, b, c]]]), taken);
    assert.deepEqual(at.others, [other, after(new Map([[first, c]]))]);
    const many = new Map(hosts(9, 100).map((node) => [node, [a, b]]));
    assert.deepEqual(crossroads(many, taken).others, []);
  });

  it("counts a limited number of ids, and tries a limited number of ways", () => {
    const at = crossroads(new Map([[first, [a, b]]]), taken);
    for (let id = 0n; id < 64n; id++) at.hear(host(0), id);
    assert.deepEqual(heard(at, hosts(5), other.id), new Array(5).fill(undefined));
    const many = new Map(hosts(9, 100).map((node) => [node, [a, b]]));
    const lost = crossroads(many, taken);
    assert.deepEqual(heard(lost, hosts(5), 12345n), new Array(5).fill(undefined));
  });
});

describe("a member at the crossroads", () => {
  it("follows the others, tells it as a cut without joins or removals, and hears what they said there", () => {
    const lone = LoneMember.among(hosts(4, 1), { isForeign: (member) => member === host(4) });
    const { view } = lone;
    const node = host(100);
    for (const [ring, sender] of view.observersOf(node).entries()) {
      const join = ring < 6 ? a : b;
      lone.hear({ kind: "alerts", sender, configuration: view.id, edges: [{ node, ring, join }] });
    }
    lone.sleep(600);
    for (const sender of hosts(4, 1)) {
      lone.hear({ kind: "fastAccepted", sender, configuration: view.id, value: [node] });
    }
    assert.equal(lone.view.id, view.next([node], new Map([[node, a]])).id);

    const other = view.next([node], new Map([[node, b]]));
    const said = hosts(4, 1).map((sender) =>
      lone.hear({ kind: "fastAccepted", sender, configuration: other.id, value: [host(2)] }),
    );

    assert.deepEqual(said, new Array(4).fill(ack));
    assert.equal(lone.view.id, other.id);
    assert.deepEqual([lone.cuts.at(-1)!.joined, lone.cuts.at(-1)!.kicked], [[], []]);
    assert.match(lone.notes.at(-1)!, /following them/);
    // Four of six have voted already; a fifth vote decides.
    lone.hear({ kind: "fastAccepted", sender: node, configuration: other.id, value: [host(2)] });
    assert.deepEqual(lone.cuts.at(-1)!.kicked, [host(2)]);
  });
});
