// Certificates in words: what one says of itself, and why one is not accepted, so that whoever reads a log knows
// which certificate to replace and which part of it is wrong.

import { X509Certificate } from "node:crypto";

/** What a certificate says of its bearer. */
export interface CertificateInfo {
  /** The common name, or the whole subject where there is none. */
  readonly name: string;
  /** The names, addresses and URIs it is for, as "DNS:a.example", "IP:10.0.0.7", "URI:spiffe://mesh/a". */
  readonly subjectAltNames: readonly string[];
  readonly issuer: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** SHA-256, as pairs of upper-case hex digits with colons between them. */
  readonly fingerprint256: string;
  readonly serialNumber: string;
  /** The certificate itself, in DER. */
  readonly raw: Uint8Array;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** All certificates in a PEM text, in their order. @throws where a block cannot be read. */
export function readPem(pem: string): X509Certificate[] {
  return (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block));
}

export function infoOf(certificate: X509Certificate): CertificateInfo {
  return {
    name: nameIn(certificate.subject),
    subjectAltNames: altNamesOf(certificate),
    issuer: nameIn(certificate.issuer),
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
    fingerprint256: certificate.fingerprint256,
    serialNumber: certificate.serialNumber,
    raw: certificate.raw,
  };
}

/** The common name of a distinguished name, or all of it. */
export function nameIn(distinguished: string | undefined): string {
  const whole = distinguished ?? "";
  return /^CN=(.*)$/m.exec(whole)?.[1] ?? (whole.replaceAll("\n", ", ") || "no name");
}

function altNamesOf({ subjectAltName }: X509Certificate): string[] {
  if (subjectAltName === undefined || subjectAltName === "") return [];
  return subjectAltName.split(/, (?=[A-Za-z ]+:)/).map((name) => name.replace(/^IP Address:/, "IP:"));
}

/** 'certificate "CN" (serial 0A)' */
export function nameOfCertificate(certificate: X509Certificate): string {
  return `certificate ${JSON.stringify(nameIn(certificate.subject))} (serial ${certificate.serialNumber})`;
}

/** Whether a certificate is for this name or IP. */
export function isFor(certificate: X509Certificate, host: string, isIp: boolean): boolean {
  return (isIp ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
}

/** What a certificate is for, where it was found not to be for `host`. */
export function notFor(certificate: X509Certificate, host: string): string {
  const names = altNamesOf(certificate);
  const found = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
  return `${host} is not among its subject alternative names; ${found}`;
}

/**
 * Why a certificate was not accepted: `code` is what the check of Node or OpenSSL said, `host` what the certificate
 * should be for.
 */
export function whyNot(certificate: X509Certificate, code: string, host = "this name"): string {
  return `${nameOfCertificate(certificate)}: ${faultOf(certificate, code, host)}`;
}

function faultOf(certificate: X509Certificate, code: string, host: string): string {
  const issuer = JSON.stringify(nameIn(certificate.issuer));
  const now = Date.now();
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return Date.parse(certificate.validTo) < now
        ? `it expired on ${dateOf(certificate.validTo)}`
        : `the certificate of its issuer ${issuer} expired`;
    case "CERT_NOT_YET_VALID":
      return Date.parse(certificate.validFrom) > now
        ? `it is not valid before ${dateOf(certificate.validFrom)}; is a clock wrong?`
        : `the certificate of its issuer ${issuer} is not valid yet; is a clock wrong?`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "it is signed by itself, and is none of the authorities in tls.ca";
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return `its issuer ${issuer} is none of the authorities in tls.ca, nor issued by one`;
    case "CERT_SIGNATURE_FAILURE":
      return `the authority ${issuer} in tls.ca has this name but another key: it did not sign it`;
    case "INVALID_PURPOSE":
      return "it is not for this use (extended key usage); members need both serverAuth and clientAuth";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return notFor(certificate, host);
    default:
      return code;
  }
}

export function dateOf(text: string): string {
  return new Date(text).toISOString().replace(".000Z", "Z");
}

/** What went wrong between two ends that speak TLS, in the words of those who have to set it right. */
export function wordsOfTls({ code = "", message }: NodeJS.ErrnoException): string {
  for (const [pattern, words] of TLS_FAULTS) if (pattern.test(`${code} ${message}`)) return words;
  return message;
}

const TLS_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/wrong version number|packet length too long|record layer failure/i, "it does not speak TLS"],
  [/ERR_SSL_HTTP_REQUEST|http request/i, "it does not speak TLS"],
  [/certificate required/i, "it demands a certificate, and we showed none: tls.cert, tls.key"],
  [/alert unknown ca/i, "it does not know the authority that issued our certificate"],
  [/alert certificate expired/i, "it says that our certificate has expired"],
  [/alert (bad|unsupported) certificate|alert certificate unknown/i, "it does not accept our certificate"],
  [/alert decrypt error|alert access denied/i, "it does not accept our certificate"],
  [/no application protocol/i, "it does not speak HTTP/2 over TLS"],
  [/protocol version|unsupported protocol/i, "it speaks no version of TLS from 1.2 on"],
];
