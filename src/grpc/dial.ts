// An attempt to connect that says nothing: whether anybody takes connections at an address. Only what the other side's
// kernel answers counts. "Connection refused" is such an answer; a connection that does not come about may be due to
// a full queue there or a broken network, and every other error is one of our own (no route, no descriptors, no port
// left).

import { connect } from "node:net";
import type { Found } from "../core/doorway.ts";
import { type Endpoint, ipOf, portOf } from "../core/endpoint.ts";

const DIAL_TIMEOUT_MS = 500;

/** Tells once, later. The returned function calls it off: then `unknown` is told. */
export function dial(at: Endpoint, dialled: (found: Found) => void): () => void {
  let isOver = false;
  const end = (found: Found): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    socket.destroy();
    dialled(found);
  };
  const socket = connect({ host: ipOf(at), port: portOf(at) });
  const timer = setTimeout(end, DIAL_TIMEOUT_MS, "unknown");
  socket.once("connect", () => end("accepted"));
  // It stays: a socket that is destroyed while it connects may have one more error to tell.
  socket.on("error", (error: NodeJS.ErrnoException) =>
    end(error.code === "ECONNREFUSED" ? "refused" : "unknown"),
  );
  return () => end("unknown");
}
