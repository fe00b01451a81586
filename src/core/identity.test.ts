import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, joiner, nodeMetadata } from "../../test/core/sample-views.ts";
import { identified, identityOf } from "./identity.ts";
import { keyOf } from "./messages.ts";

describe("as whom a joiner comes", () => {
  it("is the same for the same uuid and metadata, in whatever order these were told", () => {
    const metadata = nodeMetadata({ a: "1", b: "2" });
    const other = nodeMetadata({ b: "2", a: "1" });
    assert.equal(identityOf(joiner(1, metadata)), identityOf(joiner(1, other)));
  });

  it("differs in the uuid, in a key, in a value, and in where one ends and the other begins", () => {
    const identities = [
      joiner(1),
      joiner(2),
      joiner(1, nodeMetadata({ a: "b" })),
      joiner(1, nodeMetadata({ a: "c" })),
      joiner(1, nodeMetadata({ ab: "" })),
      joiner(1, nodeMetadata({ a: "b", c: "d" })),
      joiner(1, nodeMetadata({ a: "bcd" })),
    ].map(identityOf);
    assert.equal(new Set(identities).size, identities.length);
  });

  it("makes values differ that name the same addresses", () => {
    const value = [host(1), host(2)];
    assert.notEqual(keyOf(identified(value, [1n])), keyOf(identified(value, [2n])));
    assert.notEqual(keyOf(identified(value, [1n])), keyOf(value));
    assert.equal(identified(value, []), value);
  });
});
