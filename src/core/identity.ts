// As whom a joiner comes: a fingerprint of its uuid and metadata. Rust members vote on addresses alone, so where several
// incarnations of one process ask to be let in, its members may admit different ones (PITFALLS B3). Where all members run
// this library a vote says it too, and what is decided is the same for all.

import type { Endpoint } from "./endpoint.ts";
import { Fnv, uuidBytesOf } from "./hash.ts";
import type { Joiner, Proposal } from "./messages.ts";

const known = new WeakMap<Joiner, bigint>();

export function identityOf(joiner: Joiner): bigint {
  let identity = known.get(joiner);
  if (identity === undefined) {
    const hash = new Fnv().bytes(uuidBytesOf(joiner.uuid));
    for (const key of Object.keys(joiner.metadata).sort()) {
      for (const bytes of [bytesOf(key), joiner.metadata[key]!]) hash.usize(bytes.length).bytes(bytes);
    }
    identity = hash.digest();
    known.set(joiner, identity);
  }
  return identity;
}

/** The same value, which says as whom its joiners come, in their order. */
export function identified(value: Proposal, identities: readonly bigint[]): Proposal {
  return identities.length === 0 ? value : Object.assign([...value], { identities });
}

/**
 * False of a value that does not say as whom its joiners come, though all members vote on that. Rust members leave it out when
 * they tell the others on, and those tell on who were just let in, or are on their way in or out.
 */
export function isWhole(
  value: Proposal,
  members: { readonly isAllNode: boolean; has(node: Endpoint): boolean },
): boolean {
  return value.identities !== undefined || !members.isAllNode || value.every((node) => members.has(node));
}

/** The same value, with advice as whom its joiners come, in their order. */
export function advised(value: Proposal, advice: readonly bigint[]): Proposal {
  const { identities } = value;
  return advice.length === 0 ? value : Object.assign([...value], identities && { identities }, { advice });
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) {
    bytes[2 * i] = text.charCodeAt(i) & 0xff;
    bytes[2 * i + 1] = text.charCodeAt(i) >> 8;
  }
  return bytes;
}
