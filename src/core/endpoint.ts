// Who a member is: its address, and whether it speaks TLS. An Endpoint is canonical text ("10.0.0.7:4000",
// "tls://[::1]:4000"), so that equal endpoints are equal strings and serve as keys; only well-formed ones exist.

/** The identity of a member in a configuration: host, port and TLS flag (PROTOCOL §3). */
export type Endpoint = string & { readonly __endpoint: true };

/** One incarnation of a member: 32 lower-case hex digits, so that text order is the order of the u128. */
export type NodeId = string & { readonly __nodeId: true };

const TLS = "tls://";

/**
 * Makes an Endpoint of the bytes that travel on the wire. `undefined` where they cannot be one: the host must
 * have 4 or 16 bytes and the port must fit 16 bits.
 */
export function endpointOf(host: Uint8Array, port: number, tls: boolean): Endpoint | undefined {
  if (host.length !== 4 && host.length !== 16) return undefined;
  if (!Number.isInteger(port) || port < 0 || port > 65535) return undefined;
  const ip = host.length === 4 ? host.join(".") : `[${formatIpv6(host)}]`;
  return `${tls ? TLS : ""}${ip}:${port}` as Endpoint;
}

/** Reads "IP:PORT" or "[IPv6]:PORT", with or without "tls://". `undefined` where the text is no such address. */
export function parseEndpoint(text: string, tls: boolean = text.startsWith(TLS)): Endpoint | undefined {
  const address = text.startsWith(TLS) ? text.slice(TLS.length) : text;
  const split = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(address);
  if (split === null) return undefined;
  const host = split[1] === undefined ? parseIpv4(split[2]!) : parseIpv6(split[1]);
  return host && endpointOf(host, Number(split[3]), tls);
}

/** The host as it travels: 4 or 16 bytes in network order. */
export function hostOf(endpoint: Endpoint): Uint8Array {
  const ip = ipOf(endpoint);
  return ip.includes(":") ? parseIpv6(ip)! : parseIpv4(ip)!;
}

/** The IP as text, IPv6 without brackets. */
export function ipOf(endpoint: Endpoint): string {
  const address = addressOf(endpoint);
  return address.startsWith("[")
    ? address.slice(1, address.lastIndexOf("]"))
    : address.slice(0, address.lastIndexOf(":"));
}

export function portOf(endpoint: Endpoint): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}

export function isTls(endpoint: Endpoint): boolean {
  return endpoint.startsWith(TLS);
}

/** "ip:port" without the TLS flag, as the crate prints a SocketAddr. */
export function addressOf(endpoint: Endpoint): string {
  return isTls(endpoint) ? endpoint.slice(TLS.length) : endpoint;
}

/** The order of proposals on the wire: host bytes (a prefix first), then port, then plain before TLS (PROTOCOL §3). */
export function compareEndpoints(a: Endpoint, b: Endpoint): number {
  if (a === b) return 0;
  return compareBytes(hostOf(a), hostOf(b)) || portOf(a) - portOf(b) || Number(isTls(a)) - Number(isTls(b));
}

/** The order in which a cut lists members: IPv4 before IPv6, then address, then port, as std's SocketAddr. */
export function compareAddresses(a: Endpoint, b: Endpoint): number {
  if (a === b) return 0;
  const hostA = hostOf(a);
  const hostB = hostOf(b);
  return hostA.length - hostB.length || compareEndpoints(a, b);
}

/** A list that may be voted on: not empty, in ascending Endpoint order, nothing twice. */
export function isProposal(endpoints: readonly Endpoint[]): boolean {
  for (let i = 1; i < endpoints.length; i++) {
    if (compareEndpoints(endpoints[i - 1]!, endpoints[i]!) >= 0) return false;
  }
  return endpoints.length > 0;
}

export function nodeIdOf(high: bigint, low: bigint): NodeId {
  return (high.toString(16).padStart(16, "0") + low.toString(16).padStart(16, "0")) as NodeId;
}

/** The two halves of the u128, as they travel. */
export function halvesOf(uuid: NodeId): { readonly high: bigint; readonly low: bigint } {
  return { high: BigInt(`0x${uuid.slice(0, 16)}`), low: BigInt(`0x${uuid.slice(16)}`) };
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const host = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    // Leading zeroes are refused: some readers take "010" for eight.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    host[i] = Number(part);
  }
  return host;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const host = new Uint8Array(16);
  for (const [i, group] of [...head, ...new Array<number>(missing).fill(0), ...tail].entries()) {
    host[2 * i] = group >> 8;
    host[2 * i + 1] = group & 0xff;
  }
  return host;
}

/** `isEnd`: only the end of an address may be written with dots. */
function groupsOf(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (isEnd && i === parts.length - 1 && part.includes(".")) {
      const v4 = parseIpv4(part);
      if (v4 === undefined) return undefined;
      groups.push((v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** RFC 5952, with the dotted form for IPv4-mapped addresses, as Rust prints them. */
function formatIpv6(host: Uint8Array): string {
  const mapped = host.subarray(0, 10).every((byte) => byte === 0) && host[10] === 0xff && host[11] === 0xff;
  if (mapped) return `::ffff:${host.subarray(12).join(".")}`;
  const groups = Array.from({ length: 8 }, (_, i) => (host[2 * i]! << 8) | host[2 * i + 1]!);
  let start = 0;
  let longest = 0;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > longest) {
      start = i;
      longest = end - i;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (longest < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + longest).join(":")}`;
}
