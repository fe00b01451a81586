import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { copyOf, copyOfLongs, keepable, WINDOWED_BYTES_MAX } from "./copies.ts";

/** Around all lengths at which copies are made in another way. */
const length = fc.oneof(
  fc.constantFrom(0, 1, 3, 4, 5, 255, 256, 257, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 200_000),
  fc.nat({ max: 600 }),
);
const value = fc.tuple(length, fc.nat({ max: 255 }));

/** Different bytes at each place, as far as there are. */
function made(size: number, from: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (from + i * 7) % 256);
}

/** The same bytes, in memory that begins and ends with something else. */
function inLongs(bytes: Uint8Array, at: number): BigInt64Array {
  const longs = new BigInt64Array(Math.ceil((at + bytes.length) / 8)).fill(-1n);
  new Uint8Array(longs.buffer).set(bytes, at);
  return longs;
}

describe("copies of values", () => {
  it("are equal to the values, and change neither with them nor with each other", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 12 }), fc.nat({ max: 17 }), (values, at) => {
        const copies = values.flatMap(([size, from]) => {
          const bytes = made(size, from);
          const longs = inLongs(bytes, at);
          const both = [copyOf(bytes), copyOfLongs(longs, at, size)];
          bytes.fill(0);
          longs.fill(0n);
          return both.map((copy) => ({ copy, expected: made(size, from) }));
        });
        for (const { copy, expected } of copies) assert.ok(Buffer.compare(copy, expected) === 0);
        for (const [i, { copy }] of copies.entries()) {
          copy.fill(i);
          for (const { copy: later, expected } of copies.slice(i + 1)) {
            assert.ok(Buffer.compare(later, expected) === 0);
          }
        }
        for (const [i, { copy }] of copies.entries()) assert.ok(copy.every((byte) => byte === i));
      }),
      { numRuns: 50 },
    );
  });

  it("are plain arrays of bytes, whatever the value is", () => {
    for (const size of [0, 100, 100_000]) {
      for (const copy of [copyOf(Buffer.alloc(size)), keepable(Buffer.alloc(size))]) {
        assert.equal(Object.getPrototypeOf(copy), Uint8Array.prototype);
        assert.equal(copy.length, size);
      }
    }
  });

  it("keep no more memory than a slab, or than they take themselves", () => {
    for (let size = 1; size < 300_000; size = size * 2 + 1) {
      const { buffer } = copyOf(new Uint8Array(size));
      assert.ok(buffer.byteLength <= Math.max(WINDOWED_BYTES_MAX, size), `${size}: ${buffer.byteLength}`);
    }
  });

  it("share slabs where they are small", () => {
    const buffers = new Set(Array.from({ length: 1000 }, () => copyOf(new Uint8Array(100)).buffer));
    assert.ok(buffers.size <= 3, `${buffers.size} slabs for 100 KB`);
  });
});

describe("bytes that nobody else has", () => {
  const windowOn = (message: number, size: number): Uint8Array =>
    new Uint8Array(message).subarray(8, 8 + size).fill(7);

  it("are kept as they are in a message that is no larger than a slab, or little larger than they are", () => {
    for (const bytes of [windowOn(WINDOWED_BYTES_MAX, 10), windowOn(1_000_100, 1_000_000)]) {
      const kept = keepable(bytes);
      assert.equal(kept.buffer, bytes.buffer);
      assert.deepEqual([kept.byteOffset, kept.length], [bytes.byteOffset, bytes.length]);
    }
  });

  it("are copied out of a large message", () => {
    const bytes = windowOn(WINDOWED_BYTES_MAX + 1, 10);
    const kept = keepable(bytes);
    assert.notEqual(kept.buffer, bytes.buffer);
    assert.deepEqual([...kept], Array(10).fill(7));
  });
});
