import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts, viewOfSize } from "../../test/core/sample-views.ts";
import type { Effect } from "./doorway.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import { type Inquest, LastResort, ORDER_MS, type Order } from "./last-resort.ts";
import { ack, type Reply } from "./messages.ts";
import { Outgoing } from "./outgoing.ts";
import { refuse } from "./refusals.ts";

const self = host(0);
const view = viewOfSize(5);
const configuration = view.id;
const TOKEN = 7;

function declared(...dead: readonly Endpoint[]): Order {
  return { kind: "declareDead", configuration, dead };
}

function given(...abandoned: readonly Endpoint[]): Order {
  return { kind: "forceNew", configuration, abandoned };
}

class Desk {
  readonly out = new Outgoing<Inquest>();
  readonly resort = new LastResort(self, this.out);

  /** Gives an order; answers whom it has dialled. */
  give(order: Order, to: typeof view | undefined = view): readonly Endpoint[] {
    this.resort.take(TOKEN, order, to, 0);
    return this.effects("dial").map(({ at }) => at);
  }

  reply(): Reply | undefined {
    return this.#replies.shift();
  }

  readonly #replies: Reply[] = [];

  effects<Kind extends Effect["kind"]>(kind: Kind): readonly Extract<Effect, { kind: Kind }>[] {
    const effects = this.out.take();
    for (const effect of effects) if (effect.kind === "reply") this.#replies.push(effect.reply);
    return effects.filter((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind);
  }

  why(order: Order, to?: typeof view): string {
    assert.deepEqual(this.give(order, to), []);
    const reply = this.reply();
    assert(reply?.kind === "refused");
    return reply.why;
  }
}

describe("an order of an operator", () => {
  it("asks no more than four at a time who they are, and none once it is withdrawn", () => {
    const desk = new Desk();
    const large = viewOfSize(20);
    desk.give({ ...given(...hosts(19, 1)), configuration: large.id }, large);
    for (const at of hosts(19, 1)) desk.resort.dialled(at, "accepted", large);
    const [first, ...others] = desk.effects("call");
    assert.equal(others.length, 3);
    assert.equal(desk.out.answered(first!.call)?.at, first!.to);
    desk.resort.answered({ kind: "inquest", at: first!.to }, ack, large);
    assert.equal(desk.effects("call").length, 1);
    desk.resort.hangup(TOKEN);
    assert.equal(desk.effects("cancel").length, 4);
  });

  it("is refused at once where it cannot be right", () => {
    const desk = new Desk();
    assert.match(desk.why(declared(host(9))), /10\.0\.0\.9:9000: expected members/);
    assert.match(desk.why(declared(self, host(1), host(2))), /10\.0\.0\.0:9000: this member is not dead/);
    assert.match(desk.why(declared()), /at least one member/);
    assert.match(desk.why(declared(host(1), host(1), host(2))), /none twice/);
    assert.match(desk.why(declared(host(1), host(2))), /the other 3 of 5 are a majority/);
    assert.match(desk.why(given(...hosts(3, 1))), /expected all other members, .*10\.0\.0\.4:9000/);
    assert.match(desk.why(given(...hosts(4, 2))), /10\.0\.0\.5:9000: expected all other members/);
    assert.equal(desk.why({ ...declared(host(1)), configuration: 1n }), refuse.wrongConfiguration.why);
    const lone = viewOfSize(1);
    assert.match(desk.why({ ...given(), configuration: lone.id }, lone), /alone already/);
    desk.resort.take(TOKEN, declared(host(1)), undefined, 0);
    desk.effects("reply");
    assert.deepEqual(desk.reply(), refuse.joining);
    assert.equal(desk.resort.wakeAt, Infinity);
  });

  it("looks first whether anything answers at the names in it", () => {
    const desk = new Desk();
    const dead = hosts(3, 2);
    assert.deepEqual(desk.give(declared(...dead)), dead);
    assert.equal(desk.resort.dialled(dead[0]!, "refused", view), undefined);
    assert.equal(desk.resort.dialled(dead[0]!, "refused", view), undefined);
    assert.equal(desk.resort.dialled(dead[1]!, "accepted", view), undefined);
    assert.equal(desk.resort.dialled(dead[2]!, "unknown", view), undefined);
    assert.deepEqual(
      desk.effects("call").map(({ to, request }) => [to, request.kind]),
      [[dead[1]!, "probe"]],
    );
    assert.equal(desk.reply(), undefined);
    assert.equal(desk.resort.answered({ kind: "inquest", at: dead[1]! }, ack, view), undefined);
    desk.effects("reply");
    const reply = desk.reply();
    assert(reply?.kind === "refused");
    assert.match(reply.why, /something answers at 10\.0\.0\.3:9000: end that process first/);
  });

  it("takes who was started again by another uuid for dead, and who says nothing for alive", () => {
    const [first, second] = hosts(2, 3) as [Endpoint, Endpoint];
    const third = host(2);
    const uuid = view.recordOf(first)!.uuid!;
    for (const [reply, isDead] of [
      [{ ...refuse.degraded, uuid: "another" as NodeId }, true],
      [{ ...ack, uuid }, false],
      [refuse.degraded, false],
    ] as const) {
      const desk = new Desk();
      desk.give(declared(first, second, third));
      for (const at of [second, third]) desk.resort.dialled(at, "refused", view);
      desk.resort.dialled(first, "accepted", view);
      const ruling = desk.resort.answered({ kind: "inquest", at: first }, reply, view);
      assert.equal(ruling?.kind, isDead ? "bury" : undefined);
    }
  });

  it("is carried on until all are gone, and answered then", () => {
    const desk = new Desk();
    const dead = hosts(3, 2);
    desk.give(declared(...dead));
    for (const at of dead.slice(1)) desk.resort.dialled(at, "unknown", view);
    assert.deepEqual(desk.resort.dialled(dead[0]!, "refused", view), { kind: "bury", dead: new Set(dead) });
    const half = view.next([dead[0]!], new Map());
    assert.deepEqual(desk.resort.follow(half), { kind: "bury", dead: new Set(dead.slice(1)) });
    assert.equal(desk.resort.follow(half.next(dead.slice(1), new Map())), undefined);
    desk.effects("reply");
    assert.deepEqual(desk.reply(), ack);
    assert.equal(desk.resort.wakeAt, Infinity);
  });

  it("founds a new mesh only where those who answer are no majority", () => {
    for (const [answering, isRight] of [
      [1, true],
      [2, false],
    ] as const) {
      const desk = new Desk();
      const others = hosts(4, 1);
      desk.give(given(...others));
      const rulings = others.map((at, i) => {
        const ruling = desk.resort.dialled(at, i < answering ? "accepted" : "refused", view);
        return i < answering ? desk.resort.answered({ kind: "inquest", at }, ack, view) : ruling;
      });
      assert.deepEqual(rulings.at(-1), isRight ? { kind: "found" } : undefined);
      desk.effects("reply");
      const reply = desk.reply();
      if (isRight) assert.equal(reply, undefined);
      else assert(reply?.kind === "refused" && /this member has a majority/.test(reply.why));
    }
  });

  it("is one at a time, ends when nobody waits any more, and takes so long at most", () => {
    const desk = new Desk();
    const dead = hosts(3, 2);
    desk.give(declared(...dead));
    assert.equal(desk.why(declared(...dead)), refuse.orderPending.why);
    desk.resort.hangup(TOKEN);
    for (const at of dead) assert.equal(desk.resort.dialled(at, "refused", view), undefined);
    desk.give(declared(...dead));
    for (const at of dead) desk.resort.dialled(at, "refused", view);
    desk.resort.wake(ORDER_MS - 1, []);
    assert.equal(desk.effects("reply").length, 0);
    desk.resort.wake(ORDER_MS, [host(1)]);
    desk.effects("reply");
    const reply = desk.reply();
    assert(reply?.kind === "refused");
    assert.match(reply.why, /no answer from 10\.0\.0\.1:9000, which the order does not name/);
  });

  it("ends where the configuration changes before it began, or this member is no more in one", () => {
    const desk = new Desk();
    const dead = hosts(3, 2);
    desk.give(declared(...dead));
    assert.equal(desk.resort.follow(view.next([host(1)], new Map())), undefined);
    desk.effects("reply");
    assert.deepEqual(desk.reply(), refuse.wrongConfiguration);
    desk.give(declared(...dead));
    for (const at of dead) desk.resort.dialled(at, "refused", view);
    desk.resort.follow(undefined);
    desk.effects("reply");
    assert.deepEqual(desk.reply(), refuse.wrongConfiguration);
  });
});
