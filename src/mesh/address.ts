// "host:port" as users write it, and the addresses that its host stands for. On the wire there are only addresses;
// names end here.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type Endpoint, hostOf, parseEndpoint } from "../core/endpoint.ts";

export interface HostPort {
  /** A name, or an IP (IPv6 without brackets). */
  readonly host: string;
  readonly port: number;
}

/** Names as in DNS; the last part must not look like the end of an IPv4 address. */
const NAME = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z_]([a-z0-9_-]*[a-z0-9_])?\.?$/i;

/** Reads "host:port", "1.2.3.4:port" or "[::1]:port". `undefined` where the text is none of these. */
export function parseHostPort(text: string): HostPort | undefined {
  const split = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (split === null) return undefined;
  const [, bracketed, plain, digits] = split;
  const port = Number(digits);
  if (port > 65535) return undefined;
  // The wire has no place for a scope such as %eth0.
  if (bracketed !== undefined) {
    return isIP(bracketed) === 6 && !bracketed.includes("%") ? { host: bracketed, port } : undefined;
  }
  return isIP(plain!) === 4 || NAME.test(plain!) ? { host: plain!, port } : undefined;
}

/** The endpoint at this address, or `undefined` where the host is a name. */
export function endpointAt({ host, port }: HostPort): Endpoint | undefined {
  return parseEndpoint(isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`, false);
}

/** Every address of this host, IPv4 first, asked anew each time. @throws what the lookup throws. */
export async function resolveAll(at: HostPort): Promise<Endpoint[]> {
  const known = endpointAt(at);
  if (known !== undefined) return [known];
  const found = await lookup(at.host, { all: true, order: "ipv4first" });
  const endpoints = found.map(({ address }) => endpointAt({ host: address, port: at.port }));
  return endpoints.filter((endpoint) => endpoint !== undefined);
}

/** 0.0.0.0 or ::, at which one can listen but nobody can be reached. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || (isIP(host) === 6 && /^[0:]+$/.test(host));
}

/** Multicast or broadcast: many machines, to none of which one can connect. A name is none of these. */
export function isOfMany({ host, port }: HostPort): boolean {
  const endpoint = endpointAt({ host, port });
  const bytes = endpoint === undefined ? new Uint8Array() : hostOf(endpoint);
  const isMapped =
    bytes.length === 16 && bytes.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 255));
  if (bytes.length === 16 && !isMapped) return bytes[0] === 0xff;
  const ipv4 = bytes.subarray(-4);
  return (
    (ipv4[0] !== undefined && ipv4[0] >> 4 === 0xe) || (ipv4.length > 0 && ipv4.every((byte) => byte === 255))
  );
}
