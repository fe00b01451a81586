// The lines that other programs read.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CutShape, jsonLine, memberLines, textLine } from "./cut-line.ts";

const cut: CutShape = {
  confId: 12503696770052480702n,
  local: "127.0.0.1:7946",
  degraded: false,
  skipped: 0,
  members: [
    {
      address: "127.0.0.1:7946",
      tls: false,
      metadata: {
        zone: Buffer.from("eu-1"),
        blob: new Uint8Array([0xff, 0xfe]),
        bom: Buffer.from("\ufeffx"),
        "demo.A": new Uint8Array(),
      },
    },
    { address: "[::1]:1", tls: true, metadata: {} },
  ],
  joined: ["127.0.0.1:7946"],
  kicked: [],
};

describe("a cut as JSON", () => {
  it("is one line with these keys in this order", () => {
    assert.equal(
      jsonLine(cut, 1700000000000),
      '{"event":"cut","time":1700000000000,"confId":"12503696770052480702","local":"127.0.0.1:7946",' +
        '"degraded":false,"skipped":0,"members":[{"address":"127.0.0.1:7946","tls":false,"metadata":' +
        '{"blob":{"base64":"//4="},"bom":"\ufeffx","demo.A":"","zone":"eu-1"}},' +
        '{"address":"[::1]:1","tls":true,"metadata":{}}],"joined":["127.0.0.1:7946"],"kicked":[]}',
    );
  });

  it("keeps a key that objects inherit, and breaks no line", () => {
    const metadata = Object.defineProperty({}, "__proto__", { value: Buffer.from("a\nb"), enumerable: true });
    const line = jsonLine({ ...cut, members: [{ ...cut.members[0]!, metadata }] }, 0);
    assert.ok(line.includes('{"__proto__":"a\\nb"}'));
    assert.ok(!line.includes("\n"));
  });
});

describe("a cut for people", () => {
  it("is one line", () => {
    assert.equal(
      textLine({ ...cut, kicked: ["127.0.0.1:1"], skipped: 2, degraded: true }, 1700000000000),
      "2023-11-14T22:13:20.000Z 12503696770052480702 2 members, joined 127.0.0.1:7946, kicked 127.0.0.1:1, " +
        "degraded: this member is not among them, 2 view changes skipped",
    );
  });

  it("lists members, one on a line", () => {
    assert.deepEqual(memberLines(cut), [
      "127.0.0.1:7946 blob=base64://4= bom=\ufeffx demo.A zone=eu-1",
      "tls://[::1]:1",
    ]);
  });
});
