// What a member shows of itself by TLS, and whom it trusts. One object for the life of a member: connections that
// exist stay as they are, and whatever connects after a replacement goes by the new certificates.

import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";

/** Texts in PEM, and what is demanded of others. */
export interface TlsMaterial {
  /** This member's own certificate, followed by those between it and the authority; with its key. */
  readonly cert?: string;
  readonly key?: string;
  /** The authorities that others' certificates must come from; absent, those that Node knows. */
  readonly ca?: string;
  /** Callers must show a certificate. */
  readonly clientAuth: boolean;
  /** The DNS name that members' certificates are checked for; absent, it is the member's IP. */
  readonly serverName?: string;
}

export class TlsIdentity {
  #material: TlsMaterial;
  #client: SecureContext;
  readonly #replaced = new Set<() => void>();

  /** @throws what OpenSSL throws where a text cannot be used. */
  constructor(material: TlsMaterial) {
    this.#material = material;
    this.#client = createSecureContext(contextOf(material));
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** For connections to others. */
  get clientContext(): SecureContext {
    return this.#client;
  }

  /** For connections from others. */
  get serverOptions(): SecureContextOptions {
    return contextOf(this.#material);
  }

  /** @throws what OpenSSL throws where a text cannot be used; everything then stays as it was. */
  replace(material: TlsMaterial): void {
    this.#client = createSecureContext(contextOf(material));
    this.#material = material;
    for (const tell of this.#replaced) tell();
  }

  onReplaced(tell: () => void): void {
    this.#replaced.add(tell);
  }
}

function contextOf({ cert, key, ca }: TlsMaterial): SecureContextOptions {
  return {
    minVersion: "TLSv1.2",
    ...(cert !== undefined && { cert, key }),
    ...(ca !== undefined && { ca }),
  };
}
