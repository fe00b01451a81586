// Rust members of every layout beside Node members of every layout: what the questions of the ones tell the others.

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Key, keyOf } from "./key.ts";
import { type LayoutMismatch, LayoutWatch } from "./layout-watch.ts";
import { ADDRESS_LAYOUTS, type AddressLayout, RustRing } from "./rust-ring.ts";

/** They differ at the front: FNV-1a puts texts that differ in their last letter only next to each other. */
const KEYS = Array.from({ length: 1000 }, (_, i) => keyOf(`${i}-key`, 100));
const RUST = "127.0.0.1";

/** Node members at the first ports, of which the first one watches. */
function addressesOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `127.0.0.1:${7946 + i}`);
}

class Watched {
  readonly found: LayoutMismatch[] = [];
  readonly watch: LayoutWatch;
  readonly #t: TestContext;
  readonly #layout: AddressLayout;

  constructor(t: TestContext, layout: AddressLayout) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    this.#t = t;
    this.#layout = layout;
    const found = (mismatch: LayoutMismatch): void => void this.found.push(mismatch);
    this.watch = new LayoutWatch({ name: "a.Cache", layout, self: "127.0.0.1:7946", found });
  }

  follow(addresses: readonly string[]): void {
    this.watch.follow(addresses, new RustRing(addresses, this.#layout));
  }

  /** As a Rust member that sees these members asks for these keys. */
  hear(addresses: readonly string[], layout: AddressLayout, keys: readonly Key[] = KEYS, from = RUST): void {
    const ring = new RustRing(addresses, layout);
    for (const key of keys) {
      const [owner] = ring.owners(key);
      if (owner === "127.0.0.1:7946") this.watch.asked(key, from);
    }
  }

  later(): void {
    this.#t.mock.timers.tick(10_000);
  }
}

describe("a watch of layouts", () => {
  for (const ours of ADDRESS_LAYOUTS) {
    for (const theirs of ADDRESS_LAYOUTS) {
      for (const count of [2, 3, 10]) {
        const does = ours === theirs ? "finds nothing" : "says so once";
        it(`${does}, of ${count} members, where theirs is ${theirs} and ours ${ours}`, (t) => {
          const watched = new Watched(t, ours);
          watched.follow(addressesOf(count));
          for (let i = 0; i < 2; i++) {
            watched.hear(addressesOf(count), theirs);
            watched.later();
          }
          const layouts = watched.found.map(({ layout }) => layout);
          assert.deepEqual(layouts, ours === theirs ? [] : [theirs]);
          if (ours === theirs) return;
          assert.equal(watched.found[0]!.from, RUST);
          const { message } = watched.found[0]!;
          assert.match(message, new RegExp(`Set rustLayout to "${theirs}" on all Node members`));
        });
      }
    }
  }

  it("takes a Rust member that has not heard of a change for no other layout", (t) => {
    const watched = new Watched(t, "std-new");
    for (let count = 2; count < 8; count++) watched.follow(addressesOf(count));
    for (let count = 2; count < 8; count++) watched.hear(addressesOf(count), "std-new");
    watched.later();
    assert.deepEqual(watched.found, []);
  });

  it("takes one that is ahead of us for no other layout, once we have caught up", (t) => {
    const watched = new Watched(t, "std-new");
    watched.follow(addressesOf(6));
    watched.hear(addressesOf(3), "std-new");
    watched.follow(addressesOf(3));
    watched.later();
    assert.deepEqual(watched.found, []);
  });

  it("draws no conclusions from those who ask for whatever they like", (t) => {
    const watched = new Watched(t, "std-new");
    watched.follow(addressesOf(5));
    for (const key of KEYS) watched.watch.asked(key, "10.0.0.1");
    for (let i = 0; i < 1000; i++) watched.watch.asked(KEYS[i]!, `10.0.1.${i}`);
    watched.later();
    assert.deepEqual(watched.found, []);
  });

  it("tells callers apart", (t) => {
    const watched = new Watched(t, "std-new");
    watched.follow(addressesOf(3));
    for (const key of KEYS) watched.watch.asked(key, "10.0.0.1");
    watched.hear(addressesOf(3), "std-new", KEYS, "10.0.0.2");
    watched.hear(addressesOf(3), "std-old", KEYS, "10.0.0.3");
    watched.later();
    assert.deepEqual(
      watched.found.map(({ from }) => from),
      ["10.0.0.3"],
    );
  });

  it("watches only where the crate's placement is in force", (t) => {
    const watched = new Watched(t, "std-new");
    watched.watch.follow(addressesOf(3), undefined);
    watched.hear(addressesOf(3), "std-old");
    watched.later();
    assert.deepEqual(watched.found, []);
  });
});
