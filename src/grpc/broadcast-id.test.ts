import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseEndpoint } from "../core/endpoint.ts";
import type { Broadcast } from "../core/messages.ts";
import { peekBroadcastId } from "./broadcast-id.ts";
import { decodeRequest, encodeRequest } from "./codec.ts";
import { RecentIds } from "./recent-ids.ts";

const sender = parseEndpoint("127.0.0.1:1")!;
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

function broadcast(unix: bigint, unique: bigint): Broadcast {
  const rank = { round: 2, nodeIndex: unix };
  return {
    kind: "broadcast",
    unix,
    unique,
    gossip: { kind: "prepare", sender, configuration: unique, rank },
  };
}

describe("peekBroadcastId", () => {
  it("tells broadcasts apart, and only those", () => {
    fc.assert(
      fc.property(u64, u64, u64, u64, (unix, unique, otherUnix, otherUnique) => {
        const id = peekBroadcastId(encodeRequest(broadcast(unix, unique)));
        assert.ok(id !== undefined);
        assert.equal(peekBroadcastId(encodeRequest(broadcast(unix, unique))), id);
        const other = peekBroadcastId(encodeRequest(broadcast(otherUnix, otherUnique)));
        assert.equal(other === id, otherUnix === unix && otherUnique === unique);
      }),
    );
  });

  it("does not take two numbers for other two with the same digits", () => {
    const ids = [
      [1n, 128n],
      [128n, 1n],
      [129n, 0n],
      [0n, 129n],
    ].map(([unix, unique]) => peekBroadcastId(encodeRequest(broadcast(unix!, unique!))));
    assert.equal(new Set(ids).size, ids.length);
  });

  it("finds none where there is no body, no id, or no end", () => {
    const whole = encodeRequest(broadcast(300n, 2n ** 60n));
    for (let end = 0; end < whole.length; end++) {
      assert.equal(peekBroadcastId(whole.subarray(0, end)), undefined);
    }
    assert.equal(peekBroadcastId(Buffer.from("08011002", "hex")), undefined);
    assert.equal(peekBroadcastId(Buffer.from("2a00", "hex")), undefined);
    assert.equal(peekBroadcastId(Buffer.from("080110022aff", "hex")), undefined);
    assert.equal(peekBroadcastId(Buffer.from("080110022affffffff7f", "hex")), undefined);
  });

  it("agrees with the codec on whatever is well-formed", () => {
    const start = encodeRequest(broadcast(300n, 5n));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }), (damages) => {
        const bytes = Buffer.from(start);
        for (const [at, byte] of damages) bytes[at % bytes.length] = byte;
        const id = peekBroadcastId(bytes);
        const request = decodeRequest("broadcast", bytes);
        // Protobuf-es takes a part that is longer than the whole it is in; no encoder writes such.
        if (request.kind !== "broadcast" || !encodeRequest({ ...request }).equals(bytes)) return;
        const isSame = request.unix === 300n && request.unique === 5n;
        assert.equal(id === peekBroadcastId(start), isSame);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe("RecentIds", () => {
  it("remembers a generation for certain and never more than two", () => {
    const recent = new RecentIds(100);
    for (let i = 0; i < 1000; i++) {
      recent.add(`${i}`);
      for (const j of [i, i - 50, i - 99]) if (j >= 0) assert.ok(recent.has(`${j}`), `${j} at ${i}`);
      assert.ok(!recent.has(`${i - 200}`));
    }
  });

  it("forgets one that it is told to", () => {
    const recent = new RecentIds(1);
    recent.add("a");
    recent.add("b");
    recent.delete("a");
    recent.delete("b");
    assert.deepEqual([recent.has("a"), recent.has("b")], [false, false]);
  });
});
