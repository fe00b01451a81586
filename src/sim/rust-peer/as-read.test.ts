import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host } from "../../../test/core/sample-views.ts";
import { advised, identified } from "../../core/identity.ts";
import type { Accepted, Broadcast, Request } from "../../core/messages.ts";
import { isRelay } from "../relay.ts";
import { asRead } from "./as-read.ts";

const plain: Accepted = {
  kind: "accepted",
  sender: host(1),
  configuration: 1n,
  rank: { round: 2, nodeIndex: 1n },
  value: [host(100)],
};

function broadcast(gossip: Accepted): Broadcast {
  return { kind: "broadcast", unix: 1n, unique: 2n, gossip };
}

describe("what the crate reads of a message", () => {
  it("is the list alone of a value that says as whom its joiners come", () => {
    for (const value of [advised(plain.value, [1n]), identified(plain.value, [1n])]) {
      assert.deepEqual(asRead({ ...plain, value }), plain);
      assert.deepEqual(asRead(broadcast({ ...plain, value })), broadcast(plain));
    }
  });

  it("is all of any other", () => {
    const others: readonly Request[] = [plain, broadcast(plain), { kind: "probe" }];
    for (const request of others) assert.equal(asRead(request), request);
  });

  it("is still the same broadcast when it is told on", () => {
    const request = broadcast({ ...plain, value: advised(plain.value, [1n]) });
    assert.ok(isRelay(request, asRead(request)));
    assert.ok(!isRelay(request, { ...request, unique: 3n }));
    assert.ok(!isRelay(request, plain));
  });
});
