// Caches on real meshes: one load for all, whoever asks and whoever dies.

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import type { MeshOptions } from "../index.ts";
import { failsWith, PATIENCE, startMembers, startMesh } from "../mesh/greeter.test.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { Cache } from "./cache.ts";
import { textCodec } from "./codec.ts";
import type { CacheOptions, TypedCacheOptions } from "./options.ts";

type Options = Partial<Omit<TypedCacheOptions<string>, "codec">>;

interface Member {
  readonly mesh: Mesh;
  readonly cache: Cache<string>;
}

/** Members whose caches name the loader of a value, and all keys that any of them loaded. */
class Members {
  readonly loads: string[] = [];
  readonly all: Member[] = [];
  readonly #t: TestContext;
  readonly #meshOptions: MeshOptions;

  /** @param meshOptions "lowLatency" where a death has to be found soon: on a busy machine it finds too many. */
  constructor(t: TestContext, meshOptions: MeshOptions = {}) {
    this.#t = t;
    this.#meshOptions = meshOptions;
  }

  async add(options: Options = {}): Promise<Member> {
    let local = "";
    const cache = new Cache<string>({
      maxKeys: 10_000,
      codec: textCodec,
      source: async (_, { text }) => {
        this.loads.push(text);
        return `${text}@${local}`;
      },
      ...options,
    });
    const seeds = this.all.map(({ mesh }) => mesh.localAddress);
    const mesh = await startMesh(this.#t, { ...this.#meshOptions, seeds, services: [cache] });
    local = mesh.localAddress;
    const member = { mesh, cache };
    this.all.push(member);
    await this.agree();
    return member;
  }

  /** All see each other, and nobody else. */
  async agree(): Promise<void> {
    const addresses = this.all.map(({ mesh }) => mesh.localAddress);
    await Promise.all(
      this.all.map(({ mesh }) =>
        mesh.waitFor(
          (cut) =>
            cut.members.length === addresses.length &&
            addresses.every((address) => cut.lookup(address) !== undefined),
          PATIENCE,
        ),
      ),
    );
  }

  async kill(member: Member): Promise<void> {
    this.all.splice(this.all.indexOf(member), 1);
    await member.mesh.close();
  }
}

async function three(t: TestContext, options: Options = {}, meshOptions: MeshOptions = {}): Promise<Members> {
  const members = new Members(t, meshOptions);
  for (let i = 0; i < 3; i++) await members.add(options);
  return members;
}

const QUICK: MeshOptions = { faultTimeoutMs: 500, faultStrikes: 2 };
const KEYS = Array.from({ length: 200 }, (_, i) => `key-${i}`);

/** What each member says, key by key; fails where they differ. */
async function same(members: Members, keys: readonly string[] = KEYS): Promise<string[]> {
  const values = await Promise.all(members.all.map(({ cache }) => cache.getMany(keys)));
  for (const other of values) assert.deepEqual(other, values[0]);
  return values[0]!;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe("a cache on a mesh", () => {
  it("loads each key once, at its owner, whoever asks", async (t) => {
    const members = await three(t);
    const values = await same(members);
    assert.deepEqual([...members.loads].sort(), [...KEYS].sort());
    const loaders = new Set(values.map((value) => value.split("@")[1]));
    assert.equal(loaders.size, 3);
    for (const { cache } of members.all) assert.equal(cache.stats().placement, "balanced");
  });

  for (const placement of ["balanced", "blip"] as const) {
    it(`goes on with one load for each key when a member dies and another joins: ${placement}`, async (t) => {
      const members = await three(t, { placement }, QUICK);
      const before = await same(members);
      const dead = members.all[1]!;
      await members.kill(dead);
      // The others do not know yet: they find out, and load what the dead one had.
      await same(members, KEYS.slice(0, 20));
      await members.agree();
      const after = await same(members);
      for (const [i, value] of after.entries()) {
        if (!before[i]!.endsWith(dead.mesh.localAddress)) assert.equal(value, before[i]);
      }
      const loads = members.loads.length;
      await members.add({ placement });
      assert.deepEqual(await same(members), after, "the new owner takes values over from the former ones");
      assert.equal(members.loads.length, loads);
    });
  }

  it("loads once for a thousand callers on three members, run after run", async (t) => {
    const members = await three(t, {
      source: async (_, { text }) => {
        members.loads.push(text);
        await delay(5);
        return text;
      },
    });
    for (let run = 0; run < 20; run++) {
      const key = `cold-${run}`;
      const callers = Array.from({ length: 999 }, (_, i) => members.all[i % 3]!.cache.get(key));
      for (const value of await Promise.all(callers)) assert.equal(value, key);
      assert.equal(members.loads.length, run + 1);
    }
  });

  it("loads at most twice when the owner is killed, or another joins, in the middle of a herd", async (t) => {
    let began = (): void => {};
    const options: Options = {
      source: async (_, { text }) => {
        members.loads.push(text);
        began();
        await delay(300);
        return text;
      },
    };
    const members = await three(t, options, QUICK);
    for (const event of ["kill", "join", "kill", "join"]) {
      const key = `${event}-${members.all.length}-${members.loads.length}`;
      const loading = new Promise<void>((resolve) => {
        began = resolve;
      });
      const before = members.loads.length;
      const herd = members.all.map(({ cache }) => Array.from({ length: 333 }, () => cache.get(key)));
      await loading;
      const loader = members.all.findIndex(({ cache }) => cache.stats().loadsUnderWay > 0);
      if (event === "kill") {
        await members.kill(members.all[loader]!);
        await Promise.allSettled(herd.splice(loader, 1).flat());
      } else await members.add(options);
      const late = members.all.map(({ cache }) => cache.get(key));
      for (const value of await Promise.all([...herd.flat(), ...late])) assert.equal(value, key);
      const loads = members.loads.length - before;
      assert.ok(loads <= 2, `${loads} loads after a ${event}`);
      await members.agree();
    }
  });

  it("takes another owner, or the source, where the owner does not answer in time", async (t) => {
    let hanging = "";
    const local = new Map<Cache<string>, string>();
    const members = new Members(t);
    const add = async (ownerFailure: Options["ownerFailure"], ownerTimeoutMs = 200): Promise<Member> => {
      const member: Member = await members.add({
        ownerFailure: ownerFailure!,
        ownerTimeoutMs,
        handoffMs: 0,
        source: async (_, { text }) => {
          const at = local.get(member.cache)!;
          if (at === hanging) return new Promise<string>(() => {});
          return `${text}@${at}`;
        },
      });
      local.set(member.cache, member.mesh.localAddress);
      return member;
    };
    const next = await add("next");
    const fail = await add("fail");
    // It is to load its own keys only, on however slow a machine.
    const owner = await add("next", 5000);
    const values = await owner.cache.getMany(KEYS);
    hanging = owner.mesh.localAddress;
    const keys = KEYS.filter((_, i) => values[i]!.endsWith(hanging));
    for (const key of keys) await owner.cache.forget(key);
    assert.ok(keys.length > 20, `${keys.length} keys`);
    const failed = new Set<string>();
    next.cache.on("ownerFailed", ({ address }) => failed.add(address));
    const found = await next.cache.getMany(keys.slice(0, 10));
    for (const value of found) assert.equal(value.endsWith(hanging), false, value);
    assert.equal(failed.has(hanging), true);
    await assert.rejects(fail.cache.get(keys[11]!), failsWith("BLIP_UNREACHABLE", { address: hanging }));
  });

  it("gives each caller bytes of its own, few or many, also where one message brought them all", async (t) => {
    const sizes = [0, 1, 100, 3000, 10_240, 20_000, 65_536, 300_000];
    const made = (text: string): Uint8Array => {
      const [size, first] = text.split(":").map(Number) as [number, number];
      return Uint8Array.from({ length: size }, (_, i) => first + i);
    };
    const make = (): Cache => new Cache({ maxKeys: 10_000, source: (_, { text }) => made(text) });
    const caches = [make(), make()];
    await startMembers(t, ...caches.map((cache) => ({ services: [cache] })));
    const keys = Array.from({ length: 160 }, (_, i) => `${sizes[i % sizes.length]}:${i}`);
    for (const cache of caches) {
      const asked = cache.stats().asked;
      // The first half is asked for twice at the same time.
      const values = await cache.getMany([...keys, ...keys.slice(0, 80)]);
      assert.ok(cache.stats().asked > asked, "some were at the other member");
      for (const [i, value] of values.entries()) {
        assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype);
        const expected = made(keys[i % keys.length]!);
        assert.ok(Buffer.compare(value, expected) === 0, `${keys[i % keys.length]}`);
        value.fill(255);
      }
      for (const [i, value] of (await cache.getMany(keys)).entries()) {
        assert.ok(Buffer.compare(value, made(keys[i]!)) === 0, `${keys[i]}, asked for again`);
      }
    }
  });

  it("tells the callers of all members how the source failed, and tries again for the next", async (t) => {
    let isBroken = true;
    const members = await three(t, {
      source: async (_, { text }) => {
        members.loads.push(text);
        if (isBroken) throw Object.assign(new Error("no such row"), { code: status.NOT_FOUND });
        return text;
      },
    });
    const outcomes = await Promise.allSettled(members.all.map(({ cache }) => cache.get("k")));
    for (const outcome of outcomes) {
      assert.equal(outcome.status, "rejected");
      assert.match(String(outcome.reason), /no such row/);
      failsWith("BLIP_SOURCE_FAILED", { status: status.NOT_FOUND })(outcome.reason);
    }
    isBroken = false;
    await same(members, ["k"]);
    for (const { cache } of members.all) assert.equal(cache.stats().askedInVain, 0);
  });

  it("loads at the asker what the owner refuses, for a shorter limit of its own", async (t) => {
    const members = new Members(t);
    const [one, other] = [await members.add(), await members.add({ maxKeyBytes: 3 })];
    const keys = KEYS.slice(0, 20);
    assert.equal((await one.cache.getMany(keys)).length, keys.length);
    assert.equal(members.loads.length, keys.length);
    assert.equal(other.cache.stats().keys, 0);
    await assert.rejects(other.cache.get(keys[0]!), failsWith("BLIP_INVALID_OPTIONS", { field: "key" }));
  });

  it("forgets at the owner too", async (t) => {
    const members = await three(t);
    await same(members, ["k"]);
    assert.deepEqual(members.loads, ["k"]);
    for (const { cache } of members.all) assert.equal(await cache.forget("k"), true);
    for (const { cache } of members.all) assert.equal(cache.peek("k"), undefined);
    await same(members, ["k"]);
    assert.deepEqual(members.loads, ["k", "k"]);
  });

  it("leaves without delay although streams are open, and goes on alone", async (t) => {
    const members = await three(t);
    await same(members);
    const [, leaver] = members.all;
    members.all.splice(1, 1);
    const startedMs = performance.now();
    assert.equal(await leaver!.mesh.leave({ timeoutMs: 30_000 }), true);
    assert.ok(performance.now() - startedMs < 10_000, "streams that nobody ends would take all of the time");
    await members.agree();
    const alone = await leaver!.cache.get("another key");
    assert.match(alone, /^another key@/);
    await same(members);
  });

  it("keeps caches of different names apart, on one mesh", async (t) => {
    const names = ["blip.cache.Cache", "my.Thumbnails"];
    const cachesOf = (): Cache<string>[] =>
      names.map(
        (name) => new Cache({ name, maxKeys: 9, codec: textCodec, source: (_, { text }) => name + text }),
      );
    const [one, other] = [cachesOf(), cachesOf()];
    await startMembers(t, { services: one }, { services: other });
    for (const caches of [one, other]) {
      for (const [i, cache] of caches.entries()) assert.equal(await cache.get("k"), `${names[i]}k`);
    }
  });

  it("is on one mesh at a time", async (t) => {
    const cache = new Cache({ maxKeys: 1, source: (key) => key });
    const mesh = await startMesh(t, { services: [cache] });
    await assert.rejects(startMesh(t, { services: [cache] }), /a cache that is on no other mesh/);
    await mesh.close();
    await startMesh(t, { services: [cache] });
  });
});

/** Calls a member as somebody from outside. */
function outsider(
  t: TestContext,
  mesh: Mesh,
): (path: string, message: Buffer, headers?: Metadata) => Promise<Buffer> {
  const client = new Client(mesh.localAddress, credentials.createInsecure());
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  return (path, message, headers = new Metadata()) =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, same, same, message, headers, (error, bytes) => {
        if (error) reject(error);
        else resolve(bytes!);
      });
    });
}

function field1(bytes: string): Buffer {
  return Buffer.concat([Buffer.of(0x0a, bytes.length), Buffer.from(bytes)]);
}

describe("a cache that strangers ask", () => {
  async function member(
    t: TestContext,
    options: Partial<CacheOptions>,
  ): Promise<{ mesh: Mesh; cache: Cache }> {
    const cache = new Cache({ maxKeys: 9, source: (key) => key, ...options } as CacheOptions);
    return { cache, mesh: await startMesh(t, { services: [cache] }) };
  }

  it("answers members only", async (t) => {
    const { mesh, cache } = await member(t, {});
    const call = outsider(t, mesh);
    const denied = { code: status.PERMISSION_DENIED };
    await assert.rejects(call("/blip.cache.Cache/Get", field1("k")), denied);
    await assert.rejects(
      call("/blip.cache.Cache.ext.v1/Fetch", field1("k")),
      /is no member of this mesh that serves/,
    );
    await assert.rejects(call("/blip.cache.Cache.ext.v1/Exchange", field1("k")), denied);
    const headers = new Metadata();
    headers.set("blip-cache-member", "127.0.0.1:1");
    await assert.rejects(call("/blip.cache.Cache.ext.v1/Exchange", field1("k"), headers), denied);
    assert.deepEqual([cache.stats().keys, cache.stats().loads], [0, 0]);
    assert.equal(Buffer.from(await cache.get("k")).toString(), "k", "nobody else is harmed");
  });

  it("answers anyone where it is told to, as the owner of the key would", async (t) => {
    const members = new Members(t);
    for (let i = 0; i < 3; i++) await members.add({ clients: "anyone" });
    for (const path of ["/blip.cache.Cache/Get", "/blip.cache.Cache.ext.v1/Fetch"]) {
      for (const key of KEYS.slice(0, 10)) {
        const answers = new Set<string>();
        for (const { mesh } of members.all)
          answers.add((await outsider(t, mesh)(path, field1(key))).toString());
        assert.equal(answers.size, 1);
      }
    }
    assert.equal(members.loads.length, 10);
  });

  it("says what is wrong with a key, and with a message", async (t) => {
    const { mesh, cache } = await member(t, { clients: "anyone", maxKeyBytes: 3 });
    const call = outsider(t, mesh);
    const [get, wrong] = ["/blip.cache.Cache/Get", { code: status.INVALID_ARGUMENT }];
    await assert.rejects(call(get, field1("long")), wrong);
    await assert.rejects(call(get, Buffer.of(0x0a, 100)));
    assert.deepEqual(await call(get, field1("abc")), field1("abc"));
    assert.equal(cache.stats().keys, 1);
  });
});
