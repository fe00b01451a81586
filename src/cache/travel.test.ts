// What travels between the members of a cache, counted where it arrives; and that no key is loaded twice, however many
// are asked for at once, and however the members differ over who owns a key.

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Mesh, MeshService } from "../index.ts";
import { failsWith, startMembers } from "../mesh/greeter.test.ts";
import { simulateMesh } from "../sim/index.ts";
import { Cache } from "./cache.ts";
import { textCodec } from "./codec.ts";
import { keyOf } from "./key.ts";
import type { TypedCacheOptions } from "./options.ts";
import { UNDER_WAY_MAX } from "./pacing.ts";
import type { Placement } from "./placement.ts";
import { Rendezvous } from "./rendezvous.ts";
import { RustRing } from "./rust-ring.ts";

type Options = Partial<Omit<TypedCacheOptions<string>, "codec">>;
type Server = Parameters<MeshService["register"]>[0];

/** The cache of one member, which knows what its source was asked for and what other members sent to it. */
class Counted implements MeshService {
  readonly cache: Cache<string>;
  readonly loads: string[] = [];
  /** Streams that others have opened here, and the questions in each message that they sent. */
  streams = 0;
  readonly asked: number[] = [];
  /** Messages that went back. */
  answers = 0;
  address = "";

  constructor(options: Options = {}) {
    this.cache = new Cache<string>({
      maxKeys: 100_000,
      codec: textCodec,
      // Nothing but what the test asks for: a member that has just joined would ask former owners.
      handoffMs: 0,
      source: (_, { text }) => text,
      ...options,
      ...sourceThat((text) => this.loads.push(text), options),
    });
  }

  get name(): string {
    return this.cache.name;
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.cache.metadata;
  }

  accept(mesh: Mesh): void {
    this.address = mesh.localAddress;
    this.cache.accept(mesh);
  }

  register(server: Server): void {
    const register: Server["register"] = (path, handler, encode, decode, type) => {
      if (!path.endsWith("/Exchange")) return server.register(path, handler, encode, decode, type);
      const opened = (call: never): void => {
        this.streams += 1;
        (handler as (call: never) => void)(call);
      };
      const sent: typeof encode = (message) => {
        this.answers += 1;
        return encode(message);
      };
      const heard: typeof decode = (bytes) => {
        const message = decode(bytes);
        this.asked.push((message as unknown as { asks: unknown[] }).asks.length);
        return message;
      };
      return server.register(path, opened as typeof handler, sent, heard, type);
    };
    this.cache.register({ register });
  }

  /** Counts anew; streams stay open. */
  forgetCounts(): void {
    this.asked.length = 0;
    this.answers = 0;
    this.loads.length = 0;
  }
}

/** Tells of each load before it. */
function sourceThat(tell: (text: string) => void, { source = (_, { text }) => text }: Options): Options {
  return {
    source: (key, context) => {
      tell(context.text);
      return source(key, context);
    },
  };
}

async function members(t: TestContext, ...options: readonly Options[]): Promise<Counted[]> {
  const all = options.map((one) => new Counted(one));
  await startMembers(t, ...all.map((one) => ({ services: [one] })));
  return all;
}

/** Whom the members take for the owner of a key where all of them say "auto". */
function ownerOf(text: string, all: readonly Counted[]): Counted {
  const [address] = new Rendezvous(all.map((one) => one.address)).owners(keyOf(text, 100));
  return all.find((one) => one.address === address)!;
}

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `key-${i}`);
const loadsOf = (all: readonly Counted[]): string[] => all.flatMap(({ loads }) => loads);

describe("what is asked for at once", () => {
  it("travels to each owner in one message, and back in one, on a stream that stays", async (t) => {
    const [asker, ...owners] = (await members(t, {}, {}, {})) as [Counted, ...Counted[]];
    const keys = keysOf(300);
    const values = await asker.cache.getMany(keys);
    assert.deepEqual(values, keys);
    for (const { streams, asked, loads } of owners) {
      assert.equal(streams, 1);
      assert.deepEqual(asked, [loads.length], "one message with all keys of this owner");
    }
    assert.deepEqual(loadsOf([asker, ...owners]).sort(), [...keys].sort());
  });

  it("travels in one message for each owner too where callers know nothing of each other", async (t) => {
    const all = await members(t, {}, {}, {});
    const [asker, ...owners] = all as [Counted, ...Counted[]];
    const keys = keysOf(300);
    // The owners hold all; the streams are open; the asker holds what is its own.
    for (const { cache } of owners) await cache.getMany(keys);
    await asker.cache.getMany(["one", "two", "three", "four", "five", "six"]);
    for (const one of all) one.forgetCounts();

    const values = await Promise.all(keys.map((key) => asker.cache.get(key)));
    assert.deepEqual(values, keys);
    const own = asker.cache.stats().keys;
    for (const { streams, asked, answers } of owners) {
      assert.equal(streams, 2, "one of each other member");
      assert.equal(asked.length, 1, `${asked}`);
      assert.equal(answers, 1);
    }
    assert.ok(own > 0);
    assert.deepEqual(loadsOf(all), []);
  });

  it("is asked for once however many want it", async (t) => {
    const all = await members(t, {}, {});
    const [asker, owner] = all as [Counted, Counted];
    const key = keysOf(100).find((one) => ownerOf(one, all) === owner)!;
    const values = await Promise.all(Array.from({ length: 1000 }, () => asker.cache.get(key)));
    assert.deepEqual(new Set(values), new Set([key]));
    assert.deepEqual(owner.asked, [1]);
    assert.deepEqual(loadsOf(all), [key]);
  });
});

describe("a great many keys at once", () => {
  it("are each loaded once, by whoever owns them, whichever members ask", { timeout: 120_000 }, async (t) => {
    const all = await members(t, {}, {}, {});
    const [one, other] = all as [Counted, Counted];
    const keys = keysOf(50_000);
    assert.deepEqual(await one.cache.getMany(keys), keys);
    const theSame = keys.slice(20_000, 40_000);
    assert.deepEqual(await other.cache.getMany(theSame), theSame);
    assert.equal(loadsOf(all).length, keys.length);
    assert.equal(new Set(loadsOf(all)).size, keys.length);
    for (const { asked, loads, cache } of all) {
      assert.ok(loads.length > keys.length / 4, `${loads.length} loads`);
      for (const questions of asked) assert.ok(questions <= UNDER_WAY_MAX, `${questions} in one message`);
      assert.equal(cache.stats().askedInVain, 0);
    }
  });

  it("take the time that the source takes, and none is given up for waiting behind the others", () =>
    simulateMesh({ seed: 1 }, async (sim) => {
      // One load after the other: all keys of a member take twice as long as an owner may take for one.
      const slowly = (): Options => {
        let last = Promise.resolve();
        return {
          source: async (_, { text }) => {
            last = last.then(() => new Promise((resolve) => setTimeout(resolve, 15)));
            await last;
            return text;
          },
        };
      };
      const all = [new Counted(slowly()), new Counted(slowly()), new Counted(slowly())];
      await sim.startAll(3, (i) => ({ services: [all[i]!] }));
      const keys = keysOf(2000);
      const before = sim.elapsedMs;
      assert.deepEqual(await all[0]!.cache.getMany(keys), keys);
      assert.ok(sim.elapsedMs - before > 9000, `${sim.elapsedMs - before} ms`);
      assert.equal(loadsOf(all).length, keys.length);
      for (const { cache } of all) assert.equal(cache.stats().askedInVain, 0);
    }));

  it("end all together where the call is given a time, or is stopped", () =>
    simulateMesh({ seed: 1 }, async (sim) => {
      const slow: Options = {
        source: (_, { text }) => new Promise((resolve) => setTimeout(() => resolve(text), 100)),
      };
      const all = [new Counted(slow), new Counted(slow)];
      await sim.startAll(2, (i) => ({ services: [all[i]!] }));
      const [{ cache }] = all as [Counted, Counted];
      const begun = sim.elapsedMs;
      await assert.rejects(cache.getMany(keysOf(2000), { timeoutMs: 300 }), failsWith("BLIP_TIMEOUT"));
      assert.ok(sim.elapsedMs - begun < 350, `${sim.elapsedMs - begun} ms`);
      const others = keysOf(4000).slice(2000);
      const stopped = cache.getMany(others, { signal: AbortSignal.timeout(300) });
      await assert.rejects(stopped, failsWith("BLIP_ABORTED"));
      const { loads } = cache.stats();
      await sim.sleep(5000);
      assert.ok(cache.stats().loads - loads <= UNDER_WAY_MAX, "no more is begun");
    }));
});

describe("members that differ over who owns a key", () => {
  /** Keys that each of the two takes for the other's. */
  function contested(one: Counted, byOne: Placement, other: Counted, byOther: Placement): string[] {
    const first = (placement: Placement, text: string): string => [...placement.owners(keyOf(text, 100))][0]!;
    return keysOf(2000).filter(
      (text) => first(byOne, text) === other.address && first(byOther, text) === one.address,
    );
  }

  it("ask each other once, and no further, on sockets", async (t) => {
    // Sources that answer only once both are asked: whoever waited for the other's answer first would wait for ever.
    const arrived = new Map<string, () => void>();
    const source: Options["source"] = (_, { text }) =>
      new Promise((resolve) => {
        const first = arrived.get(text);
        arrived.set(text, () => resolve(text));
        if (first === undefined) return;
        first();
        resolve(text);
      });
    const both = await members(t, { placement: "balanced", source }, { placement: "blip", source });
    const [one, other] = both as [Counted, Counted];
    const addresses = both.map(({ address }) => address);
    const keys = contested(one, new Rendezvous(addresses), other, new RustRing(addresses, "std-new"));
    assert.ok(keys.length > 0);
    const mine = keys.slice(0, 100);
    for (const values of await Promise.all(both.map(({ cache }) => cache.getMany(mine)))) {
      assert.deepEqual(values, mine);
    }
    for (const { asked, loads, cache } of both) {
      assert.deepEqual(asked, [mine.length], "one message, and none that came back from the other");
      assert.deepEqual([...loads].sort(), [...mine].sort());
      assert.equal(cache.stats().askedInVain, 0);
    }
  });

  it("are answered within one round trip, while one has not seen yet who joined", () =>
    simulateMesh({ seed: 7 }, async (sim) => {
      const MEMBERS = 8;
      const ONE_WAY_MS = 40;
      sim.weather({ latencyMs: [5, ONE_WAY_MS] });
      const all = Array.from({ length: MEMBERS }, () => new Counted());
      const meshes = await sim.startAll(MEMBERS, (i) => ({ services: [all[i]!] }));
      const before = new Rendezvous(meshes[0]!.cut.members.map(({ address }) => address));
      // All have streams to each other.
      await Promise.all(all.map(({ cache }) => cache.getMany(keysOf(200).map((key) => `warm ${key}`))));

      // Somebody joins who has all use the crate's ring; not all of them see it at the same moment.
      void sim.start({ services: [new Counted({ placement: "blip" })] });
      const sees = (mesh: Mesh): boolean => mesh.cut.members.length === MEMBERS + 1;
      await Promise.race(meshes.map((mesh) => mesh.waitFor(() => sees(mesh))));
      const current = all[meshes.findIndex(sees)]!;
      const late = all[meshes.findIndex((mesh) => !sees(mesh))]!;
      const after = new RustRing(
        meshes.find(sees)!.cut.members.map(({ address }) => address),
        "std-new",
      );
      const [key] = contested(late, before, current, after);

      for (const one of all) one.forgetCounts();
      const begun = sim.elapsedMs;
      const values = await Promise.all([late, current].map(({ cache }) => cache.get(key!)));
      assert.deepEqual(values, [key, key]);
      const tookMs = sim.elapsedMs - begun;
      assert.ok(tookMs <= 2 * ONE_WAY_MS + 1, `${tookMs} ms`);
      assert.deepEqual([late.asked, current.asked], [[1], [1]]);
      assert.deepEqual(loadsOf(all), [key, key], "each answered the other from its own source");
    }));
});
