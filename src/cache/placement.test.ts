// Owners of keys: the crate's own vectors, and how fair and how steady the balanced placement is.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseEndpoint } from "../core/endpoint.ts";
import { type Key, keyOf } from "./key.ts";
import type { Placement } from "./placement.ts";
import { Rendezvous } from "./rendezvous.ts";
import { type AddressLayout, addressBytes, hashOf, RustRing } from "./rust-ring.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../test/fixtures/vectors.json", import.meta.url), "utf8"),
).f_cache;

const LAYOUTS: Readonly<Record<string, AddressLayout>> = {
  std_new: "std-new",
  std_mid: "std-mid",
  std_old: "std-old",
};

const keys: readonly Key[] = vectors.keys.map(({ hex }: { hex: string }) =>
  keyOf(Buffer.from(hex, "hex"), 100),
);

function ownerOf(placement: Placement, key: Key): string {
  const [owner] = placement.owners(key);
  return owner!;
}

describe("the crate's placement", () => {
  it("hashes keys as the crate does", () => {
    for (const [i, { hash }] of vectors.keys.entries()) {
      assert.equal(String(hashOf(keys[i]!).digest()), hash);
    }
  });

  for (const { addrs, layouts } of vectors.sets as { addrs: string[]; layouts: Record<string, Layout> }[]) {
    for (const [name, { nodes, owner }] of Object.entries(layouts)) {
      it(`finds the crate's owners of ${keys.length} keys, ${addrs.length} members from ${addrs[0]}, ${name}`, () => {
        const layout = LAYOUTS[name]!;
        for (const { addr, bytes } of nodes) {
          const hashed = Buffer.from(addressBytes(parseEndpoint(addr)!, layout));
          assert.equal(hashed.toString("hex"), bytes);
        }
        const ring = new RustRing(addrs, layout);
        assert.deepEqual(
          keys.map((key) => addrs.indexOf(ownerOf(ring, key))),
          owner,
        );
      });
    }
  }

  it("names each member once, the next being the owner once those before it are gone", () => {
    const addresses = addressesOf(7);
    for (const key of keys) {
      const owners = [...new RustRing(addresses, "std-new").owners(key)];
      assert.deepEqual([...owners].sort(), [...addresses].sort());
      for (let gone = 1; gone < owners.length; gone++) {
        const left = addresses.filter((address) => !owners.slice(0, gone).includes(address));
        assert.equal(ownerOf(new RustRing(left, "std-new"), key), owners[gone]);
      }
    }
  });
});

interface Layout {
  readonly nodes: readonly { readonly addr: string; readonly bytes: string }[];
  readonly owner: readonly number[];
}

function addressesOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `127.0.0.1:${7946 + i}`);
}

const MANY = Array.from({ length: 100_000 }, (_, i) => keyOf(`user:${i}`, 100));

describe("the balanced placement", () => {
  for (const count of [3, 10, 100]) {
    it(`gives none of ${count} members more than 1.25 times its share`, () => {
      const placement = new Rendezvous(addressesOf(count));
      const owned = new Map<string, number>();
      for (const key of MANY) {
        const owner = ownerOf(placement, key);
        owned.set(owner, (owned.get(owner) ?? 0) + 1);
      }
      const most = Math.max(...owned.values()) / (MANY.length / count);
      assert.equal(owned.size, count);
      assert.ok(most < 1.25, `the fullest has ${most.toFixed(3)} times its share`);
    });
  }

  it("moves only the keys of who left, each to the one that was next", () => {
    const addresses = addressesOf(10);
    const before = new Rendezvous(addresses);
    const gone = addresses[4]!;
    const after = new Rendezvous(addresses.filter((address) => address !== gone));
    for (const key of MANY.slice(0, 10_000)) {
      const [first, second] = before.owners(key);
      assert.equal(ownerOf(after, key), first === gone ? second : first);
    }
  });

  it("is the same in whatever order the members are listed", () => {
    const addresses = addressesOf(10);
    const [one, other] = [new Rendezvous(addresses), new Rendezvous(addresses.toReversed())];
    for (const key of keys) assert.deepEqual([...one.owners(key)], [...other.owners(key)]);
  });
});
