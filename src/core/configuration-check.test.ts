import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foreignMetadata, host, hosts, K, nodeMetadata } from "../../test/core/sample-views.ts";
import { ConfigurationCheck, type Finding } from "./configuration-check.ts";
import type { Endpoint } from "./endpoint.ts";
import { seededRandom } from "./random.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import { View } from "./view.ts";

const self = host(1);

function viewOf(members: readonly Endpoint[], foreign: readonly Endpoint[] = []): View {
  const records = members.map((endpoint) => ({
    endpoint,
    metadata: foreign.includes(endpoint) ? foreignMetadata : nodeMetadata(),
  }));
  return View.of(K, records, []);
}

function subjectsOf(view: View): ReadonlySet<Endpoint> {
  return new Set(view.subjectsOf(self));
}

function checkOf(view: View): ConfigurationCheck {
  const check = new ConfigurationCheck(self, DEFAULT_SETTINGS, seededRandom(1n));
  check.follow(view, 0);
  return check;
}

/** One round in which these agree unasked and the others answer so; who was asked. */
function round(
  check: ConfigurationCheck,
  agreeing: Iterable<Endpoint>,
  answer: (asked: Endpoint) => Finding,
): readonly Endpoint[] {
  for (const subject of agreeing) check.agrees(subject);
  const asked = check.due(check.wakeAt);
  for (const one of asked) check.answered(one, answer(one));
  return asked;
}

const same = (): Finding => "same";

describe("the configuration check", () => {
  it("asks nobody while all subjects say with their probes that they are where we are", () => {
    const view = viewOf(hosts(40));
    const check = checkOf(view);
    for (let i = 0; i < 20; i++) assert.deepEqual(round(check, subjectsOf(view), same), []);
    assert.ok(!check.isStale);
  });

  it("asks the subjects that say nothing, once each, and only them while they answer", () => {
    const view = viewOf(hosts(40));
    const subjects = subjectsOf(view);
    const [quiet, ...others] = subjects;
    const check = checkOf(view);
    for (let i = 0; i < 5; i++) assert.deepEqual(round(check, others, same), [quiet]);
    for (let i = 0; i < 5; i++) assert.deepEqual(new Set(round(check, [], same)), subjects);
  });

  it("asks others by turns where a subject answered nothing, since nobody tells of those behind it", () => {
    const view = viewOf(hosts(40));
    const subjects = subjectsOf(view);
    const [dead, ...others] = subjects;
    const check = checkOf(view);
    assert.deepEqual(
      round(check, others, () => "silent"),
      [dead],
    );
    const more = view.members.filter((one) => one !== self && !subjects.has(one));
    const turns: Endpoint[] = [];
    while (turns.length < 3 * more.length) {
      const asked = round(check, others, (one) => (one === dead ? "silent" : "same"));
      assert.ok(asked.includes(dead!) && asked.length === 5);
      turns.push(...asked.filter((one) => one !== dead));
    }
    for (const one of more) {
      const at = turns.flatMap((asked, i) => (asked === one ? [i] : []));
      assert.ok(at.length >= 2 && at[0]! < more.length, `${one} is asked with the others, at ${at}`);
    }
    round(check, subjects, same);
    assert.deepEqual(round(check, subjects, same), []);
  });

  it("asks Rust subjects each time, and other Rust members by turns, for they look after nobody", () => {
    const members = hosts(40);
    const foreign = members.filter((_, i) => i % 2 === 0);
    const view = viewOf(members, foreign);
    const subjects = subjectsOf(view);
    const check = checkOf(view);
    const asked = new Set<Endpoint>();
    for (let i = 0; i < 8; i++) {
      const now = round(
        check,
        [...subjects].filter((one) => view.isNode(one)),
        same,
      );
      assert.equal(new Set(now).size, now.length);
      for (const one of now) asked.add(one);
    }
    assert.deepEqual(asked, new Set(foreign));
  });

  it("suspects that there is no quorum where half say nothing, twice in a row, and asks all of them", () => {
    const view = viewOf(hosts(10));
    const check = checkOf(view);
    const others = view.members.filter((one) => one !== self);
    const dead = new Set(others.slice(0, 5));
    const answer = (one: Endpoint): Finding => (dead.has(one) ? "silent" : "same");
    let rounds = 0;
    for (; !check.suspectsNoQuorum && rounds < 10; rounds++) round(check, [], answer);
    assert.ok(rounds <= 5, `${rounds} rounds`);
    assert.deepEqual(new Set(round(check, [], answer)), new Set(others));
    assert.ok(!check.isStale && !check.suspectsStale);
    // With one more of ten there is a majority.
    dead.delete([...dead][0]!);
    round(check, [], answer);
    round(check, [], answer);
    assert.ok(!check.suspectsNoQuorum);
  });

  it("takes no missing minority for the end, nor a majority that is elsewhere for a silent one", () => {
    const view = viewOf(hosts(10));
    const others = view.members.filter((one) => one !== self);
    const few = checkOf(view);
    for (let i = 0; i < 20; i++) round(few, [], (one) => (others.indexOf(one) < 4 ? "silent" : "same"));
    assert.ok(!few.suspectsNoQuorum);
    const left = checkOf(view);
    for (let i = 0; i < 3; i++) round(left, [], () => "other");
    assert.ok(left.isStale && !left.suspectsNoQuorum && left.isOver);
    assert.ok(!few.isOver);
    left.follow(view, 0);
    assert.ok(!left.isOver);
  });

  it("asks nobody anew before all that were asked have answered, or have had their time", () => {
    const view = viewOf(hosts(100));
    const check = checkOf(view);
    for (let i = 0; i < 20; i++) {
      const now = check.wakeAt;
      const asked = check.due(now);
      assert.ok(asked.length > 0 && asked.length <= 24);
      check.hurry(now);
      assert.ok(check.wakeAt > now + DEFAULT_SETTINGS.faultTimeoutMs);
      for (const one of asked) check.answered(one, i % 2 === 0 ? "silent" : "other");
      check.hurry(now);
      assert.ok(check.wakeAt <= now + DEFAULT_SETTINGS.faultTimeoutMs);
    }
  });

  it("does not take the silence of one round for the end: it may be we who stood still", () => {
    const view = viewOf(hosts(10));
    const check = checkOf(view);
    for (let i = 0; i < 20; i++) {
      round(check, [], i % 2 === 0 ? () => "silent" : same);
      assert.ok(!check.suspectsNoQuorum);
    }
  });

  it("asks many where one of those asked is elsewhere, and is stale when most are, twice in a row", () => {
    const view = viewOf(hosts(10));
    const [one, ...others] = subjectsOf(view);
    const check = checkOf(view);
    round(check, others, () => "other");
    assert.equal(
      round(check, [one!, ...others], () => "other").length,
      9,
      "what was said unasked is not enough",
    );
    assert.ok(!check.isStale);
    round(check, [], () => "other");
    check.due(check.wakeAt);
    assert.ok(check.isStale);
  });

  it("is not stale where the others are behind, and asks many until they have followed", () => {
    const view = viewOf(hosts(10));
    const check = checkOf(view);
    round(check, [], () => "behind");
    for (let i = 0; i < 5; i++) assert.equal(round(check, [], () => "behind").length, 9);
    assert.ok(!check.isStale);
    round(check, [], same);
    assert.ok(round(check, [], same).length < 9);
  });

  it("takes for an impostor whoever does not know us again and again, and not one that agrees in between", () => {
    const view = viewOf(hosts(10));
    const [odd, ...others] = subjectsOf(view);
    const check = checkOf(view);
    const answer = (asked: Endpoint): Finding => (asked === odd ? "stranger" : "same");
    for (let i = 0; i < 3; i++) round(check, others, answer);
    assert.ok(check.isImpostor(odd!));
    check.agrees(odd!);
    assert.ok(!check.isImpostor(odd!));
  });

  it("believes those who are elsewhere once too few have been here for long, with all others silent", () => {
    const [there, ...others] = hosts(4, 2);
    const staleAfter = (answer: (asked: Endpoint, i: number) => Finding): number => {
      const check = checkOf(viewOf([self, there!, ...others]));
      check.hurry(0);
      for (let i = 0; i < 40; i++) {
        round(check, [], (asked) => (asked === there ? "stranger" : answer(asked, i)));
        assert.equal(check.suspectsStale, check.isStale);
        if (check.isStale) return i;
      }
      return Infinity;
    };
    const [one, other] = others;
    for (const here of [[], [one]] as const) {
      const after = staleAfter((asked) => (here.includes(asked as never) ? "same" : "silent"));
      assert.ok(after > 10 && after < 20, `${after}`);
    }
    const most = [one, other];
    assert.equal(
      staleAfter((asked) => (most.includes(asked) ? "same" : "silent")),
      Infinity,
    );
    assert.equal(
      staleAfter((asked) => (most.includes(asked) ? "behind" : "silent")),
      Infinity,
    );
    assert.equal(
      staleAfter((asked, i) => (most.includes(asked) && i % 10 === 0 ? "same" : "silent")),
      Infinity,
    );
  });

  describe("of those who are elsewhere", () => {
    const [here, one, another] = [hosts(2, 2), hosts(3, 4), hosts(2, 7)];
    const members = [self, ...here, ...one, ...another];

    /** `here` say that they are here, three that they are in `place`, and `another` nothing but that they are elsewhere. */
    function judged(view: View, place: bigint, silent: readonly Endpoint[] = []): ConfigurationCheck {
      const check = checkOf(view);
      check.hurry(0);
      for (const member of check.due(check.wakeAt)) {
        if (silent.includes(member)) check.answered(member, "silent");
        else if (here.includes(member)) check.answered(member, "same", view.id);
        else check.answered(member, "other", one.includes(member) ? place : undefined);
      }
      check.due(check.wakeAt);
      return check;
    }

    it("as many as here outweigh those where the greater id is", () => {
      const view = viewOf(members);
      const [nearer, farther] = [view.id - 1n, view.id + 1n];
      assert.ok(!judged(view, nearer).outweighs(nearer));
      assert.ok(judged(view, farther).outweighs(farther));
      assert.ok(!judged(view, farther).outweighs(7n), "nobody is known to be there");
    });

    it("more outweigh fewer, once it is known where they are", () => {
      const view = viewOf(members);
      const check = judged(view, view.id - 1n);
      check.locate(another[0]!, view.id - 1n);
      assert.ok(check.outweighs(view.id - 1n));
    });

    it("most Rust members outweigh all others, for they cannot follow, where the others need them", () => {
      const there = viewOf(members, [here[0]!, ...another]);
      for (const silent of [[one[0]!], []]) {
        const check = judged(there, there.id - 1n, silent);
        assert.ok(!check.outweighs(7n));
        for (const member of another) check.locate(member, 7n);
        assert.equal(check.needsRust, silent.length > 0);
        assert.equal(check.outweighs(7n), check.needsRust, "four Node members of eight that answer, or five");
      }
      const near = viewOf(members, here);
      const check = judged(near, near.id + 1n, [one[0]!, one[1]!]);
      check.locate(another[0]!, near.id + 1n);
      check.locate(another[1]!, near.id + 1n);
      assert.ok(check.needsRust && !check.outweighs(near.id + 1n));
    });

    it("Rust members draw nobody from where most are, as soon as these have said so", () => {
      const view = viewOf(members, members.slice(1));
      const check = checkOf(view);
      check.hurry(0);
      const asked = check.due(check.wakeAt);
      for (const [i, member] of asked.entries()) {
        assert.equal(check.needsRust, 2 * (1 + i) <= view.size, `${i} have answered`);
        check.answered(member, "same", view.id);
      }
      check.due(check.wakeAt);
      assert.ok(!check.needsRust);
    });

    it("none count whom have come here since", () => {
      const view = viewOf(members, one);
      const place = view.id + 1n;
      const check = checkOf(view);
      check.hurry(0);
      for (const member of check.due(check.wakeAt)) {
        if (another.includes(member)) check.answered(member, "silent");
        else if (here.includes(member)) check.answered(member, "same", view.id);
        else check.answered(member, "other", place);
      }
      check.due(check.wakeAt);
      assert.ok(check.outweighs(place));
      check.answered(one[0]!, "same", view.id);
      assert.ok(
        check.outweighs(place),
        "two of three Rust members are there, and four of eight are no majority",
      );
      check.answered(one[1]!, "same", view.id);
      assert.ok(!check.outweighs(place));
    });

    it("those that say nothing are not counted among them, for the dead would", () => {
      const view = viewOf(members, [one[0]!, ...another]);
      const place = view.id - 1n;
      assert.ok(!judged(view, place, [one[1]!]).outweighs(place));
      assert.ok(judged(view, place, [one[1]!, ...another]).outweighs(place));
    });

    it("none outweigh anybody before they were asked", () => {
      const view = viewOf(members);
      assert.ok(!checkOf(view).outweighs(view.id + 1n));
    });
  });
});
