// A caller whose certificate is not accepted. It is let through to an HTTP/2 session of its own, apart from the
// server, in which every call is answered with the reason: the bare end of a connection would tell it nothing.

import { performServerHandshake } from "node:http2";
import type { Socket } from "node:net";
import { status } from "@grpc/grpc-js";

/** How long it may take to ask, and to read the answer. */
const PATIENCE_MS = 3000;
const STREAMS_MAX = 4;

export function refuseStranger(socket: Socket, why: string): void {
  const session = performServerHandshake(socket, { settings: { maxConcurrentStreams: STREAMS_MAX } });
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS).unref();
  session.on("error", () => socket.destroy());
  session.once("close", () => clearTimeout(timer));
  session.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.respond(
      {
        ":status": 200,
        "content-type": "application/grpc+proto",
        "grpc-status": String(status.UNAUTHENTICATED),
        // Names in certificates may be any bytes; half of a surrogate pair could not be encoded.
        "grpc-message": encodeURI(Buffer.from(why).toString()),
      },
      { endStream: true },
    );
  });
}
