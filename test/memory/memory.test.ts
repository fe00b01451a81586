// What a cache may take is said in bytes. That it keeps to it is measured from outside of it, in a process of its own.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fill, type Load } from "./fill.ts";

const MIB = 1024 * 1024;
/** Beyond maxBytes, for what is alive in the end. */
const MARGIN = 1.1;
/** What calls leave behind until it is collected, whatever the size of the cache; half as much was measured. */
const UNCOLLECTED_BYTES = 128 * MIB;

async function keepsWithin(load: Load): Promise<void> {
  const { maxBytes, keys } = load;
  const { held, evictions, bytes, usedBytes, peakRssBytes } = await fill(load);
  assert.equal(held + evictions, keys);
  assert.ok(bytes <= maxBytes, `stats() says ${bytes} of ${maxBytes}`);
  assert.ok(usedBytes <= maxBytes * MARGIN, `${usedBytes} alive, of ${maxBytes}`);
  const peakMax = maxBytes * MARGIN + UNCOLLECTED_BYTES;
  assert.ok(peakRssBytes <= peakMax, `${peakRssBytes} resident at most, of ${maxBytes}`);
}

describe("the memory of a cache", () => {
  it("stays within maxBytes under ten times as much", async () => {
    await keepsWithin({ maxBytes: 64 * MIB, keys: 170_000, valueBytes: [100, 1000, 10_240] });
  });

  it("stays within maxBytes over a million distinct keys: a byte that each left behind would be too much", async () => {
    await keepsWithin({ maxBytes: 8 * MIB, keys: 1_000_000, valueBytes: [0, 10, 100] });
  });
});
