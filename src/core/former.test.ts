import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, joiner, uuid, viewOfSize } from "../../test/core/sample-views.ts";
import { Former } from "./former.ts";
import { seededRandom } from "./random.ts";
import { refuse } from "./refusals.ts";
import { Round } from "./round.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import type { View } from "./view.ts";

describe("as whom we were a member", () => {
  const view = viewOfSize(5);
  const round = new Round(view, host(0), DEFAULT_SETTINGS, seededRandom(1n));
  const former = new Former(host(0), uuid(0), round);
  const nowhere = { mayGoTo: () => true, hasEnded: () => false };
  const told = (of: View, configuration = of.id): View | undefined =>
    former.viewIn({ kind: "joined", sender: host(1), configuration, view: of }, nowhere);

  it("we ask those who may have us still, without asking them to let anybody in", () => {
    const { sender, uuid: as, configuration, metadata } = former.question;
    assert.deepEqual([sender, as, configuration, metadata], [host(0), uuid(0), view.id, {}]);
  });

  it("we go on in a later configuration that has us", () => {
    const later = view.next([host(4), host(9)], new Map([[host(9), joiner(9)]]));
    assert.equal(told(later), later);
    assert.equal(told(view.next([host(4)], new Map())), view.next([host(4)], new Map()));
  });

  it("we go back to where we were, with all that we promised and voted for there", () => {
    assert.equal(told(viewOfSize(5)), view);
    assert.equal(former.roundIn(view), round);
    assert.equal(former.roundIn(view.next([host(4)], new Map())), undefined);
    const ended = { ...nowhere, hasEnded: (id: bigint) => id === view.id };
    const reply = { kind: "joined", sender: host(1), configuration: view.id, view } as const;
    assert.equal(former.viewIn(reply, ended), undefined, "where nothing can be decided any more");
  });

  it("we do not go back to a decision that is beyond us, only to give it up again", () => {
    const mixed = viewOfSize(5, (i) => i === 4);
    const lost = new Round(mixed, host(0), DEFAULT_SETTINGS, seededRandom(1n));
    const unknown = [host(9)];
    for (const sender of mixed.members) {
      lost.hear({ kind: "fastAccepted", sender, configuration: mixed.id, value: unknown }, 0);
    }
    assert.ok(lost.isIncomplete);
    const gaveUp = new Former(host(0), uuid(0), lost);
    const reply = { kind: "joined", sender: host(1), configuration: mixed.id, view: mixed } as const;
    assert.equal(gaveUp.viewIn(reply, nowhere), undefined);
    const later = mixed.next(unknown, new Map([[host(9), joiner(9)]]));
    assert.equal(gaveUp.viewIn({ ...reply, configuration: later.id, view: later }, nowhere), later);
  });

  it("we go along another turn among Rust members, for the first time, as who we were, if nothing depends on us", () => {
    const mixed = viewOfSize(5, (i) => i === 3);
    const [here, beside] = [joiner(9), joiner(8)].map((one) =>
      mixed.next([host(9)], new Map([[host(9), one]])),
    );
    const given = { kind: "joined", sender: host(1), configuration: beside!.id, view: beside! } as const;
    const free = new Round(here!, host(0), DEFAULT_SETTINGS, seededRandom(1n));
    assert.equal(new Former(host(0), uuid(0), free).viewIn(given, nowhere), beside);
    assert.equal(new Former(host(0), uuid(0), free).roundIn(beside!), undefined);
    const later = beside!.next([host(4)], new Map());
    assert.equal(
      new Former(host(0), uuid(0), free).viewIn({ ...given, configuration: later.id, view: later }, nowhere),
      later,
    );
    assert.equal(
      new Former(host(0), uuid(0), free).viewIn({ ...given, configuration: mixed.id, view: mixed }, nowhere),
      undefined,
      "back, before a member came",
    );
    const left = { ...nowhere, mayGoTo: (id: bigint) => id !== beside!.id };
    assert.equal(new Former(host(0), uuid(0), free).viewIn(given, left), undefined);
    assert.equal(new Former(host(0), uuid(1), free).viewIn(given, nowhere), undefined);
    const rank = { round: 2, nodeIndex: 1n };
    free.hear({ kind: "prepare", sender: host(1), configuration: here!.id, rank }, 0);
    assert.ok(!free.isFree);
    assert.equal(new Former(host(0), uuid(0), free).viewIn(given, nowhere), undefined);
    const ended = { ...nowhere, hasEnded: (id: bigint) => id === here!.id };
    assert.equal(
      new Former(host(0), uuid(0), free).viewIn(given, ended),
      beside,
      "where nothing depends on us any more",
    );
  });

  it("we go nowhere else: elsewhere, where we are not or are another one, or by a wrong word", () => {
    const beside = viewOfSize(4).next([host(4)], new Map([[host(4), joiner(8)]]));
    assert.equal(told(beside), undefined, "of the same members, of whom one came as another");
    assert.equal(told(beside.next([host(3)], new Map())), undefined);
    const without = view.next([host(0)], new Map());
    assert.equal(told(without), undefined);
    assert.equal(told(without.next([host(0)], new Map([[host(0), joiner(8)]]))), undefined);
    const later = view.next([host(4)], new Map());
    assert.equal(told(later, view.id), undefined);
    assert.equal(former.viewIn(refuse.hostExists, nowhere), undefined);
  });
});
