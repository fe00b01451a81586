import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host } from "../../test/core/sample-views.ts";
import { Arrivals } from "./arrivals.ts";

describe("the arrivals at a lone founder", () => {
  it("are over 20 ms after the last that was on the way", () => {
    const arrivals = new Arrivals();
    arrivals.expect(host(1), 1000);
    arrivals.expect(host(2), 1001);
    arrivals.come(host(1), 1050);
    assert.equal(arrivals.windowMs, 100);
    arrivals.come(host(2), 1060);
    assert.equal(arrivals.windowMs, 20);
  });

  it("are waited for three times as long as the longest lull, and for 100 ms at most", () => {
    const arrivals = new Arrivals();
    arrivals.come(host(1), 1000);
    arrivals.expect(host(2), 1015);
    arrivals.come(host(2), 1016);
    assert.equal(arrivals.windowMs, 45);
    arrivals.come(host(3), 1020);
    assert.equal(arrivals.windowMs, 45);
    arrivals.come(host(4), 1065);
    assert.equal(arrivals.windowMs, 100);
  });

  it("tell nothing by a pause after which others begin to come", () => {
    const arrivals = new Arrivals();
    arrivals.come(host(1), 1000);
    arrivals.come(host(2), 61_000);
    assert.equal(arrivals.windowMs, 20);
  });

  it("remember a bounded number of those on the way", () => {
    const arrivals = new Arrivals();
    for (let i = 0; i < 30_000; i++) arrivals.expect(host(i), 1000);
    for (let i = 0; i < 20_000; i++) arrivals.come(host(i), 1000);
    assert.equal(arrivals.windowMs, 20);
  });
});
