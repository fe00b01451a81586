// FNV-1a over the bytes that Rust's `Hash` feeds (PROTOCOL §4): ring order and configuration ids depend on it, so
// every bit matters. The 64-bit state is kept in two halves, which is an order of magnitude faster than BigInt.

import { type Endpoint, hostOf, isTls, type NodeId, portOf } from "./endpoint.ts";

export class Fnv {
  hi = 0xcbf29ce4;
  lo = 0x84222325;

  bytes(bytes: Uint8Array): this {
    let { hi, lo } = this;
    for (let i = 0; i < bytes.length; i++) {
      lo = (lo ^ bytes[i]!) >>> 0;
      // The prime is 2^40 + 0x1b3: the low product carries into the high half, the 2^40 shifts low by 8 into it.
      const product = lo * 0x1b3;
      const low = product >>> 0;
      hi = (hi * 0x1b3 + (product - low) / 0x1_0000_0000 + ((lo << 8) >>> 0)) >>> 0;
      lo = low;
    }
    this.hi = hi;
    this.lo = lo;
    return this;
  }

  /** A usize: eight bytes, little end first. */
  usize(value: number): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, value, true);
    return this.bytes(bytes);
  }

  digest(): bigint {
    return (BigInt(this.hi) << 32n) | BigInt(this.lo);
  }
}

/** What an Endpoint feeds to a hash: the host with its length, the port, the TLS flag; 17 or 29 bytes. */
export function hashBytesOf(endpoint: Endpoint): Uint8Array {
  const host = hostOf(endpoint);
  const bytes = new Uint8Array(8 + host.length + 5);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, host.length, true);
  bytes.set(host, 8);
  view.setUint32(8 + host.length, portOf(endpoint), true);
  bytes[8 + host.length + 4] = isTls(endpoint) ? 1 : 0;
  return bytes;
}

/** What a NodeId feeds to a hash: 16 bytes, little end first. */
export function uuidBytesOf(uuid: NodeId): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i++) bytes[i] = Number.parseInt(uuid.slice(30 - 2 * i, 32 - 2 * i), 16);
  return bytes;
}

/** The coordinator's part of a rank. */
export function nodeIndexOf(endpoint: Endpoint): bigint {
  return new Fnv().bytes(hashBytesOf(endpoint)).digest();
}
