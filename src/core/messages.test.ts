import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeMetadata, uuid } from "../../test/core/sample-views.ts";
import { type Metadata, sameJoiner, sameMetadata } from "./messages.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("metadata", () => {
  const pairs: readonly (readonly [what: string, a: Metadata, b: Metadata, same: boolean])[] = [
    ["nothing and nothing", {}, {}, true],
    ["the same bytes under the same key", { a: bytes(1, 2) }, { a: bytes(1, 2) }, true],
    ["keys in another order", { a: bytes(1), b: bytes(2) }, { b: bytes(2), a: bytes(1) }, true],
    ["other bytes", { a: bytes(1, 2) }, { a: bytes(1, 3) }, false],
    ["a prefix of the bytes", { a: bytes(1, 2) }, { a: bytes(1) }, false],
    ["another key", { a: bytes(1) }, { b: bytes(1) }, false],
    ["one key more", { a: bytes(1) }, { a: bytes(1), b: bytes(2) }, false],
    ["an empty value and no value", { a: bytes() }, {}, false],
  ];
  for (const [what, a, b, same] of pairs) {
    it(`is ${same ? "the same" : "not the same"}: ${what}`, () => {
      assert.equal(sameMetadata(a, b), same);
      assert.equal(sameMetadata(b, a), same);
    });
  }

  it("and uuid together make the joiner", () => {
    const one = { uuid: uuid(1), metadata: nodeMetadata() };
    assert.equal(sameJoiner(one, { uuid: uuid(1), metadata: nodeMetadata() }), true);
    assert.equal(sameJoiner(one, { uuid: uuid(2), metadata: nodeMetadata() }), false);
    assert.equal(sameJoiner(one, { uuid: uuid(1), metadata: nodeMetadata({ a: "" }) }), false);
  });
});
