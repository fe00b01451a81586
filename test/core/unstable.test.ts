// A subject that stays between L and H must not hold everybody back for ever (Rapid §4.2 "Ensuring liveness",
// PITFALLS B9): first those who go together, then echoes of those who did not report, in the end without it.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareEndpoints, type Endpoint } from "../../src/core/endpoint.ts";
import type { Edge, Proposal } from "../../src/core/messages.ts";
import { DEFAULT_SETTINGS } from "../../src/core/settings.ts";
import { Council } from "./council.ts";
import { host, joiner, joinerAt, viewOfSize } from "./sample-views.ts";

const { faultTimeoutMs, faultStrikes } = DEFAULT_SETTINGS;
const DETECTION_MS = faultStrikes * faultTimeoutMs;
const UNSTABLE_MS = 2 * DETECTION_MS;
const view = viewOfSize(30);

/** One member that hears what the test says, and what it says and reports in turn. */
class Listener {
  readonly council = new Council(view);
  readonly self: Endpoint;

  constructor(self: Endpoint) {
    this.self = self;
  }

  hearReports(node: Endpoint, rings: readonly number[]): void {
    for (const ring of rings) {
      const edge: Edge = view.has(node) ? { node, ring } : { node, ring, join: joinerAt(node) };
      const sender = view.observersOf(node)[ring]!;
      this.council.tell(this.self, { kind: "alerts", sender, configuration: view.id, edges: [edge] });
    }
  }

  /** Accuses the subject on these rings again and again, as those do who cannot reach it. */
  hearAccusers(rings: readonly number[], until: number): void {
    for (let at = this.council.now; at <= until; at += DETECTION_MS) {
      this.sleepUntil(at);
      this.hearReports(subject, rings);
    }
    this.sleepUntil(until);
  }

  /** Lets time pass for this member alone. */
  sleepUntil(at: number): void {
    for (;;) {
      const { wakeAt } = this.council.round(this.self);
      if (wakeAt > at) break;
      this.council.now = wakeAt;
      this.council.wake(this.self);
    }
    this.council.now = at;
  }

  get votes(): readonly Proposal[] {
    return this.council.said("fastAccepted").map(({ value }) => [...value]);
  }

  get echoes(): readonly Edge[] {
    return this.council.reports.get(this.self) ?? [];
  }
}

const subject = host(0);
const down = host(1);
const distinct = [...new Set(view.observersOf(subject))];
const allRings = (node: Endpoint): readonly number[] => [...view.observersOf(node).keys()];
const ringsOf = (...observers: readonly Endpoint[]): readonly number[] =>
  observers.flatMap((observer) => view.ringsHeld(observer, subject));

/** Observers that together hold from L to H - 1 rings, at least this many of them. */
function accusers(atLeast: number): readonly Endpoint[] {
  const some: Endpoint[] = [];
  for (const observer of distinct) {
    if (ringsOf(...some, observer).length < 9) some.push(observer);
    if (some.length >= atLeast && ringsOf(...some).length >= 4) return some;
  }
  throw new Error("no such observers");
}

describe("a member that several observers accuse but not all", () => {
  const some = accusers(2);
  const silent = distinct.find((observer) => !some.includes(observer))!;

  it("is accused by a silent observer too, on its own rings, when it was unstable for two detection times", () => {
    const listener = new Listener(silent);
    listener.hearAccusers(ringsOf(...some), UNSTABLE_MS - 1);
    assert.deepEqual(listener.echoes, []);
    listener.sleepUntil(UNSTABLE_MS);
    assert.deepEqual(
      listener.echoes,
      ringsOf(silent).map((ring) => ({ node: subject, ring })),
    );
  });

  it("is removed when the echoes come in", () => {
    const listener = new Listener(silent);
    listener.hearAccusers(ringsOf(...some), UNSTABLE_MS);
    listener.hearReports(subject, allRings(subject));
    assert.deepEqual(listener.votes, [[subject]]);
  });

  it("holds others back for two detection times more at the most", () => {
    const listener = new Listener(silent);
    listener.hearReports(subject, ringsOf(...some));
    listener.hearReports(down, allRings(down));
    listener.hearAccusers(ringsOf(...some), 2 * UNSTABLE_MS - 1);
    assert.deepEqual(listener.votes, []);
    listener.sleepUntil(2 * UNSTABLE_MS);
    assert.deepEqual(listener.votes, [[down]]);
  });

  it("is not accused by one that does not observe it", () => {
    const stranger = view.members.find((member) => member !== subject && !distinct.includes(member))!;
    const listener = new Listener(stranger);
    listener.hearAccusers(ringsOf(...some), 3 * UNSTABLE_MS);
    assert.deepEqual(listener.echoes, []);
  });

  it("is not accused anew by those who did already", () => {
    const listener = new Listener(some[0]!);
    listener.hearAccusers(ringsOf(...some), 3 * UNSTABLE_MS);
    assert.deepEqual(listener.echoes, []);
  });

  it("is accused once: an echo is not repeated", () => {
    const listener = new Listener(silent);
    listener.hearAccusers(ringsOf(...some), 10 * UNSTABLE_MS);
    assert.equal(listener.echoes.length, ringsOf(silent).length);
  });
});

describe("a member that several observers missed once, and reach again", () => {
  it("is not accused by the others, and holds them back for two detection times only", () => {
    const listener = new Listener(distinct.find((observer) => !accusers(2).includes(observer))!);
    listener.hearReports(subject, ringsOf(...accusers(2)));
    listener.hearReports(down, allRings(down));
    listener.sleepUntil(UNSTABLE_MS - 1);
    assert.deepEqual(listener.votes, []);
    listener.sleepUntil(UNSTABLE_MS);
    assert.deepEqual([listener.echoes, listener.votes], [[], [[down]]]);
  });
});

describe("a member that one observer alone accuses, on L rings or more (S14)", () => {
  // In a small mesh one observer may hold that many.
  const small = viewOfSize(3);
  const pairs = small.members.flatMap((node) =>
    [...new Set(small.observersOf(node))].map((observer) => [node, observer] as const),
  );
  const [node, accuser] = pairs.find(([n, o]) => {
    const held = small.ringsHeld(o, n).length;
    return held >= 4 && held < 9;
  })!;

  function accuse(council: Council): void {
    const edges = small.ringsHeld(accuser, node).map((ring) => ({ node, ring }));
    for (const member of small.members) {
      council.tell(member, { kind: "alerts", sender: accuser, configuration: small.id, edges });
    }
  }

  it("is never accused by others, and not removed", () => {
    const council = new Council(small);
    accuse(council);
    assert.equal(
      council.runUntil(() => council.decisions.size > 0, 20 * UNSTABLE_MS),
      false,
    );
    assert.deepEqual([...council.reports.values()].flat(), []);
    assert.deepEqual(council.minutes, []);
  });

  it("holds others back for two detection times only", () => {
    const council = new Council(small);
    accuse(council);
    for (const member of small.members) council.propose(member, [host(100)]);
    assert.equal(
      council.runUntil(() => council.decided(), UNSTABLE_MS - 1),
      false,
    );
    assert.ok(council.runUntil(() => council.decided([host(100)]), UNSTABLE_MS));
  });
});

describe("a joiner that reached some of its observers and went away (PITFALLS B9 a, S8)", () => {
  const gone = host(100);
  const half = allRings(gone).slice(0, 5);

  it("is vouched for by those it did not reach, with the data that it left, and so comes in", () => {
    const silent = view
      .observersOf(gone)
      .find((o, ring) => !half.includes(ring) && !half.some((r) => view.observersOf(gone)[r] === o))!;
    const listener = new Listener(silent);
    listener.hearReports(gone, half);
    listener.sleepUntil(UNSTABLE_MS);
    assert.deepEqual(
      listener.echoes,
      view.ringsHeld(silent, gone).map((ring) => ({ node: gone, ring, join: joiner(100) })),
    );
    listener.hearReports(gone, allRings(gone));
    assert.deepEqual(listener.votes, [[gone]]);
  });

  it("with fewer than L reports holds nobody back", () => {
    const listener = new Listener(host(3));
    listener.hearReports(gone, half.slice(0, 3));
    listener.hearReports(down, allRings(down));
    assert.deepEqual(listener.votes, [[down]]);
  });
});

describe("members that crashed together and observed each other", () => {
  it("are removed together after one probe period, when what they owe each other is all that is missing", () => {
    const tried = view.members.flatMap((a) => view.members.filter((b) => a < b).map((b) => [a, b] as const));
    // Two that hold few of each other's rings, but enough to keep both below H.
    const [a, b] = tried.find(([x, y]) => {
      const [xy, yx] = [view.ringsHeld(x, y).length, view.ringsHeld(y, x).length];
      return xy >= 2 && yx >= 2 && xy < 7 && yx < 7;
    })!;
    const listener = new Listener(view.members.find((member) => member !== a && member !== b)!);
    for (const [node, other] of [
      [a, b],
      [b, a],
    ] as const) {
      listener.hearReports(
        node,
        allRings(node).filter((ring) => view.observersOf(node)[ring] !== other),
      );
    }
    listener.sleepUntil(faultTimeoutMs);
    assert.deepEqual(listener.votes, [[a, b].sort(compareEndpoints)]);
  });
});

describe("a member that has announced", () => {
  it("neither echoes nor announces anything more, however long it waits", () => {
    const some = accusers(2);
    const silent = distinct.find((observer) => !some.includes(observer))!;
    const listener = new Listener(silent);
    listener.council.propose(silent, [down]);
    listener.hearReports(subject, ringsOf(...some));
    listener.council.isLost = () => true;
    listener.sleepUntil(5 * UNSTABLE_MS);
    assert.deepEqual(listener.echoes, []);
    assert.deepEqual(listener.votes, [[down]]);
  });
});
