import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts, joiner, uuid, viewAmong, viewOfSize } from "../../test/core/sample-views.ts";
import type { Remedy } from "./conclusion.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Join, Reply, Request } from "./messages.ts";
import { refuse } from "./refusals.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import type { View } from "./view.ts";
import { type ReturnCall, WayBack } from "./way-back.ts";

const self = host(0);
const view = viewOfSize(5);
const kicked = view.next([host(4)], new Map());
const joined = view.next([host(9)], new Map([[host(9), joiner(9)]]));

const nowhere = { isFree: true, awaited: undefined };

interface Called {
  readonly call: ReturnCall;
  readonly to: Endpoint;
  readonly request: Request;
}

interface Circumstances {
  readonly elsewhere?: readonly Endpoint[];
  readonly isOutweighed?: boolean;
  readonly isStale?: boolean;
  readonly isMajorityHere?: boolean;
  readonly past?: readonly View[];
}

function wayBack({
  elsewhere = [],
  isOutweighed = true,
  isStale = true,
  isMajorityHere = false,
  past = [],
}: Circumstances = {}): {
  way: WayBack;
  history: ConstructorParameters<typeof WayBack>[2];
  calls: Called[];
  turns: (readonly [View, View])[];
  located: (readonly [Endpoint, bigint])[];
  answer(call: ReturnCall, reply: Reply, view: View): Remedy | undefined;
  answerAll(): void;
} {
  const calls: Called[] = [];
  let open = 0;
  const turns: (readonly [View, View])[] = [];
  let left = past;
  const unbound = new Set<bigint>();
  const history: ConstructorParameters<typeof WayBack>[2] = {
    wasIn: (id) => left.some((view) => view.id === id),
    mayGoTo: (id) => !history.wasIn(id) || unbound.has(id),
    turn: (wrong, right, isFree) => {
      turns.push([wrong, right]);
      if (!unbound.delete(right.id) && isFree) unbound.add(wrong.id);
      left = [wrong, ...left.filter(({ id }) => id !== right.id)];
    },
  };
  const out: ConstructorParameters<typeof WayBack>[3] = {
    call: (call, to, request) => {
      open += 1;
      calls.push({ call, to, request });
    },
    countOpen: () => open,
    note: () => {},
  };
  const answerAll = (): void => {
    open = 0;
  };
  const located: (readonly [Endpoint, bigint])[] = [];
  const check = {
    elsewhere,
    isMajorityHere,
    suspectsStale: isStale,
    locate: (member: Endpoint, place: bigint) => void located.push([member, place]),
    outweighs: () => isOutweighed,
  };
  const way = new WayBack({ self, settings: DEFAULT_SETTINGS }, check, history, out);
  const answer = (call: ReturnCall, reply: Reply, from: View): Remedy | undefined => {
    open -= 1;
    return way.answered(call, reply, uuid(0), from);
  };
  return { way, history, calls, turns, located, answer, answerAll };
}

const asked: ReturnCall = { kind: "return" };

function answer(there: View): Reply {
  return { kind: "joined", sender: host(1), configuration: there.id, view: there };
}

describe("the way back", () => {
  it("asks a few of those who are elsewhere, as whom we are, twice, and then knows that it is in vain", () => {
    assert.equal(wayBack().way.seek(uuid(0), view, nowhere), false, "there is nobody to ask");
    const { way, calls, answerAll } = wayBack({ elsewhere: hosts(6, 1) });
    for (let i = 0; i < 2; i++) {
      assert.equal(way.seek(uuid(0), view, nowhere), true);
      assert.equal(way.seek(uuid(0), view, nowhere), true, "it waits for answers");
      assert.equal(calls.length, 4 * (i + 1));
      answerAll();
    }
    assert.equal(way.seek(uuid(0), view, nowhere), false);
    const request = calls[0]!.request as Join;
    assert.deepEqual([request.sender, request.uuid, request.configuration], [self, uuid(0), view.id]);
    way.follow();
    assert.equal(way.seek(uuid(0), view, nowhere), true, "in the next configuration it may be needed again");
  });

  it("asks Node members first, since Rust ones give their configuration to nobody", () => {
    const { way, calls } = wayBack({ elsewhere: hosts(6, 1) });
    way.seek(
      uuid(0),
      viewOfSize(7, (i) => i !== 3 && i !== 5),
      nowhere,
    );
    assert.deepEqual(
      calls.map(({ to }) => to),
      [host(3), host(5), host(1), host(2)],
    );
  });

  it("asks those first that were removed here and are where we are a member, though not before we seem left behind", () => {
    const rust = viewOfSize(7, () => true);
    const awaited = rust.next([host(6)], new Map());
    for (const isStale of [false, true]) {
      const { way, calls } = wayBack({ elsewhere: hosts(2, 1), isStale });
      way.met(host(20), "behind");
      way.met(host(21), "stranger");
      for (const node of hosts(3, 22)) way.met(node, "other");
      way.seek(uuid(0), rust, { isFree: false, awaited });
      const asked = isStale ? [...hosts(3, 22), host(1)] : hosts(2, 1);
      const kinds = isStale ? ["join", "join", "join", "promise"] : ["promise", "promise"];
      assert.deepEqual(
        calls.map(({ to }) => to),
        asked,
      );
      assert.deepEqual(
        calls.map(({ request }) => request.kind),
        kinds,
      );
    }
  });

  it("forgets whom it met, and remembers no more than it can ask", () => {
    const { way, calls, answerAll } = wayBack();
    for (const node of hosts(9, 20)) way.met(node, "other");
    way.seek(uuid(0), view, nowhere);
    assert.equal(calls.length, 4);
    answerAll();
    way.follow();
    assert.equal(way.seek(uuid(0), view, nowhere), false);
  });

  it("leads to a later configuration in which we are who we are", () => {
    const { way } = wayBack();
    for (const later of [kicked, joined, kicked.next([host(9)], new Map([[host(9), joiner(9)]]))]) {
      const steps = [{ view: later }];
      assert.deepEqual(way.answered(asked, answer(later), uuid(0), view), {
        kind: "go",
        steps,
        isJump: true,
      });
    }
  });

  it("leads nowhere else", () => {
    const { way } = wayBack();
    const wrong: readonly (readonly [string, Reply, View])[] = [
      ["a refusal", refuse.hostExists, view],
      ["where we are", answer(view), view],
      ["back, before a member went", answer(view), kicked],
      ["back, before a member came", answer(view), joined],
      [
        "to a sibling, by another incarnation",
        answer(view.next([host(9)], new Map([[host(9), joiner(10)]]))),
        joined,
      ],
      ["to another mesh", answer(viewAmong([0, 11, 12, 13])), view],
      ["out of the mesh", answer(view.next([self], new Map())), view],
      ["to an id that is not its own", { ...answer(joined), configuration: 5n } as Reply, view],
    ];
    for (const [where, reply, from] of wrong)
      assert.equal(way.answered(asked, reply, uuid(0), from), undefined, where);
    assert.equal(way.answered(asked, answer(joined), uuid(77), view), undefined, "as somebody else");
  });

  it("of one that voted leads where its vote does, if a Rust member says that it is there", () => {
    const { way, calls } = wayBack({ elsewhere: hosts(2, 1) });
    const mixed = viewOfSize(5, (i) => i !== 1);
    const awaited = mixed.next([host(4)], new Map());
    way.seek(uuid(0), mixed, { isFree: false, awaited });
    const [ofNode, ofRust] = calls;
    assert.deepEqual([ofNode!.request.kind, ofNode!.call.awaited], ["join", undefined]);
    assert.deepEqual([ofRust!.request.kind, ofRust!.call.awaited], ["promise", awaited]);
    assert.ok("configuration" in ofRust!.request && ofRust!.request.configuration === awaited.id);
    const there = { kind: "go", steps: [{ view: awaited }] };
    assert.deepEqual(way.answered(ofRust!.call, refuse.notOurRank, uuid(0), mixed), there);
    for (const reply of [
      refuse.wrongConfiguration,
      refuse.notMember(self),
      refuse.degraded,
      answer(joined),
    ]) {
      assert.equal(way.answered(ofRust!.call, reply, uuid(0), mixed), undefined);
    }
    assert.equal(way.answered(ofNode!.call, refuse.notOurRank, uuid(0), mixed), undefined);
  });

  describe("beside Rust members, to a configuration that knows a joiner as another one", () => {
    const mixed = viewOfSize(5, (i) => i !== 1);
    const as = (id: number): View => mixed.next([host(9)], new Map([[host(9), joiner(id)]]));
    const [here, there] = [as(9), as(10)];
    const told = { elsewhere: hosts(3, 1) };

    /** Asked all who are elsewhere: the Node member tells where it is, and then the Rust ones whether they are there, too. */
    function led(circumstances: Circumstances, isFree: boolean, from: View, to: View): unknown {
      return goes(wayBack({ ...told, ...circumstances }), isFree, from, to);
    }

    function goes(one: ReturnType<typeof wayBack>, isFree: boolean, from: View, to: View): unknown {
      const { way, answer: answered } = one;
      for (const list of [one.calls, one.located, one.turns]) list.length = 0;
      way.follow();
      assert.equal(way.seek(uuid(0), from, { isFree, awaited: undefined }), true);
      const [first, ...others] = one.calls.splice(0);
      for (const { call } of others) assert.equal(answered(call, refuse.hostExists, from), undefined);
      let remedy = answered(first!.call, answer(to), from);
      const looking = one.calls;
      for (const { call, request } of looking) {
        assert.equal(remedy, undefined, "it waits for all answers");
        assert.ok(request.kind === "promise" && request.configuration === to.id);
        const isThere = call.aside?.of === host(2);
        remedy = answered(call, isThere ? refuse.notOurRank : refuse.wrongConfiguration, from);
      }
      assert.deepEqual(one.located, looking.length > 0 ? [[host(2), to.id]] : []);
      assert.deepEqual(one.turns, remedy === undefined ? [] : [[from, to]]);
      return remedy;
    }

    it("leads who is not bound where more are", () => {
      assert.deepEqual(led({}, true, here, there), { kind: "go", steps: [{ view: there }] });
    });

    it("leads who is not bound there also before it seems to be left behind, unless most are here", () => {
      const calm = { isStale: false };
      for (let i = 0; i < 3; i++) {
        assert.deepEqual(led(calm, true, here, there), { kind: "go", steps: [{ view: there }] });
      }
      const seek = (circumstances: Circumstances, isFree: boolean): boolean =>
        wayBack({ ...told, ...circumstances }).way.seek(uuid(0), here, { isFree, awaited: undefined });
      assert.ok(!seek(calm, false), "it is bound");
      const voted = { isFree: false, awaited: there };
      assert.ok(wayBack({ ...told, ...calm }).way.seek(uuid(0), here, voted), "it may be told of its vote");
      assert.ok(!seek({ ...calm, isMajorityHere: true }, true));
      assert.ok(
        !wayBack({ ...told, ...calm }).way.seek(uuid(0), view, nowhere),
        "all say as whom joiners come",
      );
    });

    it("leads nobody who voted or promised, or where fewer are, or back", () => {
      assert.equal(led({}, false, here, there), undefined, "its vote may decide something here");
      assert.equal(led({ isOutweighed: false }, true, here, there), undefined, "they will come here");
      assert.equal(led({ past: [there] }, true, here, there), undefined, "it may have voted there");
      const kickedToo = there.next([host(4)], new Map());
      assert.equal(led({}, true, here, kickedToo), undefined, "not the same members");
      const more = there.next([host(9)], new Map()).next([host(9)], new Map([[host(9), joiner(11)]]));
      assert.equal(led({}, true, here, more), undefined, "more has happened there");
    });

    const goTo = (to: View): Remedy => ({ kind: "go", steps: [{ view: to }] });

    it("leads back from where Rust members drew it, unless it was bound", () => {
      for (const isFree of [true, false]) {
        const one = wayBack(told);
        one.history.turn(here, there, isFree);
        assert.deepEqual(goes(one, true, there, here), isFree ? goTo(here) : undefined);
      }
    });

    it("leads back once, where it was not bound and seems to be left behind", () => {
      const one = wayBack(told);
      assert.deepEqual(goes(one, true, here, there), goTo(there));
      assert.deepEqual(goes(one, true, there, here), goTo(here));
      assert.equal(goes(one, true, here, there), undefined, "it would never end");
      const calm = wayBack({ ...told, isStale: false });
      assert.deepEqual(goes(calm, true, here, there), goTo(there));
      assert.equal(goes(calm, true, there, here), undefined, "others are on their way");
    });
  });
});
