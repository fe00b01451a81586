/**
 * Certificates for tests, made when they are needed: an authority, and what it issues. Nothing of this is kept in a
 * file, so nothing of it expires.
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

type KeyPair = webcrypto.CryptoKeyPair;

// The package is typed against the browser's names for the same things.
cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0]);
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR_MS = 3_600_000;

/** The DNS name that certificates of members have in common, which Rust members look for. */
export const SHARED_NAME = "members.test";

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  readonly name: string;
  /** Default: 127.0.0.1, ::1 and the shared name. */
  readonly ips?: readonly string[];
  readonly dns?: readonly string[];
  readonly uris?: readonly string[];
  /** When it becomes valid and when it expires, in milliseconds from now. Default: an hour ago, in an hour. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  readonly usages?: readonly ("serverAuth" | "clientAuth")[];
}

export class Authority {
  readonly name: string;
  /** Its own certificate. */
  readonly pem: string;
  readonly #certificate: X509Certificate;
  readonly #keys: KeyPair;

  private constructor(name: string, certificate: X509Certificate, keys: KeyPair) {
    this.name = name;
    this.pem = certificate.toString("pem");
    this.#certificate = certificate;
    this.#keys = keys;
  }

  static async create(name: string): Promise<Authority> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - 48 * HOUR_MS),
      notAfter: new Date(Date.now() + 48 * HOUR_MS),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new Authority(name, certificate, keys);
  }

  async issue({ name, fromMs = -HOUR_MS, untilMs = HOUR_MS, ...more }: Wanted): Promise<Issued> {
    const { ips = ["127.0.0.1", "::1"], dns = [SHARED_NAME], uris = [] } = more;
    const { usages = ["serverAuth", "clientAuth"] } = more;
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: this.#certificate.subject,
      notBefore: new Date(Date.now() + fromMs),
      notAfter: new Date(Date.now() + untilMs),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension(usages.map((usage) => ExtendedKeyUsage[usage])),
        new SubjectAlternativeNameExtension([
          ...ips.map((value) => ({ type: "ip" as const, value })),
          ...dns.map((value) => ({ type: "dns" as const, value })),
          ...uris.map((value) => ({ type: "url" as const, value })),
        ]),
      ],
    });
    const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    return { cert: certificate.toString("pem"), key: PemConverter.encode(key, "PRIVATE KEY") };
  }
}

function newKeys(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<KeyPair>;
}
