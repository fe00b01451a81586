import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts, nodeMetadata, viewOfSize } from "../../test/core/sample-views.ts";
import { Joining, type Move, type Question } from "./joining.ts";
import type { Contacts, Join, Refused } from "./messages.ts";
import { seededRandom } from "./random.ts";
import { refuse, refused } from "./refusals.ts";

const self = host(99);
const view = viewOfSize(5);
const gone = refused("unavailable", "connection refused");

const contacts: Contacts = {
  kind: "contacts",
  sender: host(0),
  configuration: view.id,
  observers: view.observersOf(self),
};

function joiningFrom(lastKnown = hosts(0), seed = 1n): Joining {
  return new Joining(self, nodeMetadata(), { lastKnown }, seededRandom(seed));
}

function asked(move: Move): Question {
  assert.equal(move.ask?.length, 1);
  return move.ask![0]!;
}

/** A joining that has asked its only seed and got its observers named. */
function knocking(now = 0): { joining: Joining; questions: readonly Question[]; attempt: number } {
  const joining = joiningFrom();
  joining.start();
  const { attempt } = asked(joining.seeds([host(0)], now));
  const questions = joining.contacts(attempt, contacts, host(0), now).ask!;
  return { joining, questions, attempt };
}

/** When it gives the attempt up: until then it only asks whether the configuration is still the same. */
function givesUpAt(joining: Joining): number {
  for (;;) {
    const at = joining.wakeAt;
    if (joining.wake(at).note !== undefined) return at;
  }
}

describe("joining (PROTOCOL §8)", () => {
  it("looks for seeds, then asks one of them who would observe us", () => {
    const joining = joiningFrom();
    assert.deepEqual(joining.start(), { findSeeds: true });
    assert.equal(joining.wakeAt, Infinity);
    const { to, request, timeoutMs } = asked(joining.seeds([host(3)], 1000));
    assert.deepEqual([to, timeoutMs], [host(3), 5000]);
    assert.deepEqual(request, { kind: "preJoin", sender: self, uuid: joining.joiner.uuid });
    assert.equal(joining.wakeAt, 6000);
  });

  it("asks those, too, that take it for a member already and spoke to it, the last few of them", () => {
    const joining = joiningFrom();
    joining.start();
    for (const member of hosts(20, 10)) joining.hear(member, 0);
    const { attempt } = asked(joining.seeds([host(3)], 0));
    const contacts = new Set([...hosts(8, 22), host(3)]);
    const seen = new Set<string>();
    let move: Move = joining.contacts(attempt, gone, host(3), 0);
    for (; move.ask !== undefined; move = joining.contacts(asked(move).attempt, gone, asked(move).to, 0)) {
      seen.add(asked(move).to);
    }
    assert.equal(seen.size, contacts.size - 1);
    for (const one of seen) assert.ok(contacts.has(one as never), one);
  });

  it("asks every observer on every ring, all at once, each with its ring", () => {
    const { joining, questions } = knocking(1000);
    assert.deepEqual(
      questions.map(({ to }) => to),
      contacts.observers,
    );
    for (const [ring, { request, timeoutMs }] of questions.entries()) {
      const join: Join = { kind: "join", sender: self, ring, configuration: view.id, ...joining.joiner };
      assert.deepEqual(request, join);
      assert.equal(timeoutMs, 5000);
    }
  });

  it("asks an observer that runs this library once for all of its rings, and others once for each", () => {
    const [node, rust] = hosts(2);
    const joining = joiningFrom();
    joining.start();
    const { attempt } = asked(joining.seeds([host(0)], 0));
    const observers = [node!, rust!, node!, rust!, node!];
    const { ask } = joining.contacts(attempt, { ...contacts, observers, nodeRings: [0, 2, 4] }, host(0), 0);
    assert.deepEqual(
      ask!.map(({ to, request }) => [to, (request as Join).ring, (request as Join).moreRings]),
      [
        [node, 0, [2, 4]],
        [rust, 1, undefined],
        [rust, 3, undefined],
      ],
    );
    for (const { to } of ask!.slice(1)) assert.deepEqual(joining.turnedAway(attempt, gone, to, 1), {});
    assert.match(joining.turnedAway(attempt, gone, node!, 1).note!, /connection refused/);
  });

  it("makes nothing of rings that a contact could not mean", () => {
    const joining = joiningFrom();
    joining.start();
    const { attempt } = asked(joining.seeds([host(0)], 0));
    const { ask } = joining.contacts(attempt, { ...contacts, nodeRings: [99, -1, 0, 0] }, host(0), 0);
    assert.equal(ask!.length, contacts.observers.length);
  });

  it("gives the second phase only what is left of the attempt's time", () => {
    const joining = joiningFrom();
    joining.start();
    const { attempt } = asked(joining.seeds([host(0)], 0));
    const { ask } = joining.contacts(attempt, contacts, host(0), 3000);
    assert.equal(ask![0]!.timeoutMs, 2000);
    assert.equal(joining.wakeAt, 4000);
    joining.wake(4000);
    assert.equal(joining.wakeAt, 5000);
  });

  it("asks its contact every second whether it has gone on, and then turns to its new observers (B11)", () => {
    const { joining, attempt } = knocking(0);
    const { uuid } = joining.joiner;
    const { to, request, timeoutMs } = asked(joining.wake(1000));
    assert.deepEqual([to, request.kind, timeoutMs], [host(0), "preJoin", 1000]);
    assert.deepEqual(joining.contacts(attempt, contacts, host(0), 1001), {});

    const later = viewOfSize(6);
    const moved = { ...contacts, configuration: later.id, observers: later.observersOf(self) };
    const { ask } = joining.contacts(attempt, moved, host(0), 2001);
    assert.deepEqual(
      ask!.map(({ to, request }) => [to, (request as Join).configuration, (request as Join).uuid]),
      moved.observers.map((observer) => [observer, later.id, uuid]),
    );
    assert.equal(ask![0]!.timeoutMs, 2999);
  });

  it("goes on waiting where an observer says that an earlier call of ours waits there", () => {
    const { joining, questions, attempt } = knocking(0);
    for (const { to } of questions)
      assert.deepEqual(joining.turnedAway(attempt, refuse.joinPending, to, 1), {});
    assert.equal(joining.wakeAt, 1000);
  });

  it("has two seconds of patience with a contact where others are known, and the whole attempt where none is", () => {
    const joining = joiningFrom();
    joining.start();
    const first = asked(joining.seeds(hosts(2), 0));
    assert.equal(first.timeoutMs, 2000);
    const second = asked(joining.wake(2000));
    assert.deepEqual([second.timeoutMs, second.to !== first.to], [2000, true]);
    // The attempt through the second contact lasts as long as ever.
    assert.equal(joining.contacts(second.attempt, contacts, second.to, 3000).ask![0]!.timeoutMs, 4000);
  });

  it("goes through its seeds in a drawn order, each once, and then looks for seeds again", () => {
    const orders = new Set<string>();
    for (let seed = 0n; seed < 20n; seed++) {
      const joining = joiningFrom([], seed);
      joining.start();
      let move = joining.seeds(hosts(3), 0);
      const order: string[] = [];
      for (let i = 0; i < 3; i++) {
        const { to, attempt } = asked(move);
        order.push(to);
        move = joining.contacts(attempt, gone, to, 0);
      }
      assert.deepEqual([...order].sort(), hosts(3));
      assert.deepEqual(joining.wake(joining.wakeAt), { findSeeds: true });
      orders.add(order.join());
    }
    assert.ok(orders.size > 3);
  });

  it("also asks the members that it knew last, and never itself (PITFALLS A12, S39)", () => {
    const joining = joiningFrom([host(1), self, host(2)]);
    joining.start();
    let move = joining.seeds([self, host(2)], 0);
    const order: string[] = [];
    while (move.ask !== undefined) {
      const { to, attempt } = asked(move);
      order.push(to);
      move = joining.contacts(attempt, gone, to, 0);
    }
    assert.deepEqual(order.sort(), [host(1), host(2)]);
  });

  it("says so and waits where there is nobody to ask, as when the only seed is itself (S39)", () => {
    const joining = joiningFrom();
    joining.start();
    const move = joining.seeds([self], 0);
    assert.equal(move.ask, undefined);
    assert.match(move.note!, /no seed is known/);
    assert.ok(joining.wakeAt <= 200);
    assert.deepEqual(joining.wake(joining.wakeAt), { findSeeds: true });
  });

  it("pauses up to 0.2 s, doubling to 4 s, and gives an attempt 5 s, half as much again each time up to 15 s", () => {
    const joining = joiningFrom();
    const pauses: number[] = [];
    const limits: number[] = [];
    let now = 0;
    for (let i = 0; i < 12; i++) {
      joining.start();
      const { timeoutMs } = asked(joining.seeds([host(0)], now));
      limits.push(timeoutMs);
      now = joining.wakeAt;
      joining.wake(now);
      pauses.push(joining.wakeAt - now);
      now = joining.wakeAt;
      joining.wake(now);
    }
    assert.deepEqual(limits, [5000, 7500, 11_250, ...new Array(9).fill(15_000)]);
    for (const [i, pause] of pauses.entries()) assert.ok(pause >= 1 && pause <= Math.min(4000, 200 * 2 ** i));
  });

  it("draws its pauses, so that herds spread (PITFALLS A2)", () => {
    const pauses = Array.from({ length: 20 }, (_, seed) => {
      const joining = joiningFrom([], BigInt(seed));
      joining.start();
      joining.seeds([], 0);
      return joining.wakeAt;
    });
    assert.ok(new Set(pauses).size > 10);
  });

  it("fails when a contact names no observers (PROTOCOL §8.3)", () => {
    const joining = joiningFrom();
    joining.start();
    const { attempt } = asked(joining.seeds([host(0)], 0));
    assert.match(joining.contacts(attempt, { ...contacts, observers: [] }, host(0), 0).note!, /no observers/);
  });

  it("gives an attempt up only when all observers have refused", () => {
    const { joining, questions, attempt } = knocking();
    for (const { to } of questions.slice(1)) assert.deepEqual(joining.turnedAway(attempt, gone, to, 10), {});
    assert.match(joining.turnedAway(attempt, gone, questions[0]!.to, 10).note!, /connection refused/);
  });

  it("minds no answer to an earlier attempt, and none out of turn", () => {
    const { joining, attempt } = knocking();
    const before = joining.wakeAt;
    assert.deepEqual(joining.contacts(attempt, contacts, host(0), 1), {});
    assert.deepEqual(joining.turnedAway(attempt - 1, refuse.wrongConfiguration, host(0), 1), {});
    assert.deepEqual(joining.seeds([host(1)], 1), {});
    assert.equal(joining.wakeAt, before);
  });

  it("asks anew at once, but not all in the same moment, when the configuration changed (PITFALLS B11)", () => {
    const { joining, attempt } = knocking();
    assert.deepEqual(joining.turnedAway(attempt, refuse.wrongConfiguration, host(0), 100), {});
    assert.ok(joining.wakeAt > 100 && joining.wakeAt <= 160);
    assert.deepEqual(joining.wake(joining.wakeAt), { findSeeds: true });
  });

  it("waits for the other observers where a contact names the same configuration again, for one of them is elsewhere", () => {
    const { joining, attempt, questions } = knocking();
    joining.turnedAway(attempt, refuse.wrongConfiguration, host(0), 100);
    joining.wake(joining.wakeAt);
    const again = asked(joining.seeds([host(0)], 200));
    joining.contacts(again.attempt, contacts, host(0), 200);
    const until = joining.wakeAt;
    for (const { to } of questions.slice(1)) {
      assert.deepEqual(joining.turnedAway(again.attempt, refuse.wrongConfiguration, to, 300), {});
      assert.equal(joining.wakeAt, until);
    }
    assert.ok(joining.turnedAway(again.attempt, refuse.wrongConfiguration, host(0), 300).note);
  });

  it("waits no longer than a moment for observers once a member that is none of them has spoken to it, and asks that one", () => {
    for (const [speaker, until] of [
      [host(40), 3000],
      [contacts.observers[0]!, 5000],
    ] as const) {
      const { joining } = knocking();
      joining.hear(speaker, 1000);
      joining.hear(speaker, 2500);
      let at = joining.wakeAt;
      let move = joining.wake(at);
      for (; move.note === undefined; move = joining.wake(at)) at = joining.wakeAt;
      assert.deepEqual([at, asked(move).to], [until, speaker]);
    }
  });

  it("does not wait long where most observers are elsewhere, for the contact was left behind, unless it knows no other", () => {
    const cases: readonly (readonly [elsewhere: readonly number[], isOnlyContact: boolean, until: number])[] =
      [
        [[1], false, 5200],
        [[1, 2], false, 2300],
        [[1, 2], true, 5200],
      ];
    for (const [elsewhere, isOnlyContact, until] of cases) {
      const { joining, attempt } = knocking();
      joining.turnedAway(attempt, refuse.wrongConfiguration, host(0), 100);
      joining.wake(joining.wakeAt);
      const again = asked(joining.seeds(isOnlyContact ? [host(0)] : [host(0), host(7)], 200));
      // The first of them has two rings of five.
      const observers = [1, 1, 2, 3, 4].map((i) => host(i));
      joining.contacts(again.attempt, { ...contacts, observers }, again.to, 200);
      for (const i of elsewhere) joining.turnedAway(again.attempt, refuse.wrongConfiguration, host(i), 300);
      assert.equal(givesUpAt(joining), until);
    }
  });
});

describe("a joiner's uuid (PITFALLS B3)", () => {
  const answers: readonly (readonly [what: string, reply: Refused])[] = [
    ["a refused connection", gone],
    ["no answer in time", refused("deadline_exceeded", "deadline exceeded")],
    ["another configuration", refuse.wrongConfiguration],
    ["a host that is there already", refuse.hostExists],
    ["a wrong ring", refuse.invalidRing],
    ["a join that is pending at a Rust member", refused("already_exists", "another join request is pending")],
  ];
  for (const [what, reply] of answers) {
    it(`stays the same after ${what}`, () => {
      const { joining, attempt } = knocking();
      const first = joining.joiner.uuid;
      joining.turnedAway(attempt, reply, host(0), 0);
      assert.equal(joining.joiner.uuid, first);
      const other = joiningFrom();
      other.start();
      const { attempt: number, request } = asked(other.seeds([host(0)], 0));
      other.contacts(number, reply, host(0), 0);
      other.seeds([host(0)], other.wakeAt);
      assert.equal(other.joiner.uuid, (request as { uuid: string }).uuid);
    });
  }

  it("is replaced where its only contact says that it is used up", () => {
    const joining = joiningFrom();
    joining.start();
    const { attempt, request } = asked(joining.seeds([host(0)], 0));
    joining.contacts(attempt, refuse.uuidExists, host(0), 0);
    joining.wake(joining.wakeAt);
    const next = asked(joining.seeds([host(0)], 1000)).request;
    assert.notEqual((next as { uuid: string }).uuid, (request as { uuid: string }).uuid);
  });

  it("stays the same over any number of attempts that time out", () => {
    const { joining } = knocking();
    const { uuid } = joining.joiner;
    for (let i = 0; i < 20; i++) {
      joining.wake(joining.wakeAt);
      if (joining.wakeAt === Infinity) joining.seeds([host(0)], 1000 * i);
    }
    assert.equal(joining.joiner.uuid, uuid);
  });
});

describe("probes of a joiner (PITFALLS B12)", () => {
  it("are answered well from when observers were asked to let it in, also when it has stopped waiting", () => {
    const joining = joiningFrom();
    joining.start();
    assert.equal(joining.answersProbes(0), false);
    const { attempt } = asked(joining.seeds([host(0)], 0));
    assert.equal(joining.answersProbes(0), false);
    joining.contacts(attempt, contacts, host(0), 0);
    assert.equal(joining.answersProbes(0), true);
    joining.wake(5000);
    assert.equal(joining.answersProbes(5000), true);
    assert.equal(joining.answersProbes(29_999), true);
    assert.equal(
      joining.answersProbes(30_000),
      false,
      "it has found nobody to ask since, and may be a member already",
    );
  });

  it("fail on also where a contact names a configuration that an observer was not in, for it may be behind", () => {
    const { joining, attempt } = knocking();
    joining.turnedAway(attempt, refuse.wrongConfiguration, host(0), 0);
    joining.wake(joining.wakeAt);
    const other = asked(joining.seeds([host(2), host(0)], 100));
    joining.contacts(other.attempt, refuse.hostExists, other.to, 100);
    joining.contacts(other.attempt + 1, contacts, host(0), 200);
    assert.ok(joining.isKnocking);
    assert.equal(joining.answersProbes(200), false);
  });

  it("fail from the moment that somebody says the host exists already, until contacts are named again", () => {
    const { joining, attempt } = knocking();
    joining.turnedAway(attempt, refuse.hostExists, host(0), 0);
    assert.equal(joining.answersProbes(0), false);
    joining.wake(5000);
    joining.wake(joining.wakeAt);
    const again = asked(joining.seeds([host(0)], 6000));
    joining.contacts(again.attempt, contacts, host(0), 6000);
    assert.equal(joining.answersProbes(6000), true);
  });
});
