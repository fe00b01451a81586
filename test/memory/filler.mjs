// Fills a cache with far more than it may hold, in a process of its own, and prints what that took. Started with
// --expose-gc, and told what to do in JSON.

import { setTimeout as delay } from "node:timers/promises";
import { Cache } from "../../dist/cache/index.js";

const { maxBytes, keys, valueBytes } = JSON.parse(process.argv[2]);
const AT_ONCE = 100;
const WARM_UP_GETS = 100_000;

const source = (_, { text }) => Buffer.alloc(valueBytes[text.length % valueBytes.length], text);

async function fill(cache, prefix, count, after) {
  for (let from = 0; from < count; from += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - from);
    // Keys of several lengths, which say how long the value is.
    await cache.getMany(Array.from({ length: size }, (_, i) => `${prefix}${"-".repeat(i % 7)}${from + i}`));
    after();
  }
}

/** What is alive, once there is nothing left to collect. */
async function alive() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await delay(20);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, rss };
}

// What the process needs to get anything at all is no matter of the cache.
const small = new Cache({ maxBytes: 64 * 1024, source });
await fill(small, "warm", WARM_UP_GETS, () => {});
const before = await alive();

const cache = new Cache({ maxBytes, source });
let peakRss = 0;
const from = performance.now();
await fill(cache, "key", keys, () => {
  peakRss = Math.max(peakRss, process.memoryUsage.rss());
});
const ms = performance.now() - from;
const after = await alive();
const { keys: held, bytes, evictions } = cache.stats();
console.log(
  JSON.stringify({
    held,
    bytes,
    evictions,
    usedBytes: after.used - before.used,
    rssBytes: after.rss - before.rss,
    peakRssBytes: peakRss - before.rss,
    beforeRssBytes: before.rss,
    ms,
  }),
);
