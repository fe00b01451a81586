import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { onAbort } from "./abort-fan.ts";

describe("many who wait by one signal", () => {
  it("are all told by one listener, but for those that have gone", () => {
    const stop = new AbortController();
    const told: number[] = [];
    const releases = Array.from({ length: 20 }, (_, i) => onAbort(stop.signal, () => void told.push(i)));
    assert.equal(getEventListeners(stop.signal, "abort").length, 1);
    for (const release of releases.slice(3)) release();
    stop.abort();
    assert.deepEqual(told, [0, 1, 2]);
    for (const release of releases) release();
  });

  it("leave nothing behind", () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++) {
      const releases = [1, 2].map(() => onAbort(signal, () => assert.fail()));
      for (const release of [...releases, ...releases]) release();
      assert.equal(getEventListeners(signal, "abort").length, 0);
    }
  });
});
