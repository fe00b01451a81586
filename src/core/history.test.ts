import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, joiner, viewOfSize } from "../../test/core/sample-views.ts";
import { History } from "./history.ts";
import { type Certificate, FAST_RANK } from "./messages.ts";
import type { View } from "./view.ts";

const before = viewOfSize(5, (i) => i === 4);

function step(uuid: number, voters = before.members): Certificate {
  const joiners = new Map([[host(9), joiner(uuid)]]);
  return { configuration: before.id, value: [host(9)], joiners, rank: FAST_RANK, voters };
}

function viewOf({ value, joiners }: Certificate): View {
  return before.next(value, joiners);
}

/** Of one that took a step with this joiner as 9. */
function historyOf(by: Certificate | undefined = step(9)): History {
  const history = new History();
  history.add(before, by);
  return history;
}

describe("the configurations that we were in", () => {
  it("tell where others went by the decision by which we went on, as far as they prove it", () => {
    assert.equal(historyOf().otherTurn(step(10))?.id, viewOf(step(10)).id);
    assert.equal(historyOf().otherTurn(step(10, before.members.slice(2))), undefined, "too few votes");
    assert.equal(historyOf().otherTurn({ ...step(10), value: [host(1)] }), undefined, "another decision");
    const last = historyOf();
    last.add(viewOf(step(9)));
    assert.equal(last.otherTurn(step(10)), undefined, "we have gone on since, or given up");
  });

  it("lead to another configuration once that turns out to be right", () => {
    const [wrong, right] = [viewOf(step(9)), viewOf(step(10))];
    for (const by of [step(10), undefined]) {
      const history = historyOf();
      history.turn(wrong, right, true, by);
      assert.ok(history.wasIn(wrong.id));
      assert.ok(!history.isPast(wrong.id), "who is there lacks nothing");
      assert.deepEqual(history.astray, [wrong]);
      const [told] = history.chainFrom([before.id]);
      assert.equal(told && viewOf(told).id, right.id);
      assert.ok(history.mayGoTo(wrong.id), "nothing binds us there");
      history.turn(right, wrong, true);
      assert.ok(!history.mayGoTo(right.id), "it would never end");
      assert.ok(!history.wasIn(wrong.id), "it is the present once more");
    }
  });

  it("may be gone back to after we gave them up, if nothing binds us there and until we do so", () => {
    const [free, bound] = [viewOf(step(9)), viewOf(step(10))];
    const history = historyOf();
    for (const [view, isFree] of [[free, true] as const, [bound, false] as const]) {
      history.gaveUp(view.id, false, isFree);
      history.add(view);
    }
    assert.deepEqual([history.mayGoTo(free.id), history.mayGoTo(bound.id)], [true, false]);
    history.enter(free, []);
    history.add(free);
    assert.ok(!history.mayGoTo(free.id));
    assert.ok(!history.hasEnded(bound.id), "something may be decided there yet");
    history.gaveUp(bound.id, true, false);
    assert.ok(history.hasEnded(bound.id));
  });

  it("are over where we asked to be let in, and a wrong turn where we enter beside the one that we gave up", () => {
    const [wrong, right] = [viewOf(step(9)), viewOf(step(10))];
    const history = historyOf();
    history.add(wrong);
    history.enter(right, [5n, right.id]);
    assert.deepEqual(
      [5n, wrong.id, right.id].map((id) => history.isPast(id)),
      [true, false, false],
    );
    assert.ok(history.wasIn(wrong.id));
    assert.deepEqual(history.astray, [wrong]);
    const later = historyOf();
    later.add(wrong);
    later.enter(wrong.next([host(1)], new Map()), []);
    assert.ok(later.isPast(wrong.id));
  });

  it("are not over where we asked after the one that we enter", () => {
    const [entered, next] = [viewOf(step(9)), viewOf(step(9)).next([host(1)], new Map())];
    const history = new History();
    history.enter(entered, [before.id, entered.id, next.id]);
    assert.deepEqual(
      [before, entered, next].map(({ id }) => history.isPast(id)),
      [true, false, false],
    );
  });

  it("are the present once more where we go on as before, and over by what ended them then", () => {
    const history = new History();
    history.follow(before, undefined, undefined);
    assert.ok(history.wasIn(before.id));
    history.follow(before, undefined, before);
    assert.ok(!history.wasIn(before.id));
    history.follow(before, step(9), viewOf(step(9)));
    assert.deepEqual(history.newest, [before]);
    assert.deepEqual(history.chainFrom([before.id]), [step(9)]);
  });
});
