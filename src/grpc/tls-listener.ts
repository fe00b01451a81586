// The listening end of TLS: hands connections of accepted callers to the server, and strangers to where they are
// told why they are none.

import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { whyNot, wordsOfTls } from "./certificates.ts";
import { refuseStranger } from "./stranger.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** Nobody needs longer for two round trips. */
const HANDSHAKE_MS = 10_000;

export interface TlsListenerEvents {
  /** Somebody connected, and is not secure yet. */
  readonly connected: (socket: Socket) => void;
  /** Ready to be spoken to over HTTP/2. */
  readonly secured: (socket: TLSSocket) => void;
  readonly refused: (from: string, why: string) => void;
}

export function createTlsListener(identity: TlsIdentity, events: TlsListenerEvents): Server {
  const server = createServer({
    ...identity.serverOptions,
    requestCert: identity.material.clientAuth,
    // Refused below all the same, but with a reason.
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    handshakeTimeout: HANDSHAKE_MS,
    noDelay: true,
  });
  identity.onReplaced(() => server.setSecureContext(identity.serverOptions));
  server.on("connection", events.connected);
  server.on("tlsClientError", (error, socket) => {
    // Who hangs up during the handshake may have found our certificate wrong, and says so himself.
    if (!isHangup(error)) events.refused(socket.remoteAddress ?? "somebody", wordsOfTls(error));
  });
  server.on("secureConnection", (socket) => {
    const why = identity.material.clientAuth && !socket.authorized ? reasonFor(socket) : undefined;
    if (why === undefined) return events.secured(socket);
    socket.on("error", () => {});
    events.refused(socket.remoteAddress ?? "somebody", why);
    refuseStranger(socket, why);
  });
  return server;
}

function reasonFor(socket: TLSSocket): string {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return "a certificate is demanded of callers, and none was shown";
  return whyNot(certificate, String(socket.authorizationError));
}

function isHangup({ code }: NodeJS.ErrnoException): boolean {
  return code === "ECONNRESET" || code === "EPIPE";
}
