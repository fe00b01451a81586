import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts, joiner, uuid, viewAmong, viewOfSize } from "../../test/core/sample-views.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Join, Reply } from "./messages.ts";
import { refuse } from "./refusals.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import type { View } from "./view.ts";
import { WayBack } from "./way-back.ts";

const self = host(0);
const view = viewOfSize(5);
const kicked = view.next([host(4)], new Map());
const joined = view.next([host(9)], new Map([[host(9), joiner(9)]]));

function wayBack(): { way: WayBack; asked: { to: Endpoint; request: Join }[]; answerAll(): void } {
  const asked: { to: Endpoint; request: Join }[] = [];
  let open = 0;
  const out: ConstructorParameters<typeof WayBack>[2] = {
    call: (_, to, request) => {
      open += 1;
      asked.push({ to, request: request as Join });
    },
    countOpen: () => open,
    note: () => {},
  };
  const answerAll = (): void => {
    open = 0;
  };
  return { way: new WayBack(self, DEFAULT_SETTINGS, out), asked, answerAll };
}

function answer(there: View): Reply {
  return { kind: "joined", sender: host(1), configuration: there.id, view: there };
}

describe("the way back", () => {
  it("asks a few of those who are elsewhere, as whom we are, twice, and then knows that it is in vain", () => {
    const { way, asked, answerAll } = wayBack();
    assert.equal(way.seek([], uuid(0), view), false);
    for (let i = 0; i < 2; i++) {
      assert.equal(way.seek(hosts(6, 1), uuid(0), view), true);
      assert.equal(way.seek(hosts(6, 1), uuid(0), view), true, "it waits for answers");
      assert.equal(asked.length, 4 * (i + 1));
      answerAll();
    }
    assert.equal(way.seek(hosts(6, 1), uuid(0), view), false);
    const { request } = asked[0]!;
    assert.deepEqual([request.sender, request.uuid, request.configuration], [self, uuid(0), view.id]);
    way.follow();
    assert.equal(
      way.seek(hosts(6, 1), uuid(0), view),
      true,
      "in the next configuration it may be needed again",
    );
  });

  it("leads to a later configuration in which we are who we are", () => {
    const { way } = wayBack();
    for (const later of [kicked, joined, kicked.next([host(9)], new Map([[host(9), joiner(9)]]))]) {
      assert.equal(way.viewIn(answer(later), uuid(0), view), later);
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
      assert.equal(way.viewIn(reply, uuid(0), from), undefined, where);
    assert.equal(way.viewIn(answer(joined), uuid(77), view), undefined, "as somebody else");
  });
});
