// Credentials for grpc-js that are read anew at each connection, so that replaced certificates take effect without
// a new channel, and that say why a connection was not made. Those of grpc-js are fixed, send an IP where TLS allows
// only names (RFC 6066), and tell OpenSSL's code and nothing of the certificate.

import type { Socket } from "node:net";
import { checkServerIdentity, connect, type TLSSocket } from "node:tls";
import { ChannelCredentials, credentials as grpcCredentials } from "@grpc/grpc-js";
import { addressOf, type Endpoint, ipOf, isTls } from "../core/endpoint.ts";
import { whyNot, wordsOfTls } from "./certificates.ts";
import type { TlsIdentity } from "./tls-identity.ts";

type Connector = ReturnType<ChannelCredentials["_createSecureConnector"]>;
type CallCredentials = ReturnType<Connector["getCallCredentials"]>;

/** How to speak to a member, as its endpoint says; without an identity, TLS with the authorities that Node knows. */
export function credentialsFor(endpoint: Endpoint, identity: TlsIdentity | undefined): ChannelCredentials {
  if (!isTls(endpoint)) return grpcCredentials.createInsecure();
  return identity === undefined ? grpcCredentials.createSsl() : new MemberCredentials(endpoint, identity);
}

class MemberCredentials extends ChannelCredentials {
  readonly #endpoint: Endpoint;
  readonly #identity: TlsIdentity;

  constructor(endpoint: Endpoint, identity: TlsIdentity) {
    super();
    this.#endpoint = endpoint;
    this.#identity = identity;
  }

  _isSecure(): boolean {
    return true;
  }

  _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  _createSecureConnector(_target: unknown, _options: unknown, calls?: CallCredentials): Connector {
    return {
      connect: async (socket) => ({
        socket: await secured(socket, this.#endpoint, this.#identity),
        secure: true,
      }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => calls ?? grpcCredentials.createEmpty(),
      destroy() {},
    };
  }
}

/** Rejects unless the other side has shown a certificate that is trusted and is its own. */
function secured(socket: Socket, endpoint: Endpoint, identity: TlsIdentity): Promise<TLSSocket> {
  const { serverName } = identity.material;
  const host = serverName ?? ipOf(endpoint);
  const fault = (words: string): Error => new Error(`TLS to ${addressOf(endpoint)}: ${words}`);
  return new Promise((resolve, reject) => {
    const secure = connect({
      socket,
      secureContext: identity.clientContext,
      host,
      ...(serverName !== undefined && { servername: serverName }),
      ALPNProtocols: ["h2"],
      checkServerIdentity: (_host, certificate) => checkServerIdentity(host, certificate),
      // Refused below all the same, but there the certificate can still be read.
      rejectUnauthorized: false,
    });
    // With TLS 1.3 the other side may refuse our certificate only after it has been connected to.
    secure.on("error", (error) => {
      error.message = fault(wordsOfTls(error)).message;
      reject(error);
    });
    secure.once("close", () => reject(fault("the connection was closed during the handshake")));
    secure.once("secureConnect", () => {
      const refusal = refusalOf(secure, host);
      if (refusal === undefined) return resolve(secure);
      // In an orderly way, so that the other side gets to see our certificate, and may say what it thinks of it.
      secure.end(() => {
        reject(fault(refusal));
        secure.destroy();
      });
    });
  });
}

function refusalOf(secure: TLSSocket, host: string): string | undefined {
  if (!secure.authorized) {
    const certificate = secure.getPeerX509Certificate();
    const code = String(secure.authorizationError);
    return certificate === undefined ? code : whyNot(certificate, code, host);
  }
  return secure.alpnProtocol === "h2" ? undefined : "it does not speak HTTP/2 (ALPN)";
}
