import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, joiner, nodeMetadata, viewOfSize } from "../../test/core/sample-views.ts";
import { advised, identified, identityOf } from "./identity.ts";
import { JoinerLedger, VARIANTS_SETTLE_MS } from "./joiner-ledger.ts";
import { type Joiner, keyOf } from "./messages.ts";

const node = host(100);
const [first, second, third] = [joiner(100), joiner(101), joiner(102)] as [Joiner, Joiner, Joiner];

describe("the ledger of joiners (PITFALLS B3)", () => {
  const tellings: readonly (readonly [
    what: string,
    told: readonly (readonly [ring: number, joiner: Joiner])[],
    picked: Joiner,
  ])[] = [
    ["the only variant there is", [[0, first]], first],
    [
      "the variant that most rings hold",
      [
        [0, first],
        [1, second],
        [2, first],
      ],
      first,
    ],
    [
      "the variant that most rings hold, told first or last",
      [
        [0, second],
        [1, first],
        [2, first],
        [3, second],
        [4, first],
      ],
      first,
    ],
    [
      "of two that equally many rings hold, the one told last",
      [
        [0, first],
        [1, second],
      ],
      second,
    ],
    [
      "of three that equally many rings hold, the one told last",
      [
        [0, third],
        [1, first],
        [2, second],
      ],
      second,
    ],
    [
      "what a ring said last, not first",
      [
        [0, first],
        [0, second],
      ],
      second,
    ],
    [
      "a ring that changed its mind counts for the new variant only",
      [
        [0, first],
        [1, first],
        [2, second],
        [0, second],
      ],
      second,
    ],
    [
      "a ring that repeats itself speaks last",
      [
        [0, first],
        [1, second],
        [0, first],
      ],
      first,
    ],
  ];
  for (const [what, told, picked] of tellings) {
    it(`picks ${what}`, () => {
      const ledger = new JoinerLedger();
      for (const [ring, variant] of told) ledger.record(node, ring, variant, 0);
      assert.deepEqual(ledger.joinerOf(node), picked);
    });
  }

  it("tells variants apart by metadata too", () => {
    const ledger = new JoinerLedger();
    const blue = joiner(100, nodeMetadata({ colour: "blue" }));
    ledger.record(node, 0, first, 0);
    ledger.record(node, 1, blue, 0);
    ledger.record(node, 2, joiner(100, nodeMetadata({ colour: "blue" })), 0);
    assert.deepEqual(ledger.joinerOf(node), blue);
    assert.equal(ledger.settledAt(node), VARIANTS_SETTLE_MS);
  });

  it("is settled at once with one variant, and 500 ms after the newest of several", () => {
    const ledger = new JoinerLedger();
    assert.equal(ledger.settledAt(node), -Infinity);
    ledger.record(node, 0, first, 1000);
    ledger.record(node, 1, first, 1001);
    assert.equal(ledger.settledAt(node), -Infinity);
    ledger.record(node, 2, second, 1200);
    assert.equal(ledger.settledAt(node), 1700);
    ledger.record(node, 3, second, 1300);
    assert.equal(ledger.settledAt(node), 1700);
    ledger.record(node, 4, third, 1400);
    assert.equal(ledger.settledAt(node), 1900);
  });

  it("holds a proposal back until its joiners are settled, and says when to ask again", () => {
    const ledger = new JoinerLedger();
    ledger.record(node, 0, first, 1000);
    assert.deepEqual(ledger.settled([host(1), node], 1000), { value: [host(1), node], againAt: Infinity });
    ledger.record(node, 1, second, 1000);
    assert.deepEqual(ledger.settled([host(1), node], 1000), { value: [], againAt: 1500 });
    assert.deepEqual(ledger.settled([host(1), node], 1500), { value: [host(1), node], againAt: Infinity });
  });

  it("goes on without a joiner that keeps changing, after two seconds", () => {
    const ledger = new JoinerLedger();
    for (let now = 0; now < 10_000; now += 250) {
      ledger.record(node, 0, joiner(now), now);
      const { value, againAt } = ledger.settled([host(1), node], now);
      if (now < 250) continue; // One variant is no reason to wait.
      assert.deepEqual(value, now < 2250 ? [] : [host(1)]);
      assert.equal(againAt, now < 2250 ? Math.min(now + 500, 2250) : Infinity);
      assert.deepEqual(ledger.settled([node], now).value, []);
    }
  });

  it("resolves a decision only when the data of all its joiners is there; members need none", () => {
    const ledger = new JoinerLedger();
    const view = viewOfSize(3);
    const decision = [host(1), node, host(101)];
    ledger.record(node, 0, first, 0);
    assert.equal(ledger.resolve(decision, view), undefined);
    ledger.record(host(101), 0, second, 0);
    assert.deepEqual(
      ledger.resolve(decision, view),
      new Map([
        [node, first],
        [host(101), second],
      ]),
    );
    assert.deepEqual(ledger.resolve([host(1)], view), new Map());
  });

  it("advises to take a decision's joiners as they are known here, beside Rust members and where nobody has yet", () => {
    const ledger = new JoinerLedger();
    const mixed = viewOfSize(3, (i) => i === 2);
    const decision = [host(1), node, host(101)];
    ledger.record(node, 0, first, 0);
    assert.equal(ledger.advised(decision, mixed), decision, "one of them is not known");
    ledger.record(host(101), 0, second, 0);
    const value = ledger.advised(decision, mixed);
    assert.deepEqual(value, advised(decision, [identityOf(first), identityOf(second)]));
    assert.equal(keyOf(value), keyOf(decision));
    assert.equal(ledger.advised(decision, viewOfSize(3)), decision);
    const earlier = advised(decision, [1n, 2n]);
    assert.equal(ledger.advised(earlier, mixed), earlier);
  });

  it("resolves a decision as it was advised, and as it knows best where it waited for that in vain", () => {
    const ledger = new JoinerLedger();
    const mixed = viewOfSize(3, (i) => i === 2);
    for (const ring of [0, 1]) ledger.record(node, ring, first, 0);
    const decision = advised([node], [identityOf(second)]);
    assert.equal(ledger.resolve(decision, mixed), undefined);
    assert.deepEqual(ledger.resolve(decision, mixed, true), new Map([[node, first]]));
    assert.equal(
      ledger.resolve(identified([node], [identityOf(second)]), mixed, true),
      undefined,
      "no advice",
    );
    ledger.record(node, 2, second, 0);
    for (const isLate of [false, true]) {
      assert.deepEqual(ledger.resolve(decision, mixed, isLate), new Map([[node, second]]));
    }
  });

  it("records a limited number of joiners, and says so of those beyond", () => {
    const ledger = new JoinerLedger();
    const recorded = Array.from({ length: 20_001 }, (_, i) => ledger.record(host(i), 0, first, 0));
    assert.equal(recorded.filter((isRecorded) => isRecorded).length, 20_000);
    assert.equal(recorded.at(-1), false);
    assert.equal(ledger.joinerOf(host(20_000)), undefined);
    assert.equal(ledger.record(host(7), 1, second, 0), true);
  });

  it("tells all variants that it heard of, also those that no ring holds any more, up to eight", () => {
    const ledger = new JoinerLedger();
    const variants = Array.from({ length: 9 }, (_, i) => joiner(i));
    assert.deepEqual(ledger.variantsOf(node), []);
    for (const [i, variant] of variants.slice(0, 8).entries()) ledger.record(node, 0, variant, i);
    ledger.record(node, 0, variants[3]!, 8);
    assert.deepEqual(ledger.variantsOf(node), variants.slice(0, 8));
    ledger.record(node, 0, variants[8]!, 9);
    assert.deepEqual(ledger.variantsOf(node), variants.slice(1));
  });
});
