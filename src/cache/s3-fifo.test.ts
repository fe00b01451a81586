import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Key } from "./key.ts";
import { type Limit, S3Fifo } from "./s3-fifo.ts";

const NOTE = { owner: 0, epoch: 0 };
const key = (text: string): Key => text as Key;
const text = (store: S3Fifo, name: string): string | undefined => {
  const kept = store.peek(key(name));
  return kept && Buffer.from(kept.bytes).toString();
};

function put(store: S3Fifo, name: string, value = name, expiresAt = Infinity): void {
  store.set(key(name), { bytes: Buffer.from(value), expiresAt }, NOTE);
}

describe("a store", () => {
  it("shows what was put last under a key, or nothing", () => {
    const limits = fc.oneof(
      fc.record({ keys: fc.integer({ min: 1, max: 40 }) }),
      // Pages of 256 bytes, so that most values go over several.
      fc.record({ bytes: fc.integer({ min: 1000, max: 20_000 }) }),
    );
    const name = fc.oneof(
      fc.nat({ max: 60 }).map(String),
      fc.nat({ max: 3 }).map((n) => "long".repeat(n * 40)),
    );
    const steps = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.tuple(fc.constant("set"), name, fc.nat({ max: 1200 })) },
        { weight: 5, arbitrary: fc.tuple(fc.constant("get"), name, fc.constant(0)) },
        { weight: 1, arbitrary: fc.tuple(fc.constant("delete"), name, fc.constant(0)) },
        { weight: 1, arbitrary: fc.tuple(fc.constant("expire"), name, fc.nat({ max: 300 })) },
      ),
      { maxLength: 600, size: "max" },
    );
    fc.assert(
      fc.property(limits, steps, (limit: Limit, taken) => {
        const store = new S3Fifo(limit);
        const model = new Map<string, string>();
        let count = 0;
        for (const [what, on, length] of taken) {
          if (what === "set" || what === "expire") {
            const value = `${count++}:`.repeat(length).slice(0, length);
            put(store, on, value, what === "set" ? Infinity : performance.now());
            if (what === "set") model.set(on, value);
            else model.delete(on);
          } else if (what === "delete") {
            store.delete(key(on));
            model.delete(on);
          }
          const kept = store.get(key(on));
          if (kept !== undefined) assert.equal(Buffer.from(kept.bytes).toString(), model.get(on));
          if ("keys" in limit) assert.ok(store.size <= limit.keys);
          else assert.ok(store.bytes <= Math.max(limit.bytes, 400), `${store.bytes} of ${limit.bytes}`);
        }
        for (const [on, value] of model) assert.ok([undefined, value].includes(text(store, on)));
      }),
    );
  });

  it("lets a scan pass through", () => {
    const store = new S3Fifo({ keys: 100 });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 50; i++) if (store.get(key(`used:${i}`)) === undefined) put(store, `used:${i}`);
    }
    for (let i = 0; i < 10_000; i++) put(store, `scanned:${i}`);
    const left = Array.from({ length: 50 }, (_, i) => text(store, `used:${i}`)).filter(Boolean);
    assert.equal(left.length, 50);
    assert.equal(store.size, 100);
  });

  it("lets in at once what returns soon after it fell out", () => {
    const store = new S3Fifo({ keys: 100 });
    for (let i = 0; i < 150; i++) put(store, `once:${i}`);
    assert.equal(text(store, "once:45"), undefined);
    put(store, "once:45");
    for (let i = 0; i < 99; i++) put(store, `later:${i}`);
    assert.equal(text(store, "once:45"), "once:45");
  });

  it("keeps values that are longer than its pages, and none that is longer than itself", () => {
    const store = new S3Fifo({ bytes: 1_000_000 });
    const long = "0123456789".repeat(60_000);
    put(store, "long", long);
    assert.equal(text(store, "long"), long);
    put(store, "too long", "x".repeat(1_000_001));
    assert.equal(store.peek(key("too long")), undefined);
    assert.equal(text(store, "long"), long);
    put(store, "other", long);
    assert.equal(text(store, "long"), undefined);
  });

  it("does not fill up with what has expired or was forgotten", () => {
    const store = new S3Fifo({ keys: 10 });
    for (let i = 0; i < 100_000; i++) {
      put(store, "again", "x".repeat(100), performance.now());
      put(store, "forgotten", "x".repeat(100));
      store.delete(key("forgotten"));
    }
    assert.ok(store.bytes < 10_000, `${store.bytes}`);
  });
});
