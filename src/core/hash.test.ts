import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { bytesOf, endpointFrom, golden, hexOf, uuidFrom } from "../../test/core/golden.ts";
import { parseEndpoint } from "./endpoint.ts";
import { Fnv, hashBytesOf, nodeIndexOf, uuidBytesOf } from "./hash.ts";
import { compareRanks, FAST_RANK, NO_RANK } from "./messages.ts";

function fnvByBigInt(bytes: Uint8Array): bigint {
  return bytes.reduce(
    (hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n),
    0xcbf29ce484222325n,
  );
}

describe("FNV-1a", () => {
  it("is what arithmetic on 64-bit numbers makes of the same bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        assert.equal(new Fnv().bytes(bytes).digest(), fnvByBigInt(bytes));
      }),
    );
  });

  it("does not mind in how many pieces the bytes come", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (head, tail) => {
        const whole = new Fnv().bytes(Uint8Array.of(...head, ...tail)).digest();
        assert.equal(new Fnv().bytes(head).bytes(tail).digest(), whole);
      }),
    );
  });

  const published: readonly (readonly [text: string, hash: bigint])[] = [
    ["", 0xcbf29ce484222325n],
    ["a", 0xaf63dc4c8601ec8cn],
    ["foobar", 0x85944171f73967e8n],
  ];
  for (const [text, hash] of published) {
    it(`of "${text}" is the published one`, () => {
      assert.equal(new Fnv().bytes(new TextEncoder().encode(text)).digest(), hash);
    });
  }

  it("takes a usize as eight bytes, little end first", () => {
    for (const value of [0, 1, 9, 255, 256, 0xffffffff]) {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
      assert.equal(new Fnv().usize(value).digest(), fnvByBigInt(bytes));
    }
  });
});

describe("the hash of an endpoint", () => {
  for (const { endpoint, seeded } of golden.a_endpoint_hashes) {
    it(`of ${endpoint.addr}${endpoint.tls ? " with TLS" : ""} is the crate's on every ring`, () => {
      const bytes = hashBytesOf(endpointFrom(endpoint));
      for (const { seed, bytes: expected, hash } of seeded) {
        assert.equal(hexOf(bytes), expected.slice(16)); // Eight bytes of seed come first.
        assert.equal(new Fnv().usize(seed).bytes(bytes).digest(), BigInt(hash));
      }
    });
  }

  // PROTOCOL §21, made apart from the golden vectors.
  const spot: readonly (readonly [address: string, ring: number, key: bigint])[] = [
    ["127.0.0.1:10000", 0, 13054939797937237876n],
    ["127.0.0.1:10000", 1, 9263829711977592947n],
    ["127.0.0.1:10000", 9, 1084510293338100251n],
    ["tls://[::1]:10000", 0, 12980374723054201486n],
    ["tls://[::1]:10000", 1, 1527987017327801189n],
    ["tls://[::1]:10000", 9, 16073616164024317629n],
  ];
  for (const [address, ring, key] of spot) {
    it(`of ${address} on ring ${ring} is ${key}`, () => {
      assert.equal(
        new Fnv()
          .usize(ring)
          .bytes(hashBytesOf(parseEndpoint(address)!))
          .digest(),
        key,
      );
    });
  }
});

describe("the hash of a uuid", () => {
  it("takes the number's sixteen bytes, little end first", () => {
    const uuid = uuidFrom({ high: `${0x0102030405060708n}`, low: `${0x090a0b0c0d0e0f10n}` });
    assert.equal(hexOf(uuidBytesOf(uuid)), "100f0e0d0c0b0a090807060504030201");
    assert.equal(new Fnv().bytes(uuidBytesOf(uuid)).digest(), 17238417441651937861n);
  });
});

describe("a coordinator's rank", () => {
  it("has the crate's node index", () => {
    for (const { endpoint, bytes, node_idx } of golden.d_ranks.node_idx) {
      assert.deepEqual(hashBytesOf(endpointFrom(endpoint)), bytesOf(bytes));
      assert.equal(nodeIndexOf(endpointFrom(endpoint)), BigInt(node_idx));
    }
  });

  it("sorts by round, then by node index without sign, as the crate sorts", () => {
    const sorted = golden.d_ranks.ranks_sorted_ascending.map(({ round, node_idx }) => ({
      round,
      nodeIndex: BigInt(node_idx),
    }));
    const reversed = [...sorted].reverse();
    assert.deepEqual(reversed.sort(compareRanks), sorted);
  });

  it("of nobody and of the fast round are the crate's", () => {
    const { zero, fast_round } = golden.d_ranks;
    assert.deepEqual(NO_RANK, { round: zero.round, nodeIndex: BigInt(zero.node_idx) });
    assert.deepEqual(FAST_RANK, { round: fast_round.round, nodeIndex: BigInt(fast_round.node_idx) });
  });
});
