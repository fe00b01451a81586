// Rust members may vote in the fast round after they promised in a classic one (PITFALLS B2). A Node coordinator among
// them proposes a value only when no other can win any more, or when it has waited long.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { FAST_RANK, keyOf, NO_RANK, type Proposal, type Rank } from "../../src/core/messages.ts";
import { Council } from "./council.ts";
import { host, viewOfSize } from "./sample-views.ts";

const v: Proposal = [host(100)];
const w: Proposal = [host(101)];
// A, B, C and D are Rust members; E is ours.
const [a, b, c, d, e] = [1, 2, 3, 4, 0].map(host) as [Endpoint, Endpoint, Endpoint, Endpoint, Endpoint];
const view = viewOfSize(5, (i) => i !== 0);

/** E has announced w and begun round 2; the council hears what E says only. */
function coordinating(): {
  council: Council;
  rank: Rank;
  promise: (from: Endpoint, value?: Proposal) => void;
} {
  const council = new Council(view);
  council.introduce([...v, ...w]);
  council.propose(e, w);
  council.isLost = ({ to }) => to !== e;
  council.deliverAll();
  council.now = council.round(e).wakeAt;
  council.wake(e);
  council.deliverAll(); // Its own prepare and its own promise.
  const { rank } = council.said("prepare")[0]!;
  const promise = (from: Endpoint, value: Proposal = []): void => {
    const voted = value.length === 0 ? NO_RANK : FAST_RANK;
    council.tell(e, { kind: "promise", sender: from, configuration: view.id, rank, voted, value });
  };
  return { council, rank, promise };
}

function vote(council: Council, from: Endpoint, value: Proposal): void {
  council.tell(e, { kind: "fastAccepted", sender: from, configuration: view.id, value });
}

function proposed(council: Council): readonly string[] {
  return council.said("accept").map(({ value }) => keyOf(value));
}

describe("a Node coordinator among Rust members", () => {
  it("waits while those who promised may still elect another value", () => {
    const { council, promise } = coordinating();
    promise(c);
    promise(d);
    assert.deepEqual(proposed(council), []);
    // This is the crate's split brain: C and D vote after all, as A and B do, and four of five have chosen v.
    for (const member of [a, b, c, d]) vote(council, member, v);
    assert.deepEqual(council.decisions.get(e)?.value, v);
    assert.deepEqual(proposed(council), []);
  });

  it("proposes as soon as one more of five is bound to the same value", () => {
    const { council, promise } = coordinating();
    promise(c);
    promise(d);
    promise(b, w);
    assert.deepEqual(proposed(council), [keyOf(w)]);
  });

  it("proposes as soon as votes that it hears leave no other value a chance", () => {
    const { council, promise } = coordinating();
    promise(c);
    promise(d);
    vote(council, c, w);
    assert.deepEqual(proposed(council), [keyOf(w)]);
  });

  it("follows the votes to the value that may still win", () => {
    const { council, promise } = coordinating();
    promise(c, v);
    promise(d, v);
    promise(b, v);
    assert.deepEqual(proposed(council), [keyOf(v)]);
  });

  it("has waited long enough after five seconds", () => {
    const { council, promise } = coordinating();
    const begun = council.now;
    promise(c);
    promise(d);
    assert.equal(council.round(e).wakeAt <= begun + 5000, true);
    while (council.round(e).wakeAt < begun + 5000) {
      council.now = council.round(e).wakeAt;
      council.wake(e);
      council.deliverAll();
      const last = council.said("prepare").at(-1)!.rank;
      for (const from of [c, d]) {
        council.tell(e, {
          kind: "promise",
          sender: from,
          configuration: view.id,
          rank: last,
          voted: NO_RANK,
          value: [],
        });
      }
    }
    assert.deepEqual(proposed(council), []);
    council.now = begun + 5000;
    council.wake(e);
    assert.deepEqual(proposed(council), [keyOf(w)]);
  });
});
