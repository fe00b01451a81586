// Searches find nothing in the core as it is. More seeds: npm run sim -- --search NAME --seeds N.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SEARCHES, simulate } from "../src/sim/index.ts";
import { type Case, joinerAt, valueNamed, viewOf } from "../src/sim/searches/case.ts";
import { Council } from "../src/sim/searches/council.ts";
import { allOrders, isForTheEnd } from "../src/sim/searches/message-orders.ts";

const SEEDS = 24;

describe("searches", () => {
  for (const search of SEARCHES) {
    it(`find nothing: ${search.name}, from ${SEEDS} seeds: ${search.about}`, () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        assert.deepEqual(simulate({ seed: BigInt(seed), search }).violations, [], `seed ${seed}`);
      }
    });

    it(`go the same way from the same seed: ${search.name}`, () => {
      const [one, same, other] = [5n, 5n, 6n].map((seed) => simulate({ seed, search }).traceHash);
      assert.equal(one, same);
      assert.notEqual(one, other);
    });
  }
});

/** How many orders there are, found by trying everything: events at different members make no difference. */
function countSlowly({ members, sees, coordinators }: Case): number {
  const view = viewOf(members);
  const notices = [...sees].map((letter) => valueNamed(letter, view));
  const seen = new Set<string>();
  const whole = new Set<string>();
  const paths: (readonly string[])[] = [[]];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const council = new Council({ view, notices, coordinators, joinerOf: joinerAt, seed: 1n });
    const histories = view.members.map((): string[] => []);
    for (const name of path) {
      const event = council.pending.get(name)!;
      histories[event.to]!.push(name);
      council.happen(event);
    }
    const state = JSON.stringify(histories);
    if (seen.has(state)) continue;
    seen.add(state);
    const next = [...council.pending.values()].filter((event) => !isForTheEnd(event));
    if (next.length === 0) whole.add(state);
    for (const { name } of next) paths.push([...path, name]);
  }
  return whole.size;
}

describe("all orders of messages", () => {
  const cases: readonly Case[] = [
    { members: 3, sees: "aaa", coordinators: [0] },
    { members: 3, sees: "aab", coordinators: [2] },
    { members: 3, sees: "a-b", coordinators: [2] },
    { members: 4, sees: "aabb", coordinators: [0] },
  ];
  for (const one of cases) {
    it(`of ${one.members} members that see ${one.sees} are tried, each once`, () => {
      const outcome = allOrders(one, { seed: 1n });
      assert.deepEqual([outcome.orders, outcome.isComplete], [countSlowly(one), true]);
    });
  }
});
