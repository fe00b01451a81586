import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts, joiner, viewOfSize } from "../../test/core/sample-views.ts";
import type { Certificate } from "./messages.ts";
import { Turns } from "./turns.ts";
import type { View } from "./view.ts";

const node = host(100);
const [a, b] = [joiner(100), joiner(101)];

/** At crossroads that make a mesh of `size`, with the view that was taken and the one that was not. */
function crossroads(
  size: number,
  isRust?: (i: number) => boolean,
): { readonly turns: Turns; readonly taken: View; readonly other: View } {
  const before = viewOfSize(size - 1, isRust);
  const by: Certificate = {
    configuration: before.id,
    rank: { round: 1, nodeIndex: 1n },
    value: [node],
    voters: before.members,
    joiners: new Map([[node, a]]),
  };
  const taken = before.next([node], new Map([[node, a]]));
  const other = before.next([node], new Map([[node, b]]));
  const turns = new Turns();
  assert.deepEqual(turns.at(before, by, new Map([[node, [a, b]]]), taken), [other]);
  return { turns, taken, other };
}

describe("members that took another turn and cannot change over (PITFALLS B3)", () => {
  it("are followed where they are the most, and the joiner is taken as they have it", () => {
    const { turns, taken, other } = crossroads(5);
    const found = hosts(3).map((member) => turns.found(member, other, taken, false));
    assert.deepEqual(found.slice(0, 2), [undefined, undefined]);
    assert.equal(found[2]!.view, other);
    assert.equal(found[2]!.by.joiners.get(node)!.uuid, b.uuid);
  });

  it("are counted once each", () => {
    const { turns, taken, other } = crossroads(5);
    for (let i = 0; i < 9; i++) assert.equal(turns.found(host(i % 2), other, taken, false), undefined);
  });

  it("are followed where they are one half, whatever the ids say; of those who would follow us, the ids decide", () => {
    const { turns, taken, other } = crossroads(4);
    assert.equal(turns.found(host(1), other, taken, false), undefined);
    assert.equal(turns.found(host(2), other, taken, false)?.view, other);
    const { turns: again } = crossroads(4);
    assert.equal(again.found(host(1), other, taken, false), undefined);
    assert.equal(again.proves(host(2), other, taken), other.id > taken.id);
  });

  it("are not followed to where the last step could not have led", () => {
    const { turns, taken } = crossroads(5);
    const astray = taken.next([host(1)], new Map());
    for (const member of hosts(4)) assert.equal(turns.found(member, astray, taken, false), undefined);
    turns.follow();
    assert.equal(turns.found(host(1), taken, astray, false), undefined);
  });

  it("are followed by who is free where most Rust members are, though camps are left of which none is a majority", () => {
    const { turns, taken, other } = crossroads(9, (i) => i < 4);
    for (const i of [0, 1, 5]) assert.equal(turns.found(host(i), other, taken, true), undefined, `${i}`);
    assert.equal(turns.found(host(2), other, taken, false), undefined, "its vote binds it");
    const { turns: again } = crossroads(9, (i) => i < 4);
    assert.deepEqual(
      hosts(3).map((member) => again.found(member, other, taken, true)?.view),
      [undefined, undefined, other],
    );
  });

  it("are most where they are most of those that answer", () => {
    const { turns, taken, other } = crossroads(9, (i) => i < 4);
    const go = (): View | undefined => turns.found(host(1), other, taken, true)?.view;
    turns.found(host(0), other, taken, true);
    turns.heard(host(2), "same", taken);
    for (let i = 0; i < 2; i++) turns.heard(host(3), "silent", taken);
    assert.equal(go(), undefined, "it may only be slow");
    turns.heard(host(3), "other", taken);
    for (let i = 0; i < 2; i++) turns.heard(host(3), "silent", taken);
    assert.equal(go(), undefined, "it was slow");
    turns.heard(host(3), "silent", taken);
    assert.equal(go(), other);
  });
});
