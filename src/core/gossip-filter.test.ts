import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, viewOfSize } from "../../test/core/sample-views.ts";
import { GossipFilter } from "./gossip-filter.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const now = 1_700_000_000_000;

function unix(ms: number): bigint {
  return BigInt(Math.floor(ms / SECOND));
}

let unique = 0n;

/** Hears this many broadcasts, from as many members, whose clocks are ahead of ours by so much. */
function hear(filter: GossipFilter, count: number, aheadMs: number, first = 1, members = count): boolean[] {
  return Array.from({ length: count }, (_, i) => {
    const stamp = unix(now + aheadMs);
    const isNew = filter.add(stamp, unique++, now);
    if (isNew) filter.compareClocks(host(first + (i % members)), stamp, now);
    return isNew;
  });
}

describe("the gossip filter", () => {
  it("lets each broadcast through once", () => {
    const filter = new GossipFilter(now);
    assert.equal(filter.add(unix(now), 1n, now), true);
    assert.equal(filter.add(unix(now), 1n, now), false);
    assert.equal(filter.add(unix(now), 2n, now), true);
    assert.equal(filter.add(unix(now) + 1n, 1n, now), true);
  });

  it("remembers an id for an hour at least, by the time of its arrival and not by its stamp", () => {
    for (const stamp of [unix(now), unix(now - 23 * HOUR), unix(now + 1000 * DAY)]) {
      const filter = new GossipFilter(now - HOUR / 2);
      filter.add(stamp, 1n, now);
      for (let after = 0; after <= HOUR; after += HOUR / 10)
        assert.equal(filter.add(stamp, 1n, now + after), false);
    }
  });

  it("forgets an id in the end, and does not grow beyond a million of them", () => {
    const filter = new GossipFilter(now);
    filter.add(unix(now), 1n, now);
    assert.equal(filter.add(unix(now), 1n, now + 2 * HOUR), false);
    for (let id = 2n; id < 500_010n; id++) filter.add(unix(now), id, now + 2 * HOUR);
    assert.equal(filter.add(unix(now), 1n, now + 2 * HOUR), true);
  });

  it("forgets sooner where every id comes with another stamp, which takes more memory", () => {
    const filter = new GossipFilter(now);
    filter.add(unix(now), 1n, now);
    for (let i = 1n; i <= 50_000n; i++) filter.add(unix(now) + i, 1n, now);
    assert.equal(filter.add(unix(now), 1n, now), false);
    for (let i = 50_001n; i <= 120_000n; i++) filter.add(unix(now) + i, 1n, now);
    assert.equal(filter.add(unix(now), 1n, now), true);
  });
});

describe("wall clocks that are wrong (PITFALLS B17, S24)", () => {
  for (const aheadMs of [-2 * HOUR, 2 * HOUR, -1000 * DAY, 1000 * DAY]) {
    it(`of the others, by ${aheadMs / HOUR} h, make nobody deaf`, () => {
      const filter = new GossipFilter(now);
      assert.ok(hear(filter, 100, aheadMs).every((isNew) => isNew));
    });
  }

  it("are found by the median of the members' stamps, and our stamps are corrected", () => {
    const filter = new GossipFilter(now);
    assert.equal(filter.stamp(now), unix(now));
    hear(filter, 4, 2 * HOUR);
    assert.equal(filter.skewSeconds, 0);
    hear(filter, 1, 2 * HOUR);
    assert.equal(filter.skewSeconds, 7200);
    assert.equal(filter.stamp(now + 5 * SECOND), unix(now + 2 * HOUR + 5 * SECOND));
  });

  it("of a few members do not change our opinion of our own, however much they say", () => {
    const filter = new GossipFilter(now);
    hear(filter, 4, 0);
    hear(filter, 200, 2 * HOUR, 5, 4);
    assert.equal(filter.skewSeconds, 0);
    hear(filter, 2, 2 * HOUR, 9);
    assert.equal(filter.skewSeconds, 7200);
  });

  it("do not outlive the membership of those whose they are", () => {
    const filter = new GossipFilter(now);
    hear(filter, 5, -2 * HOUR, 1);
    hear(filter, 2, 0, 6);
    assert.equal(filter.skewSeconds, -7200);
    filter.follow(viewOfSize(8).next([host(1), host(2), host(3)], new Map()));
    assert.equal(filter.skewSeconds, 0);
  });

  it("of two make us stamp by the faster, which nobody takes for old", () => {
    for (const aheadMs of [-1000 * DAY, -2 * HOUR, 2 * HOUR]) {
      const filter = new GossipFilter(now);
      assert.ok(hear(filter, 20, aheadMs, 1, 1).every((isNew) => isNew));
      assert.equal(filter.stamp(now), unix(now + Math.max(0, aheadMs)));
    }
  });

  it("of Rust members are not taken for those of the past, but where they are days ahead", () => {
    const rust = host(4);
    for (const [aheadMs, stampedMs] of [
      [HOUR, HOUR - 50 * 60 * SECOND],
      [12 * HOUR, 12 * HOUR - 50 * 60 * SECOND],
      [13 * HOUR, 0],
      [-2 * HOUR, 0],
    ] as const) {
      const filter = new GossipFilter(now);
      filter.follow(viewOfSize(5, (i) => i === 4));
      hear(filter, 5, 0, 0, 4);
      filter.compareClocks(rust, unix(now + aheadMs), now);
      assert.equal(filter.stamp(now), unix(now + stampedMs), `${aheadMs / HOUR} h`);
      assert.equal(filter.skewSeconds, 0, "one of five clocks is no reason to doubt ours");
      filter.follow(viewOfSize(5, (i) => i === 4).next([rust], new Map()));
      assert.equal(filter.stamp(now), unix(now), "once it is gone");
    }
    const filter = new GossipFilter(now);
    filter.follow(viewOfSize(5));
    hear(filter, 5, 0, 0, 4);
    filter.compareClocks(rust, unix(now + HOUR), now);
    assert.equal(filter.stamp(now), unix(now), "a Node member does not mind");
  });

  it("are those of the members that were heard last, in a large mesh", () => {
    const filter = new GossipFilter(now);
    hear(filter, 500, 2 * HOUR);
    hear(filter, 63, 0, 501);
    assert.equal(filter.skewSeconds, 0);
  });

  it("that differ by two minutes or less are equal", () => {
    const filter = new GossipFilter(now);
    hear(filter, 63, 120 * SECOND);
    assert.equal(filter.skewSeconds, 0);
    hear(filter, 63, 121 * SECOND);
    assert.equal(filter.skewSeconds, 121);
  });

  it("that are set right again are found to be right again", () => {
    const filter = new GossipFilter(now);
    hear(filter, 63, 2 * HOUR);
    hear(filter, 63, 0);
    assert.equal(filter.skewSeconds, 0);
  });

  it("do not let replays in that are more than a day old, once our clock is known to be right", () => {
    const filter = new GossipFilter(now);
    hear(filter, 20, 0);
    assert.equal(filter.add(unix(now - 23 * HOUR), 1000n, now), true);
    assert.equal(filter.add(unix(now - 25 * HOUR), 1001n, now), false);
  });

  it("give no stamp before 1970", () => {
    assert.equal(new GossipFilter(-5000).stamp(-5000), 0n);
  });
});
