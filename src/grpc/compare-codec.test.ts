import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts, joiner } from "../../test/core/sample-views.ts";
import type { Certificate, Compare, Compared } from "../core/messages.ts";
import { refuse } from "../core/refusals.ts";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "./codec.ts";
import { decodeCompare } from "./compare-codec.ts";
import { Malformed } from "./fields.ts";

const certificate: Certificate = {
  configuration: 2n ** 64n - 1n,
  value: [host(3), host(100)],
  joiners: new Map([[host(100), joiner(100)]]),
  rank: { round: 7, nodeIndex: 2n ** 63n },
  voters: hosts(4),
};
const reply: Compared = {
  kind: "compared",
  sender: host(1),
  configuration: 9n,
  size: 5,
  isMember: true,
  wasMember: true,
  chain: [certificate, { ...certificate, joiners: new Map(), rank: { round: 1, nodeIndex: 1n } }],
  contacts: [host(8)],
  replaced: [3n, 2n ** 64n - 1n],
  hasAdmitted: true,
};

describe("a comparison of configurations", () => {
  it("comes out as it went in", () => {
    const request: Compare = {
      kind: "compare",
      sender: host(2),
      configuration: 5n,
      past: [4n, 2n ** 64n - 1n],
    };
    assert.deepEqual(decodeRequest("compare", encodeRequest(request)), request);
    const named = { ...request, uuid: joiner(2).uuid };
    assert.deepEqual(decodeRequest("compare", encodeRequest(named)), named);
    assert.deepEqual(decodeReply("compare", encodeReply(reply), 10), reply);
  });

  it("says nothing where nothing is known", () => {
    const empty = {
      ...reply,
      configuration: 0n,
      size: 0,
      isMember: false,
      wasMember: false,
      chain: [],
      contacts: [],
      hasAdmitted: false,
    };
    assert.deepEqual(decodeReply("compare", encodeReply(empty), 10), empty);
  });

  it("without a well-formed sender, or with a value that is no proposal, is refused", () => {
    assert.throws(() => decodeCompare(new Uint8Array(0)), Malformed);
    const unsorted = { ...reply, chain: [{ ...certificate, value: [host(3), host(2)] }] };
    assert.deepEqual(decodeReply("compare", encodeReply(unsorted), 10), refuse.invalidProposal);
  });
});
