// What a user may say of TLS, checked before anything listens: a certificate that others would refuse is refused
// here, with its name and what is wrong with it.

import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { addressOf, type Endpoint, ipOf } from "../core/endpoint.ts";
import {
  dateOf,
  isFor,
  nameIn,
  nameOfCertificate,
  notFor,
  readPem,
  TlsIdentity,
  type TlsMaterial,
} from "../grpc/index.ts";
import type { Authorize } from "./caller.ts";
import { BlipError, invalid } from "./errors.ts";

/** Certificates and keys in PEM, as text or as the bytes of a file. */
export interface Certificates {
  /** This member's certificate, followed by those between it and the authority, if any. */
  readonly cert?: string | Uint8Array;
  /** Its private key, not encrypted. */
  readonly key?: string | Uint8Array;
  /** The authorities that members' certificates must come from. Default: those that Node trusts. */
  readonly ca?: string | Uint8Array;
}

/** How a member speaks TLS. All that it serves and all that it calls goes over one port and by one certificate. */
export interface TlsOptions extends Certificates {
  /** Mutual TLS: callers must show a certificate that comes from `ca`. Default false: anybody may call. */
  readonly clientAuth?: boolean;
  /**
   * The DNS name that the certificates of all members have in common, and are checked for. Needed where there are
   * Rust members, which can check no IP. Default: each certificate has to be for its member's IP.
   */
  readonly serverName?: string;
  /**
   * Decides from a caller's certificate who may be a member and who may call what; asked before anything else is
   * done with a request. Needs `clientAuth`. Default: whoever has a certificate from `ca` may do everything.
   */
  readonly authorize?: Authorize;
  /** This member is reached in plaintext; TLS is for calling members that have it. Default false. */
  readonly plaintext?: boolean;
}

export interface CheckedTls {
  readonly identity: TlsIdentity;
  /** Others reach this member by TLS. */
  readonly isServed: boolean;
  readonly authorize: Authorize | undefined;
}

const NAMES = ["cert", "key", "ca", "clientAuth", "serverName", "authorize", "plaintext"];
const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?$/i;

/** @throws BlipError BLIP_INVALID_OPTIONS */
export function checkTls(given: unknown): CheckedTls | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== "object" || given === null) throw invalid("tls", "an object", given);
  for (const name of Object.keys(given)) {
    if (!NAMES.includes(name)) throw invalid(`tls.${name}`, `one of ${NAMES.join(", ")}`);
  }
  const { clientAuth = false, plaintext = false, serverName, authorize, ...pems } = given as TlsOptions;
  if (typeof clientAuth !== "boolean") throw invalid("tls.clientAuth", "true or false", clientAuth);
  if (typeof plaintext !== "boolean") throw invalid("tls.plaintext", "true or false", plaintext);
  if (serverName !== undefined && !(typeof serverName === "string" && HOST_NAME.test(serverName))) {
    throw invalid("tls.serverName", "a DNS name", serverName);
  }
  if (authorize !== undefined && typeof authorize !== "function") {
    throw invalid("tls.authorize", "a function", authorize);
  }
  if (authorize !== undefined && !clientAuth) {
    throw invalid(
      "tls.authorize",
      "clientAuth: true beside it, since without it no caller shows a certificate",
    );
  }
  if (plaintext && clientAuth) {
    throw invalid("tls.clientAuth", "no plaintext: true beside it: callers in plaintext show no certificate");
  }
  if (clientAuth && pems.ca === undefined) {
    throw invalid("tls.ca", "the authority that callers' certificates must come from; clientAuth needs it");
  }
  if (!plaintext && pems.cert === undefined) {
    throw invalid("tls.cert", "a certificate in PEM, or plaintext: true for a member reached without TLS");
  }
  const material = checkCertificates(pems, { clientAuth, ...(serverName !== undefined && { serverName }) });
  return { identity: identityOf(material), isServed: !plaintext, authorize };
}

/** New certificates in place of those of `identity`; what is not given stays. @throws BlipError */
export function replaceCertificates(
  identity: TlsIdentity,
  given: Certificates,
  self: Endpoint | undefined,
): void {
  if (typeof given !== "object" || given === null) throw invalid("certificates", "an object", given);
  for (const name of Object.keys(given)) {
    if (!["cert", "key", "ca"].includes(name)) throw invalid(`tls.${name}`, "one of cert, key, ca");
  }
  const material = checkCertificates({ ...identity.material, ...given }, identity.material);
  if (self !== undefined) checkIsFor(material, self);
  try {
    identity.replace(material);
  } catch (cause) {
    throw unusable(cause);
  }
}

/** Others will look whether the certificate is for this member; so it is looked at here first. */
export function checkIsFor({ cert, serverName }: TlsMaterial, self: Endpoint): void {
  if (cert === undefined) return;
  const own = readPem(cert)[0]!;
  const host = serverName ?? ipOf(self);
  if (isFor(own, host, serverName === undefined)) return;
  const why = serverName === undefined ? `the advertised ${addressOf(self)}` : "tls.serverName";
  throw invalid("tls.cert", `a certificate for ${why}: in ${nameOfCertificate(own)} ${notFor(own, host)}`);
}

/** What is strange about certificates that can be used all the same, or `undefined`. */
export function doubtAbout({ cert, ca }: TlsMaterial): string | undefined {
  if (cert === undefined || ca === undefined) return undefined;
  const authorities = readPem(ca);
  const chain = readPem(cert);
  const isIssued = chain.some((link) => authorities.some((authority) => isIssuedBy(link, authority)));
  if (isIssued) return undefined;
  const last = chain.at(-1)!;
  return (
    `tls.cert: ${nameOfCertificate(last)} was issued by ${JSON.stringify(nameIn(last.issuer))}, ` +
    "which is not in tls.ca: members that have the same tls.ca will refuse it"
  );
}

function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  if (certificate.fingerprint256 === authority.fingerprint256) return true;
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function checkCertificates(
  { cert, key, ca }: Certificates,
  demands: Pick<TlsMaterial, "clientAuth" | "serverName">,
): TlsMaterial {
  if (cert === undefined && key !== undefined)
    throw invalid("tls.cert", "the certificate that belongs to tls.key");
  if (cert !== undefined && key === undefined) throw invalid("tls.key", "the private key of tls.cert");
  const { clientAuth, serverName } = demands;
  return {
    clientAuth,
    ...(serverName !== undefined && { serverName }),
    ...(cert !== undefined && {
      cert: checkOwn(cert),
      key: checkKey(key, readPem(textOf("tls.cert", cert))[0]!),
    }),
    ...(ca !== undefined && { ca: checkAuthorities(ca) }),
  };
}

function checkOwn(pem: unknown): string {
  const text = textOf("tls.cert", pem);
  const [own] = certificatesIn("tls.cert", text);
  const now = Date.now();
  if (Date.parse(own.validTo) < now) {
    throw invalid(
      "tls.cert",
      `a valid certificate: ${nameOfCertificate(own)} expired on ${dateOf(own.validTo)}`,
    );
  }
  if (Date.parse(own.validFrom) > now) {
    const from = dateOf(own.validFrom);
    throw invalid("tls.cert", `a valid certificate: ${nameOfCertificate(own)} is not valid before ${from}`);
  }
  return text;
}

function checkKey(pem: unknown, own: X509Certificate): string {
  const text = textOf("tls.key", pem);
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (cause) {
    const isEncrypted = (cause as NodeJS.ErrnoException).code === "ERR_MISSING_PASSPHRASE";
    throw faulty("tls.key", `a private key in PEM${isEncrypted ? " that is not encrypted" : ""}`, cause);
  }
  if (!own.checkPrivateKey(key)) {
    throw invalid("tls.key", `the private key of tls.cert; it is not that of ${nameOfCertificate(own)}`);
  }
  return text;
}

function checkAuthorities(pem: unknown): string {
  const text = textOf("tls.ca", pem);
  const authorities = certificatesIn("tls.ca", text);
  for (const authority of authorities) {
    if (!authority.ca && authority.issuer !== authority.subject) {
      throw invalid("tls.ca", `authorities: ${nameOfCertificate(authority)} may not issue certificates`);
    }
  }
  const newest = authorities.reduce((a, b) => (Date.parse(b.validTo) > Date.parse(a.validTo) ? b : a));
  if (Date.parse(newest.validTo) < Date.now()) {
    const when = dateOf(newest.validTo);
    throw invalid("tls.ca", `an authority that is valid: ${nameOfCertificate(newest)} expired on ${when}`);
  }
  return text;
}

function textOf(field: string, pem: unknown): string {
  const text = pem instanceof Uint8Array ? Buffer.from(pem).toString("latin1") : pem;
  if (typeof text !== "string") throw invalid(field, "PEM, as text or bytes", pem);
  if (text.includes("-----BEGIN ")) return text;
  // What is no PEM may be anything, and a key must not end up in a log.
  throw invalid(field, "PEM (-----BEGIN …), not the name of a file nor DER");
}

function certificatesIn(field: string, text: string): [X509Certificate, ...X509Certificate[]] {
  let found: X509Certificate[];
  try {
    found = readPem(text);
  } catch (cause) {
    throw faulty(field, "certificates in PEM that can be read", cause);
  }
  const [first, ...more] = found;
  if (first === undefined) throw invalid(field, "a certificate in PEM (-----BEGIN CERTIFICATE-----)");
  return [first, ...more];
}

function identityOf(material: TlsMaterial): TlsIdentity {
  try {
    return new TlsIdentity(material);
  } catch (cause) {
    throw unusable(cause);
  }
}

function unusable(cause: unknown): BlipError {
  return faulty("tls", "certificates that OpenSSL can use", cause);
}

function faulty(field: string, expected: string, cause: unknown): BlipError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BlipError("BLIP_INVALID_OPTIONS", `${field}: expected ${expected}: ${why}`, { cause, field });
}
