// Configurations of any size for tests, and the names in them: members at 10.0.x.y:9000 and their incarnations.

import { type Endpoint, endpointOf, type NodeId, nodeIdOf } from "../../src/core/endpoint.ts";
import { identified, identityOf } from "../../src/core/identity.ts";
import { type Joiner, type Metadata, PEER_SERVICE, type Proposal } from "../../src/core/messages.ts";
import { View } from "../../src/core/view.ts";

export const K = 10;

/** The i-th member, or one to be. */
export function host(i: number): Endpoint {
  return endpointOf(new Uint8Array([10, 0, i >> 8, i & 255]), 9000, false)!;
}

export function hosts(count: number, from = 0): readonly Endpoint[] {
  return Array.from({ length: count }, (_, i) => host(from + i));
}

export function uuid(i: number): NodeId {
  return nodeIdOf(7n, BigInt(i));
}

/** What a member of this library says of itself, and with it what tests add. */
export function nodeMetadata(more: Readonly<Record<string, string>> = {}): Metadata {
  const metadata: Record<string, Uint8Array> = Object.create(null);
  metadata[PEER_SERVICE] = new TextEncoder().encode("1");
  for (const [key, text] of Object.entries(more)) metadata[key] = new TextEncoder().encode(text);
  return metadata;
}

/** What a Rust member says of itself. */
export const foreignMetadata: Metadata = Object.create(null);

export function joiner(i: number, metadata: Metadata = nodeMetadata()): Joiner {
  return { uuid: uuid(i), metadata };
}

/** A configuration of these hosts, in which host i came with uuid i. */
export function viewAmong(indices: readonly number[], isForeign: (i: number) => boolean = () => false): View {
  const records = indices.map((i) => ({
    endpoint: host(i),
    uuid: uuid(i),
    metadata: isForeign(i) ? foreignMetadata : nodeMetadata(),
  }));
  return View.of(
    K,
    records,
    indices.map((i) => uuid(i)),
  );
}

export function viewOfSize(size: number, isForeign?: (i: number) => boolean): View {
  return viewAmong(
    Array.from({ length: size }, (_, i) => i),
    isForeign,
  );
}

/** The incarnation in which host i comes when it joins, with uuid i. */
export function joinerAt(node: Endpoint): Joiner {
  return joiner(Number(node.split(/[.:]/)[2]) * 256 + Number(node.split(/[.:]/)[3]));
}

/** The value as members of this view vote for it: where all are of this library they say as whom its joiners come. */
export function asVoted(
  view: View,
  value: Proposal,
  joinerOf: (node: Endpoint) => Joiner = joinerAt,
): Proposal {
  if (!view.isAllNode) return value;
  return identified(
    value,
    value.filter((node) => !view.has(node)).map((node) => identityOf(joinerOf(node))),
  );
}
