// "host:port" as users write it, and the addresses that its host stands for. On the wire there are only addresses;
// names end here.

import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { type Endpoint, parseEndpoint } from "../core/endpoint.ts";

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

/** Multicast or broadcast, in IPv4, IPv6, or IPv4 as IPv6. */
const OF_MANY = new BlockList();
OF_MANY.addSubnet("224.0.0.0", 4);
OF_MANY.addAddress("255.255.255.255");
OF_MANY.addSubnet("ff00::", 8, "ipv6");

/** An address of many machines, to none of which one can connect. A name is none of these. */
export function isOfMany(host: string): boolean {
  const version = isIP(host);
  return version !== 0 && OF_MANY.check(host, version === 6 ? "ipv6" : "ipv4");
}
