// Seeds become addresses, or words of warning.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Endpoint, parseEndpoint } from "../core/endpoint.ts";
import { resolveSeeds, type Seeds } from "./seeds.ts";

const open = new AbortController().signal;
const none: ReadonlySet<Endpoint> = new Set();

async function found(seeds: Seeds, own = none, closing = open) {
  const warned: string[] = [];
  const endpoints = await resolveSeeds(seeds, own, false, closing, (text) => warned.push(text));
  return { endpoints, warned };
}

describe("seeds", () => {
  it("are addresses, each once, without this member's own", async () => {
    const own = new Set([parseEndpoint("127.0.0.1:1")!]);
    const seeds = ["127.0.0.1:1", "127.0.0.1:2", "[0::1]:2", "[::1]:2"];
    assert.deepEqual(await found(seeds, own), { endpoints: ["127.0.0.1:2", "[::1]:2"], warned: [] });
  });

  it("are reached as this member is, or as they say", async () => {
    const seeds = ["127.0.0.1:1", "tls://127.0.0.1:2", "plain://[::1]:3"];
    const asTls = await resolveSeeds(seeds, none, true, open, assert.fail);
    assert.deepEqual(asTls, ["tls://127.0.0.1:1", "tls://127.0.0.1:2", "[::1]:3"]);
    const { endpoints } = await found(seeds);
    assert.deepEqual(endpoints, ["127.0.0.1:1", "tls://127.0.0.1:2", "[::1]:3"]);
  });

  it("are names with all their addresses", async () => {
    const { endpoints, warned } = await found(["localhost:7"]);
    assert.ok(endpoints.includes(parseEndpoint("127.0.0.1:7")!));
    assert.deepEqual(warned, []);
  });

  it("that do not resolve are told of, and do not hide the others", async () => {
    const { endpoints, warned } = await found(["nowhere.invalid:1", "127.0.0.1:2"]);
    assert.deepEqual(endpoints, ["127.0.0.1:2"]);
    assert.match(warned.join(), /^seeds: nowhere.invalid:1 does not resolve: /);
  });

  it("that are only this member itself are told of", async () => {
    const own = new Set([parseEndpoint("127.0.0.1:1")!]);
    const { endpoints, warned } = await found(["127.0.0.1:1"], own);
    assert.deepEqual(endpoints, []);
    assert.deepEqual(warned, ["seeds: they name only this member itself"]);
  });

  it("come from a function, whatever that does", async () => {
    assert.deepEqual((await found(() => ["127.0.0.1:2"])).endpoints, ["127.0.0.1:2"]);
    const cases: readonly (readonly [() => unknown, RegExp])[] = [
      [() => Promise.reject(new Error("gone")), /the function failed: gone/],
      [
        () => {
          throw new Error("broken");
        },
        /the function failed: broken/,
      ],
      [() => "127.0.0.1:2", /something other than an array/],
      [() => [1], /something other than an array/],
      [() => ["nonsense"], /expected host:port, got "nonsense"/],
    ];
    for (const [find, message] of cases) {
      const { endpoints, warned } = await found(find as Seeds);
      assert.deepEqual(endpoints, []);
      assert.match(warned.join(), message);
    }
  });

  it("are not waited for when the mesh is closed", async () => {
    const closing = new AbortController();
    const heard = new Promise<AbortSignal>((resolve) => {
      const never = found(
        (signal) => {
          resolve(signal);
          return new Promise(() => {});
        },
        none,
        closing.signal,
      );
      void never.then(({ endpoints, warned }) => assert.deepEqual([endpoints, warned], [[], []]));
    });
    const signal = await heard;
    closing.abort(new Error("closed"));
    assert.equal(signal.aborted, true);
    assert.deepEqual(await found(["localhost:1"], none, closing.signal), { endpoints: [], warned: [] });
  });
});
