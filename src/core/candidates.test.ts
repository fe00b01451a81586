import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts } from "../../test/core/sample-views.ts";
import { Candidates } from "./candidates.ts";
import type { Endpoint } from "./endpoint.ts";
import { seededRandom } from "./random.ts";

const self = host(99);

function roundOf(candidates: Candidates, seeds: readonly Endpoint[] = []): readonly Endpoint[] {
  candidates.begin(seeds);
  const asked: Endpoint[] = [];
  for (let next = candidates.next(); next !== undefined; next = candidates.next()) asked.push(next);
  return asked;
}

describe("candidates", () => {
  it("are all who are known, once each, and never ourselves, in an order that is drawn anew each time", () => {
    const candidates = new Candidates(self, { lastKnown: [...hosts(20), self] }, seededRandom(1n));
    const [first, second] = [roundOf(candidates, [host(3), host(30)]), roundOf(candidates)];
    assert.deepEqual([...first].sort(), [...hosts(20), host(30)].sort());
    assert.deepEqual([...second].sort(), [...hosts(20)].sort());
    assert.notDeepEqual(
      first.filter((node) => node !== host(30)),
      second,
    );
  });

  it("are asked first where they were where we want to go, in each round anew", () => {
    const first = [host(4), host(40), host(11)];
    const candidates = new Candidates(self, { lastKnown: hosts(20), first }, seededRandom(1n));
    for (const round of [roundOf(candidates), roundOf(candidates, [host(4), host(50)])]) {
      assert.deepEqual([...round.slice(0, 3)].sort(), [...first].sort());
      for (const other of hosts(20)) assert.ok(round.includes(other));
    }
  });

  it("is next where it speaks for the first time, and once only", () => {
    const candidates = new Candidates(self, { lastKnown: hosts(5) }, seededRandom(1n));
    candidates.begin([]);
    candidates.next();
    const [left, unknown] = [host(2), host(40)];
    assert.deepEqual([candidates.hear(left), candidates.hear(unknown)], [true, true]);
    assert.deepEqual([candidates.next(), candidates.next()], [unknown, left]);
    assert.deepEqual([candidates.hear(left), candidates.hear(self)], [false, false]);
    for (let next = candidates.next(); next !== undefined; next = candidates.next()) {
      assert.ok(next !== left && next !== unknown);
    }
  });

  it("are bounded, whatever names are given, and those who spoke last are asked", () => {
    const candidates = new Candidates(self, { lastKnown: [] }, seededRandom(1n));
    candidates.begin([host(1)]);
    const names = hosts(3000, 2);
    for (const name of names) candidates.hear(name);
    const asked: Endpoint[] = [];
    for (let next = candidates.next(); next !== undefined; next = candidates.next()) asked.push(next);
    assert.deepEqual(asked, names.slice(-1024).reverse());
    assert.equal(roundOf(candidates, [host(1)]).length, 9, "in the next round the last few only");
  });

  it("has nobody else to ask where one is known", () => {
    const candidates = new Candidates(self, { lastKnown: [] }, seededRandom(1n));
    assert.deepEqual([candidates.hasNext, candidates.next()], [false, undefined]);
    candidates.begin([host(1), self]);
    assert.deepEqual([candidates.hasNext, candidates.hasOnlyOne], [true, true]);
    candidates.hear(host(2));
    candidates.begin([host(1)]);
    assert.equal(candidates.hasOnlyOne, false);
  });
});
