// A cache on its own: loads, waits, limits, and everything that callers and sources do wrong.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { failsWith } from "../mesh/greeter.test.ts";
import { Cache } from "./cache.ts";
import { jsonCodec, textCodec } from "./codec.ts";
import type { CacheOptions } from "./options.ts";

/** A source whose loads end when they are told to. */
class SlowSource {
  readonly keys: string[] = [];
  readonly signals: AbortSignal[] = [];
  #end: ((value: Uint8Array | Error) => void)[] = [];

  readonly load: CacheOptions["source"] = (_, { text, signal }) => {
    this.keys.push(text);
    this.signals.push(signal);
    return new Promise((resolve, reject) => {
      this.#end.push((value) => (value instanceof Error ? reject(value) : resolve(value)));
    });
  };

  end(value: string | Error): void {
    for (const end of this.#end) end(typeof value === "string" ? Buffer.from(value) : value);
    this.#end = [];
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("a cache without a mesh", () => {
  it("loads a key once, and hands out the value from then on", async () => {
    const loaded: string[] = [];
    const cache = new Cache({
      maxKeys: 10,
      source: (key, { text }) => {
        loaded.push(text);
        return Buffer.concat([key, Buffer.from("!")]);
      },
    });
    assert.equal(Buffer.from(await cache.get("a")).toString(), "a!");
    assert.equal(Buffer.from(await cache.get(Buffer.from("a"))).toString(), "a!");
    assert.equal(Buffer.from(await cache.get("grüße")).toString(), "grüße!");
    assert.deepEqual(loaded, ["a", "grüße"]);
    const { gets, hits, loads, keys } = cache.stats();
    assert.deepEqual({ gets, hits, loads, keys }, { gets: 3, hits: 1, loads: 2, keys: 2 });
  });

  it("loads once for a thousand callers, and again after that load has failed", async () => {
    const source = new SlowSource();
    const cache = new Cache({ maxKeys: 10, source: source.load });
    const first = Array.from({ length: 1000 }, () => cache.get("k"));
    await settled();
    assert.deepEqual(source.keys, ["k"]);
    const why = new Error("no such row");
    source.end(why);
    for (const one of await Promise.allSettled(first)) {
      assert.equal(one.status, "rejected");
      failsWith("BLIP_SOURCE_FAILED", { cause: why })(one.reason);
    }
    const second = cache.get("k");
    await settled();
    source.end("v");
    assert.equal(Buffer.from(await second).toString(), "v");
    assert.equal(cache.stats().loads, 2);
  });

  it("lets a caller go without disturbing the others, the first one included", async () => {
    const source = new SlowSource();
    const cache = new Cache({ maxKeys: 10, source: source.load });
    const stop = new AbortController();
    const leader = assert.rejects(cache.get("k", { signal: stop.signal }), failsWith("BLIP_ABORTED"));
    const hasty = assert.rejects(cache.get("k", { timeoutMs: 1 }), failsWith("BLIP_TIMEOUT"));
    const other = cache.get("k");
    await settled();
    stop.abort(new Error("enough"));
    await Promise.all([leader, hasty]);
    source.end("v");
    assert.equal(Buffer.from(await other).toString(), "v");
    assert.deepEqual(source.keys, ["k"]);
  });

  it("keeps what was loaded although nobody waits any more", async () => {
    const source = new SlowSource();
    const cache = new Cache({ maxKeys: 10, source: source.load });
    await assert.rejects(cache.get("k", { timeoutMs: 1 }), failsWith("BLIP_TIMEOUT"));
    source.end("v");
    assert.equal(Buffer.from(await cache.get("k")).toString(), "v");
    assert.equal(cache.stats().loads, 1);
  });

  it("ends a load that hangs, tells its source, and loads other keys meanwhile", async () => {
    const signals: AbortSignal[] = [];
    const cache = new Cache({
      maxKeys: 10,
      loadTimeoutMs: 20,
      source: (key, { text, signal }) => {
        signals.push(signal);
        return text === "hangs" ? new Promise<Uint8Array>(() => {}) : key;
      },
    });
    const hanging = assert.rejects(cache.get("hangs"), /the source failed: there was no value within 20 ms/);
    assert.equal(Buffer.from(await cache.get("other")).toString(), "other");
    await hanging;
    assert.equal(signals[0]!.aborted, true);
    assert.equal(signals[1]!.aborted, false);
    assert.equal(cache.stats().loadsUnderWay, 0);
  });

  it("says what is wrong with what a source returns, and keeps nothing of it", async () => {
    let value: unknown;
    const cache = new Cache({ maxKeys: 10, maxValueBytes: 3, source: () => value as Uint8Array });
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [undefined, /it returned undefined instead of a value/],
      [null, /it returned null instead of a value/],
      ["text", /a Uint8Array is expected, got a string/],
      [{}, /a Uint8Array is expected, got an object/],
      [Buffer.alloc(4), /at most 3 bytes \(maxValueBytes\), got 4/],
    ];
    for (const [returned, message] of wrong) {
      value = returned;
      await assert.rejects(cache.get("k"), message);
    }
    assert.equal(cache.stats().keys, 0);
    value = Buffer.alloc(3);
    assert.equal((await cache.get("k")).length, 3);
  });

  it("refuses keys that cannot be any", async () => {
    const cache = new Cache({ maxKeys: 10, maxKeyBytes: 4, source: (key) => key });
    const refused = failsWith("BLIP_INVALID_OPTIONS", { field: "key" });
    await assert.rejects(cache.get("12345"), refused);
    await assert.rejects(cache.get("äää"), /key: expected at most 4 bytes, got 6/);
    await assert.rejects(cache.get("\ud800"), refused);
    await assert.rejects(cache.get(7 as never), refused);
    assert.throws(() => cache.peek("12345"), refused);
    await assert.rejects(cache.forget("12345"), refused);
    assert.deepEqual([cache.stats().keys, cache.stats().loads], [0, 0]);
    assert.equal((await cache.get("")).length, 0);
  });

  it("holds something with the least memory that it can be given", async () => {
    const cache = new Cache({ maxBytes: 65_536, source: (key) => key });
    for (let i = 0; i < 5000; i++) await cache.get(`key-${i}`);
    const { keys, bytes } = cache.stats();
    assert.ok(keys > 500, `${keys} keys`);
    assert.ok(bytes! <= 65_536, `${bytes} bytes`);
  });

  it("hands out a value that does not fit in, and keeps the others", async () => {
    const source = (_: Uint8Array, { text }: { text: string }): Uint8Array => Buffer.alloc(Number(text));
    const cache = new Cache({ maxBytes: 65_536, source });
    await cache.get("10");
    assert.equal((await cache.get("100000")).length, 100_000);
    assert.equal(cache.peek("100000"), undefined);
    assert.equal(cache.peek("10")!.length, 10);
  });

  it("hands out copies", async () => {
    const source = (): Uint8Array => Uint8Array.of(1, 2, 3);
    const cache = new Cache({ maxKeys: 10, source });
    (await cache.get("k")).fill(9);
    cache.peek("k")!.fill(9);
    assert.deepEqual([...(await cache.get("k"))], [1, 2, 3]);
  });

  it("has values of other types, with a codec", async () => {
    const texts = new Cache({ maxKeys: 10, codec: textCodec, source: (_, { text }) => `${text} ☃` });
    assert.equal(await texts.get("k"), "k ☃");
    const rows = new Cache({
      maxKeys: 10,
      codec: jsonCodec<{ n: number }>(),
      source: (key) => ({ n: key.length }),
    });
    assert.deepEqual(await rows.getMany(["a", "bb"]), [{ n: 1 }, { n: 2 }]);
    assert.deepEqual(rows.peek("bb"), { n: 2 });
    const broken = new Cache({ maxKeys: 1, codec: jsonCodec<unknown>(), source: () => () => {} });
    await assert.rejects(broken.get("k"), /JSON has no function/);
  });

  it("forgets: what is held, and what is being loaded", async () => {
    const source = new SlowSource();
    const cache = new Cache({ maxKeys: 10, source: source.load });
    const before = cache.get("k");
    await settled();
    assert.equal(await cache.forget("k"), true);
    const after = cache.get("k");
    await settled();
    assert.deepEqual(source.keys, ["k", "k"]);
    source.end("v");
    await Promise.all([before, after]);
    assert.ok(cache.peek("k"));
    await cache.forget("k");
    assert.equal(cache.peek("k"), undefined);
  });

  it("lets values expire", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let now = 0;
    t.mock.method(performance, "now", () => now);
    const cache = new Cache({
      maxKeys: 10,
      codec: textCodec,
      source: (_, { text }) => text,
      expireAfterMs: (value: string) => (value === "short" ? 10 : Infinity),
    });
    await cache.getMany(["short", "long"]);
    now = 9;
    await cache.getMany(["short", "long"]);
    assert.equal(cache.stats().loads, 2);
    now = 10;
    assert.equal(cache.peek("short"), undefined);
    await cache.getMany(["short", "long"]);
    assert.equal(cache.stats().loads, 3);
    assert.equal(cache.stats().expirations, 1);
  });

  it("warns of no leak where many are asked for by one signal, and gives up all of them by it", async (t) => {
    const warnings: Error[] = [];
    const hear = (warning: Error): void => void warnings.push(warning);
    process.on("warning", hear);
    t.after(() => process.off("warning", hear));
    const source = new SlowSource();
    const cache = new Cache({ maxKeys: 100, source: source.load });
    const stop = new AbortController();
    const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`);
    const { signal } = stop;
    const all = [cache.getMany(keys, { signal }), ...keys.map((key) => cache.get(key, { signal }))];
    await settled();
    stop.abort();
    for (const one of all) await assert.rejects(one, failsWith("BLIP_ABORTED"));
    await settled();
    assert.deepEqual(
      warnings.filter(({ name }) => name === "MaxListenersExceededWarning"),
      [],
    );
  });

  it("begins no more loads than it may", async () => {
    const source = new SlowSource();
    const cache = new Cache({ maxKeys: 10, maxLoads: 2, source: source.load });
    const two = [cache.get("a"), cache.get("b")];
    await settled();
    await assert.rejects(cache.get("c"), failsWith("BLIP_OVERLOADED"));
    source.end("v");
    await Promise.all(two);
    const third = cache.get("c");
    await settled();
    source.end("v");
    await third;
  });

  it("refuses options that cannot work, by name", () => {
    const source = (key: Uint8Array): Uint8Array => key;
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{}, /maxKeys, maxBytes: expected one of the two; neither is given/],
      [{ maxKeys: 1, maxBytes: 1 }, /both are given/],
      [{ maxKeys: 0 }, /maxKeys: expected a whole number above 0, got 0/],
      [{ maxBytes: 65_536.5 }, /maxBytes: .* got 65536.5/],
      [{ maxBytes: 100 }, /maxBytes: expected a whole number of bytes, 65536 or more, got 100/],
      [{ maxKeys: 1, source: "x" }, /source: expected a function/],
      [{ maxKeys: 1, name: "no name" }, /name: expected a full gRPC name/],
      [{ maxKeys: 1, codec: {} }, /codec: expected an object with encode/],
      [
        { maxKeys: 1, placement: "fair" },
        /placement: expected one of "auto", "blip", "balanced", got "fair"/,
      ],
      [{ maxKeys: 1, ownerFailure: 1 }, /ownerFailure: expected one of/],
      [{ maxKeys: 1, timeoutMs: -1 }, /timeoutMs: expected milliseconds/],
      [{ maxKeys: 1, expireAfterMs: 0 }, /expireAfterMs: expected milliseconds, more than 0/],
      [{ maxKeys: 1, maxValueBytes: 2 ** 30 }, /maxValueBytes: expected a whole number from 1 to/],
      [{ maxKeys: 1, ttl: 5 }, /ttl: expected one of maxKeys/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => new Cache({ source, ...options } as CacheOptions), message);
    }
    assert.throws(() => new Cache(undefined as never), /options: expected an object/);
  });

  it("refuses options of a get that cannot work, before it does anything", async () => {
    const cache = new Cache({ maxKeys: 1, source: (key) => key });
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [{ signal: 5 }, /signal: expected an AbortSignal, got 5/],
      [{ timeoutMs: Number.NaN }, /timeoutMs: expected milliseconds, 0 or more, got NaN/],
      [{ timeout: 5 }, /timeout: expected one of signal, timeoutMs/],
      [5, /options: expected an object, got 5/],
    ];
    for (let isHeld = 0; isHeld < 2; isHeld++) {
      const { loads } = cache.stats();
      for (const [options, message] of wrong) {
        await assert.rejects(cache.get("k", options as never), message);
        await assert.rejects(cache.getMany(["k"], options as never), message);
      }
      assert.equal(cache.stats().loads, loads);
      await cache.get("k");
    }
  });

  it("takes many keys: none, some twice, and refuses one text for many", async () => {
    const source = new SlowSource();
    const cache = new Cache({ maxKeys: 10, codec: textCodec, source: (_, { text }) => `${text}!` });
    assert.deepEqual(await cache.getMany([]), []);
    assert.deepEqual(await cache.getMany(new Set(["a", "b"])), ["a!", "b!"]);
    assert.deepEqual(await cache.getMany(["c", "a", "c"]), ["c!", "a!", "c!"]);
    assert.equal(cache.stats().loads, 3);
    for (const keys of ["user:7", Buffer.from("user:7"), undefined, 7]) {
      await assert.rejects(cache.getMany(keys as never), /keys: expected an iterable of keys/);
    }
    const partly = new Cache({ maxKeys: 10, source: source.load });
    const all = partly.getMany(["good", "bad"]);
    const each = Promise.allSettled([partly.get("good"), partly.get("bad")]);
    await settled();
    source.end(new Error("no such row"));
    await assert.rejects(all, failsWith("BLIP_SOURCE_FAILED"));
    assert.deepEqual(
      (await each).map(({ status }) => status),
      ["rejected", "rejected"],
    );
    const { gets, loads } = partly.stats();
    await assert.rejects(
      partly.getMany(["a", 7 as never]),
      failsWith("BLIP_INVALID_OPTIONS", { field: "key" }),
    );
    assert.deepEqual(partly.stats(), { ...partly.stats(), gets, loads }, "nothing is begun");
  });

  it("keeps nothing that its codec cannot read", async () => {
    let isBroken = true;
    const cache = new Cache({
      maxKeys: 10,
      codec: {
        encode: (text: string) => Buffer.from(text),
        decode: (bytes) => {
          if (isBroken) throw new Error("an old format");
          return Buffer.from(bytes).toString();
        },
      },
      source: () => "v",
    });
    const unreadable = /the codec cannot read the value: an old format/;
    await assert.rejects(cache.get("k"), unreadable);
    await assert.rejects(cache.get("k"), failsWith("BLIP_SOURCE_FAILED"));
    assert.deepEqual([cache.stats().keys, cache.stats().loads], [0, 2]);
    isBroken = false;
    assert.equal(await cache.get("k"), "v");
    isBroken = true;
    assert.throws(() => cache.peek("k"), unreadable);
    assert.equal(cache.peek("k"), undefined);
    const texts = new Cache({ maxKeys: 1, codec: textCodec, source: () => "\ud800" });
    await assert.rejects(texts.get("k"), /half a surrogate pair/);
  });

  it("lets a load take for ever where it is told to", async () => {
    const source = new SlowSource();
    const cache = new Cache({ maxKeys: 10, loadTimeoutMs: Infinity, source: source.load });
    const got = cache.get("k");
    await new Promise((resolve) => setTimeout(resolve, 20));
    source.end("v");
    assert.equal(Buffer.from(await got).toString(), "v");
  });

  it("takes times of a get, and signals that are aborted already", async () => {
    const cache = new Cache({ maxKeys: 1, source: (key) => key });
    await assert.rejects(cache.get("k", { timeoutMs: -1 }), failsWith("BLIP_INVALID_OPTIONS"));
    await assert.rejects(cache.get("k", { signal: AbortSignal.abort() }), failsWith("BLIP_ABORTED"));
    assert.equal(cache.stats().loads, 0);
    await cache.get("k", { timeoutMs: Infinity });
    await assert.rejects(cache.get("k", { signal: AbortSignal.abort() }), failsWith("BLIP_ABORTED"));
  });
});
