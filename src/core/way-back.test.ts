import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts, joiner, uuid, viewAmong, viewOfSize } from "../../test/core/sample-views.ts";
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

const nowhere = { awaited: undefined };

interface Called {
  readonly call: ReturnCall;
  readonly to: Endpoint;
  readonly request: Request;
}

function wayBack(): { way: WayBack; calls: Called[]; answerAll(): void } {
  const calls: Called[] = [];
  let open = 0;
  const out: ConstructorParameters<typeof WayBack>[2] = {
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
  return { way: new WayBack(self, DEFAULT_SETTINGS, out), calls, answerAll };
}

const asked: ReturnCall = { kind: "return" };

function answer(there: View): Reply {
  return { kind: "joined", sender: host(1), configuration: there.id, view: there };
}

describe("the way back", () => {
  it("asks a few of those who are elsewhere, as whom we are, twice, and then knows that it is in vain", () => {
    const { way, calls, answerAll } = wayBack();
    assert.equal(way.seek([], uuid(0), view, nowhere), false);
    for (let i = 0; i < 2; i++) {
      assert.equal(way.seek(hosts(6, 1), uuid(0), view, nowhere), true);
      assert.equal(way.seek(hosts(6, 1), uuid(0), view, nowhere), true, "it waits for answers");
      assert.equal(calls.length, 4 * (i + 1));
      answerAll();
    }
    assert.equal(way.seek(hosts(6, 1), uuid(0), view, nowhere), false);
    const request = calls[0]!.request as Join;
    assert.deepEqual([request.sender, request.uuid, request.configuration], [self, uuid(0), view.id]);
    way.follow();
    assert.equal(
      way.seek(hosts(6, 1), uuid(0), view, nowhere),
      true,
      "in the next configuration it may be needed again",
    );
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
    const { way, calls } = wayBack();
    const mixed = viewOfSize(5, (i) => i !== 1);
    const awaited = mixed.next([host(4)], new Map());
    way.seek(hosts(2, 1), uuid(0), mixed, { awaited });
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
});
