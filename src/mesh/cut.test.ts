// Cuts as users see them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Endpoint, nodeIdOf, parseEndpoint } from "../core/endpoint.ts";
import type { Joiner } from "../core/messages.ts";
import { View } from "../core/view.ts";
import { CutMaker, Member } from "./cut.ts";

const at = (text: string): Endpoint => parseEndpoint(text)!;

let lastUuid = 0n;

function joiner(metadata: Record<string, Uint8Array> = {}): Joiner {
  lastUuid += 1n;
  return { uuid: nodeIdOf(0n, lastUuid), metadata: Object.assign(Object.create(null), metadata) };
}

function step(view: View, ...changes: readonly (readonly [string, Record<string, Uint8Array>?])[]): View {
  const joiners = new Map(changes.map(([text, metadata]) => [at(text), joiner(metadata)]));
  return view.next(
    changes.map(([text]) => at(text)),
    joiners,
  );
}

const A = "10.0.0.2:2";
const founded = View.founding(3, at(A), joiner({ zone: Buffer.from("ü") }));
const grown = step(
  founded,
  ["10.0.0.10:1", { zone: Buffer.from([0xff]) }],
  ["[::1]:1"],
  ["tls://10.0.0.2:1"],
);
const maker = new CutMaker(at(A));

describe("a cut", () => {
  it("lists members by address: IPv4 first, by bytes, then by port", () => {
    const cut = maker.make({ view: grown, degraded: false }, undefined, 0);
    const addresses = cut.members.map(({ address }) => address);
    assert.deepEqual(addresses, ["10.0.0.2:1", "10.0.0.2:2", "10.0.0.10:1", "[::1]:1"]);
    assert.deepEqual(
      cut.members.map(({ tls }) => tls),
      [true, false, false, false],
    );
    assert.equal(cut.joined, cut.members);
    assert.deepEqual(cut.kicked, []);
    assert.equal(cut.localAddress, A);
    assert.equal(cut.confId, grown.id);
    assert.throws(() => (cut.members as Member[]).pop());
  });

  it("finds members by address, however it is written, and by metadata", () => {
    const cut = maker.make({ view: grown, degraded: false }, undefined, 0);
    assert.equal(cut.lookup("[0:0::1]:1")?.address, "[::1]:1");
    assert.equal(cut.lookup("10.0.0.2:3"), undefined);
    assert.equal(cut.lookup("nonsense"), undefined);
    assert.deepEqual(
      cut.withMeta("zone").map(([member, value]) => [member.address, ...value]),
      [
        ["10.0.0.2:2", ...Buffer.from("ü")],
        ["10.0.0.10:1", 0xff],
      ],
    );
    assert.deepEqual(cut.withMeta("toString"), []);
  });

  it("keeps members that stay as the same objects", () => {
    const before = maker.make({ view: founded, degraded: false }, undefined, 0);
    const after = maker.make({ view: grown, degraded: false }, founded, 0);
    assert.equal(after.lookup(A), before.lookup(A));
    assert.deepEqual(
      after.joined.map(({ address }) => address),
      ["10.0.0.2:1", "10.0.0.10:1", "[::1]:1"],
    );
  });

  it("tells of a member that was replaced at its address as gone and as new", () => {
    const gone = step(grown, ["[::1]:1"]);
    const back = step(gone, ["[::1]:1", { zone: Buffer.from("2") }]);
    const cut = maker.make({ view: back, degraded: false }, grown, 1);
    assert.deepEqual(
      cut.kicked.map((member) => member.text("zone")),
      [undefined],
    );
    assert.deepEqual(
      cut.joined.map((member) => member.text("zone")),
      ["2"],
    );
    assert.equal(cut.skipped, 1);
  });

  it("tells of nobody who is only described anew, as when this member has joined again", () => {
    const records = grown.members.map((endpoint) => ({
      endpoint,
      metadata: grown.recordOf(endpoint)!.metadata,
    }));
    const described = View.of(3, records, grown.uuids);
    const cut = maker.make({ view: described, degraded: false }, grown, 0);
    assert.deepEqual([cut.joined, cut.kicked], [[], []]);
  });
});

describe("a member", () => {
  it("hands out copies of its metadata, sorted and without a prototype", () => {
    const metadata = { b: new Uint8Array([1]), a: Buffer.from("x") };
    const member = new Member(at(A), metadata);
    assert.deepEqual(Object.keys(member.metadata), ["a", "b"]);
    assert.equal(Object.getPrototypeOf(member.metadata), null);
    member.metadata.b![0] = 2;
    assert.equal(metadata.b[0], 1);
    assert.throws(() => {
      (member.metadata as Record<string, Uint8Array>).c = new Uint8Array();
    });
    assert.equal(member.text("a"), "x");
    assert.equal(member.text("c"), undefined);
    assert.equal(member.text("constructor"), undefined);
    assert.equal(member.has("b"), true);
  });
});
