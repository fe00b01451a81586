import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, viewOfSize } from "../../test/core/sample-views.ts";
import { Dissemination } from "./dissemination.ts";
import type { Endpoint } from "./endpoint.ts";
import { identified } from "./identity.ts";
import type { Broadcast, FastAccepted, Proposal } from "./messages.ts";
import { seededRandom } from "./random.ts";
import type { View } from "./view.ts";

const now = 1_700_000_000_000;
const self = host(0);

function among(view: View | undefined): Dissemination {
  const dissemination = new Dissemination(self, seededRandom(1n), now);
  if (view !== undefined) dissemination.follow(view);
  return dissemination;
}

function vote(sender: Endpoint = host(1)): FastAccepted {
  return { kind: "fastAccepted", sender, configuration: 1n, value: [host(9)] };
}

function broadcast(unique: bigint, unix = BigInt(now / 1000)): Broadcast {
  return { kind: "broadcast", unix, unique, gossip: vote() };
}

function sorted(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return [...endpoints].sort();
}

describe("dissemination (PROTOCOL §10)", () => {
  it("tells every distinct successor, ourselves excepted", () => {
    for (const size of [1, 2, 3, 30]) {
      const view = viewOfSize(size);
      const expected = new Set(view.subjectsOf(self));
      expected.delete(self);
      assert.deepEqual(sorted(among(view).originate(vote(), now).to), sorted([...expected]));
    }
  });

  it("passes a broadcast on the first time only", () => {
    const dissemination = among(viewOfSize(5));
    assert.ok(dissemination.receive(broadcast(1n), now)!.length > 0);
    assert.equal(dissemination.receive(broadcast(1n), now), undefined);
  });

  it("waits for the whole of a vote that came through a Rust member, where all members are Node", () => {
    for (const isMixed of [false, true]) {
      const view = viewOfSize(5, (i) => isMixed && i === 3);
      const dissemination = among(view);
      const value = [host(9)];
      const told = (value: Proposal): readonly Endpoint[] | undefined => {
        const gossip = { ...vote(), configuration: view.id, value };
        return dissemination.receive({ ...broadcast(1n), gossip }, now);
      };
      assert.equal(told(value) !== undefined, isMixed);
      assert.equal(
        told(identified(value, [7n])) !== undefined,
        !isMixed,
        "heard by now only where it was whole",
      );
    }
  });

  it("knows its own broadcasts when they come back, and gives each its own id", () => {
    const dissemination = among(viewOfSize(5));
    const one = dissemination.originate(vote(self), now).broadcast;
    const other = dissemination.originate(vote(self), now).broadcast;
    assert.notEqual(one.unique, other.unique);
    assert.equal(one.unix, BigInt(now / 1000));
    assert.equal(dissemination.receive(one, now), undefined);
  });

  it("of one that is not a member goes to those who would be its successors", () => {
    const view = viewOfSize(20).next([self], new Map());
    assert.deepEqual(
      sorted(among(view).originate(vote(), now).to),
      sorted([...new Set(view.subjectsOf(self))]),
    );
  });

  it("reaches nobody before there is a view", () => {
    assert.deepEqual(among(undefined).receive(broadcast(1n), now), []);
  });
});

describe("a suspected successor", () => {
  const view = viewOfSize(30);
  const [successor] = view.subjectsOf(self);
  const behind = view
    .subjectsOf(self)
    .flatMap((node, ring) => (node === successor ? [view.subjectsOf(node)[ring]!] : []))
    .filter((node) => node !== self);

  it("is told, and those behind it too", () => {
    const dissemination = among(view);
    const before = dissemination.originate(vote(), now).to;
    dissemination.suspect(successor!);
    assert.deepEqual(
      sorted(dissemination.originate(vote(), now).to),
      sorted([...new Set([...before, ...behind])]),
    );
  });

  it("is relied on again once it answers, or in the next view", () => {
    const dissemination = among(view);
    const before = dissemination.originate(vote(), now).to;
    dissemination.suspect(successor!);
    dissemination.trust(successor!);
    assert.deepEqual(dissemination.originate(vote(), now).to, before);
    dissemination.suspect(successor!);
    dissemination.follow(view);
    assert.deepEqual(dissemination.originate(vote(), now).to, before);
  });

  it("leaves the living connected, whichever third of the members is suspected", () => {
    const suspected = new Set(view.members.filter((_, i) => i % 3 === 0));
    const told = new Set<Endpoint>();
    for (const member of view.members) {
      if (suspected.has(member)) continue;
      const dissemination = new Dissemination(member, seededRandom(1n), now);
      dissemination.follow(view);
      for (const node of suspected) dissemination.suspect(node);
      for (const node of dissemination.originate(vote(), now).to) told.add(node);
    }
    for (const member of view.members) if (!suspected.has(member)) assert.ok(told.has(member));
  });

  it("does not make a member look further than sixteen places, were all suspected", () => {
    const many = viewOfSize(400);
    const dissemination = among(many);
    for (const node of many.members) dissemination.suspect(node);
    assert.ok(dissemination.originate(vote(), now).to.length <= 17 * many.observers);
  });
});

describe("clocks that differ", () => {
  it("are learned of from what members stamp", () => {
    const dissemination = among(viewOfSize(5));
    hear(dissemination, 40, 7200);
    assert.equal(dissemination.skewSeconds, 7200);
    hear(dissemination, 80, 0);
    assert.equal(dissemination.skewSeconds, 0);
  });

  it("are not judged by what strangers stamp, nor by our own stamps", () => {
    const dissemination = among(viewOfSize(5));
    for (const sender of [self, host(99)]) hear(dissemination, 40, 7200, sender);
    assert.equal(dissemination.skewSeconds, 0);
  });

  it("are learned of on the way in, from those who turn out to be members", () => {
    const dissemination = new Dissemination(self, seededRandom(1n), now);
    hear(dissemination, 5, 7200);
    for (const stranger of [host(98), host(99)]) hear(dissemination, 5, 14_400, stranger);
    assert.equal(dissemination.skewSeconds, 14_400);
    dissemination.follow(viewOfSize(5));
    assert.equal(dissemination.skewSeconds, 7200);
  });

  let unique = 0n;
  function hear(dissemination: Dissemination, count: number, aheadSeconds: number, sender?: Endpoint): void {
    for (let i = 0; i < count; i++) {
      unique += 1n;
      const message = broadcast(unique, BigInt(now / 1000 + aheadSeconds));
      const told = dissemination.receive(sender ? { ...message, gossip: vote(sender) } : message, now);
      assert.ok(told !== undefined);
    }
  }
});
