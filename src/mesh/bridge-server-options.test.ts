// What users may set of the server.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServerInterceptingCall, status } from "@grpc/grpc-js";
import type { ServerOptions } from "./bridge-server-options.ts";
import { client } from "./client.ts";
import { Greeter, LOOPBACK, startMembers } from "./greeter.test.ts";
import { createMesh } from "./mesh.ts";
import { service } from "./service.ts";

describe("options of the server", () => {
  it("let interceptors see calls to services, and none of the protocol", async (t) => {
    const seen = new Set<string>();
    const interceptors: ServerOptions["interceptors"] = [
      (method, call) => {
        seen.add(method.path);
        return new ServerInterceptingCall(call);
      },
    ];
    const greeting = service(Greeter, { hello: () => ({ text: "hi" }) });
    const server = { interceptors, maxStreams: 200, maxMessageBytes: 2 * 1024 * 1024, keepaliveMs: 5000 };
    const [a] = await startMembers(t, {}, { services: [greeting], server });
    const greeter = client(a!, Greeter);
    assert.equal((await greeter.hello({})).text, "hi");
    assert.deepEqual([...seen], ["/demo.Greeter/Hello"]);
    const large = greeter.hello({ name: "x".repeat(3 * 1024 * 1024) });
    await assert.rejects(large, {
      code: "BLIP_CALL_FAILED",
      status: status.RESOURCE_EXHAUSTED,
      message: /2097152/,
    });
  });

  it("are refused by their names", async () => {
    for (const [server, field] of [
      [7, "server"],
      [{ streams: 1 }, "server.streams"],
      [{ maxStreams: 1 }, "server.maxStreams"],
      [{ maxMessageBytes: 1.5 }, "server.maxMessageBytes"],
      [{ keepaliveMs: "soon" }, "server.keepaliveMs"],
      [{ interceptors: [1] }, "server.interceptors"],
    ] as const) {
      const options = { listen: LOOPBACK, server: server as ServerOptions };
      await assert.rejects(createMesh(options), { code: "BLIP_INVALID_OPTIONS", field });
    }
  });

  it("let services say more of their member, each key once", async (t) => {
    const greeting = { ...service(Greeter, {}), metadata: { "greeter.languages": "en,de" } };
    const [a, b] = await startMembers(t, {}, { services: [greeting] });
    assert.equal(a!.cut.lookup(b!.localAddress)!.text("greeter.languages"), "en,de");
    assert.equal(a!.cut.lookup(b!.localAddress)!.text("demo.Greeter"), "");
    const twice = createMesh({
      listen: LOOPBACK,
      services: [greeting],
      metadata: { "greeter.languages": "fr" },
    });
    await assert.rejects(twice, { code: "BLIP_INVALID_OPTIONS", field: 'metadata["greeter.languages"]' });
  });
});
