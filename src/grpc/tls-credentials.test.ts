// Connections by TLS that do not come about: each is told of in time, and leaves no socket behind.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { Authority } from "../../test/certificates.ts";
import { parseEndpoint } from "../core/endpoint.ts";
import { Channels } from "./channels.ts";
import { TlsIdentity } from "./tls-identity.ts";
import { unary } from "./unary.ts";

describe("a listener that takes connections and never speaks TLS", () => {
  it("is given up in time, and its socket with it", async (t) => {
    const { pem: ca } = await Authority.create("nobody");
    const taken: Socket[] = [];
    const server = createServer((socket) => taken.push(socket.resume().on("error", () => {})));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const { port } = server.address() as { port: number };

    const channels = new Channels({
      identity: new TlsIdentity({ ca, clientAuth: false }),
      connectTimeoutMs: 200,
    });
    t.after(() => channels.closeAll());
    const channel = channels.to(parseEndpoint(`tls://127.0.0.1:${port}`)!);
    const ended = await new Promise<{ code: number; details: string }>((resolve) => {
      unary(channel, "/blip.Membership/Probe", Buffer.alloc(0), 60_000, (code, details) =>
        resolve({ code, details }),
      );
    });
    assert.equal(ended.code, status.UNAVAILABLE);
    assert.equal(ended.details, "no connection within 200 ms");
    await Promise.all(taken.map((socket) => socket.closed || once(socket, "close")));
    assert.equal(channels.size, 0);
  });
});
