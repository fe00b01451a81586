/**
 * Caches of Node members that a Rust member joins: by the crate's ring from then on, and with a warning where they were
 * told of another compiler than the one that built it.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Cache, type LayoutMismatch, textCodec } from "../../src/cache/index.ts";
import type { AddressLayout } from "../../src/cache/rust-ring.ts";
import { createMesh, type Mesh } from "../../src/index.ts";
import { freeAddresses, MemberProcess } from "../../test/member-process.ts";
import { chosen } from "../mixed-mesh.ts";

const patience = { timeoutMs: 60_000 };
const keys = Array.from({ length: 300 }, (_, i) => `${i}-key`);

/** Two Node members in this process, and what their sources were asked for. */
class Pair {
  readonly loads: string[] = [];
  readonly mismatches: LayoutMismatch[] = [];
  readonly caches: Cache<string>[] = [];
  readonly meshes: Mesh[] = [];
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
  }

  async start(rustLayout: AddressLayout): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const cache = new Cache({
        maxKeys: 10_000,
        rustLayout,
        codec: textCodec,
        source: (_, { text }) => {
          this.loads.push(text);
          return text;
        },
      });
      cache.on("rustLayoutMismatch", (mismatch) => this.mismatches.push(mismatch));
      const seeds = this.meshes.map(({ localAddress }) => localAddress);
      const mesh = await createMesh({ listen: "127.0.0.1:0", seeds, services: [cache] });
      this.#t.after(() => mesh.close());
      this.meshes.push(mesh);
      this.caches.push(cache);
    }
    await this.seeAll(2);
  }

  async addRust(): Promise<MemberProcess> {
    const [listen] = await freeAddresses(1);
    const seeds = [this.meshes[0]!.localAddress];
    const rust = new MemberProcess("rust", { listen: listen!, seeds, cache: 10_000 });
    this.#t.after(() => rust.stop());
    await rust.until(({ members }) => members.length === 3, { ...patience, what: "the Rust member to join" });
    await this.seeAll(3);
    return rust;
  }

  async seeAll(count: number): Promise<void> {
    await Promise.all(
      this.meshes.map((mesh) => mesh.waitFor((cut) => cut.members.length === count, patience)),
    );
  }

  placements(): (string | undefined)[] {
    return this.caches.map((cache) => cache.stats().placement);
  }
}

for (const title of chosen("a Rust member joins caches of Node members, dies, and the source is spared")) {
  test(title, { timeout: 5 * 60_000 }, async (t) => {
    const pair = new Pair(t);
    await pair.start("std-new");
    const [one, other] = pair.caches as [Cache<string>, Cache<string>];
    assert.deepEqual(pair.placements(), ["balanced", "balanced"]);
    await one.getMany(keys);
    assert.equal(pair.loads.length, keys.length);

    const rust = await pair.addRust();
    assert.deepEqual(pair.placements(), ["blip", "blip"]);
    const values = await one.getMany(keys);
    assert.deepEqual(await other.getMany(keys), values, "all members see one owner of each key");
    const ofRust = values.filter((value) => value.endsWith(`@${rust.address}`)).length;
    assert.ok(ofRust > 0 && ofRust < keys.length, `${ofRust} of ${keys.length} keys are the Rust member's`);
    assert.equal(pair.loads.length, keys.length, "what moved between Node members was handed over");

    rust.kill("SIGKILL");
    await pair.seeAll(2);
    assert.deepEqual(pair.placements(), ["balanced", "balanced"]);
    await one.getMany(keys);
    assert.deepEqual(await one.getMany(keys), await other.getMany(keys));
    assert.ok(pair.loads.length <= keys.length + ofRust, "only what the Rust member had is loaded again");
    assert.deepEqual(pair.mismatches, []);
  });
}

for (const title of chosen("Node members that were told of another compiler say so, and ask in no circles")) {
  test(title, { timeout: 5 * 60_000 }, async (t) => {
    const pair = new Pair(t);
    await pair.start("std-mid");
    await pair.addRust();
    const [one, other] = pair.caches as [Cache<string>, Cache<string>];
    // Sooner or later a key that we take for the Rust member's and that it takes for ours: it asks us, and is answered.
    const before = performance.now();
    for (const cache of [one, other]) await cache.getMany(keys, { timeoutMs: 20_000 });
    t.diagnostic(`${2 * keys.length} gets in ${Math.round(performance.now() - before)} ms`);
    for (const cache of [one, other]) assert.equal(cache.stats().askedInVain, 0, "nobody waited in vain");
    const limit = AbortSignal.timeout(patience.timeoutMs);
    while (pair.mismatches.length === 0 && !limit.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.deepEqual(
      [...new Set(pair.mismatches.map(({ layout }) => layout))],
      ["std-new"],
      "what is wrong, with its fix",
    );
    assert.match(pair.mismatches[0]!.message, /Set rustLayout to "std-new" on all Node members/);
    t.diagnostic(pair.mismatches[0]!.message);
  });
}
