// The values inside messages, between how they travel and how the core has them. Every reading either yields a
// well-formed value or throws the refusal that answers it, which `codec.ts` catches at its edge.

import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import {
  type Endpoint,
  endpointOf,
  halvesOf,
  hostOf,
  isProposal,
  isTls,
  type NodeId,
  nodeIdOf,
  portOf,
} from "../core/endpoint.ts";
import { advised, identified } from "../core/identity.ts";
import type { Joiner, Metadata, Proposal, Rank, Refused } from "../core/messages.ts";
import { refuse, refused } from "../core/refusals.ts";
import { hasTooManyItems } from "./item-limit.ts";

/** A required field may be missing on the wire and then stands for its default, as prost reads it. */
type Lenient<T> = { readonly [field in keyof T]?: T[field] } | undefined;

export interface WireEndpoint {
  host: Uint8Array;
  port: number;
  tls: boolean;
}
export interface WireNodeId {
  high: bigint;
  low: bigint;
}
export interface WireRank {
  round: number;
  nodeIdx: bigint;
}
export interface WireMetadata {
  keys: { [key: string]: Uint8Array };
}

/** Keys and values of one member, together. */
export const METADATA_BYTES_MAX: number = 1024 * 1024;

const NOTHING = new Uint8Array(0);
const NO_METADATA: Metadata = Object.freeze(Object.create(null));

const tooLarge = refused("resource_exhausted", "the message has too many parts");

/** What is thrown while reading a message that has to be refused. */
export class Malformed extends Error {
  readonly refusal: Refused;

  constructor(refusal: Refused) {
    super(refusal.why);
    this.refusal = refusal;
  }
}

/** Decodes, and says of bytes that are no such message what tonic says of them. */
export function fromBytes<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  if (hasTooManyItems(schema, bytes)) throw new Malformed(tooLarge);
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Malformed(refused("internal", `failed to decode Protobuf message: ${why}`));
  }
}

/** What was read, or the refusal that reading came to. */
export function parsed<T>(read: () => T): T | Refused {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return error.refusal;
    throw error;
  }
}

/** The same bytes as a Buffer, which is what gRPC takes. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function writeEndpoint(endpoint: Endpoint): WireEndpoint {
  return { host: hostOf(endpoint), port: portOf(endpoint), tls: isTls(endpoint) };
}

export function readEndpoint(wire: Lenient<WireEndpoint>): Endpoint {
  const endpoint = endpointOf(wire?.host ?? NOTHING, wire?.port ?? 0, wire?.tls ?? false);
  if (endpoint === undefined) throw new Malformed(refuse.invalidEndpoint);
  return endpoint;
}

export function writeNodeId(uuid: NodeId): WireNodeId {
  return halvesOf(uuid);
}

export function readNodeId(wire: Lenient<WireNodeId>): NodeId {
  return nodeIdOf(wire?.high ?? 0n, wire?.low ?? 0n);
}

export function writeRank(rank: Rank): WireRank {
  return { round: rank.round, nodeIdx: rank.nodeIndex };
}

export function readRank(wire: Lenient<WireRank>): Rank {
  return { round: wire?.round ?? 0, nodeIndex: wire?.nodeIdx ?? 0n };
}

export function writeMetadata(metadata: Metadata): WireMetadata {
  return { keys: metadata };
}

/** Values are copied, since what protobuf reads is a window on the whole frame and would keep all of it alive. */
export function readMetadata(wire: Lenient<WireMetadata>): Metadata {
  const keys = wire?.keys;
  if (keys === undefined) return NO_METADATA;
  const metadata: { [key: string]: Uint8Array } = Object.create(null);
  let bytes = 0;
  for (const key of Object.keys(keys)) {
    const value = keys[key]!;
    bytes += Buffer.byteLength(key) + value.length;
    if (bytes > METADATA_BYTES_MAX) {
      throw new Malformed(refused("invalid_argument", `metadata exceeds ${METADATA_BYTES_MAX} bytes`));
    }
    metadata[key] = new Uint8Array(value);
  }
  return Object.freeze(metadata);
}

export function writeJoiner(joiner: Joiner): { uuid: WireNodeId; meta: WireMetadata } {
  return { uuid: writeNodeId(joiner.uuid), meta: writeMetadata(joiner.metadata) };
}

/** Rings are small numbers; one that is not is turned into a number that no mesh has, for the core to refuse. */
export function readRing(ring: bigint | undefined): number {
  return ring === undefined ? 0 : ring < 0x7fff_ffffn ? Number(ring) : 0x7fff_ffff;
}

export function writeNodes(value: Proposal): WireEndpoint[] {
  return value.map(writeEndpoint);
}

/** None where the value does not say as whom its joiners come. */
export function writeIdentities(value: Proposal): bigint[] {
  return [...(value.identities ?? [])];
}

/** As whom joiners come, as messages of classic rounds say it. */
export function writeJoiners(value: Proposal): { identities: bigint[]; advice: bigint[] } {
  return { identities: writeIdentities(value), advice: [...(value.advice ?? [])] };
}

export function readProposal(
  wire: readonly Lenient<WireEndpoint>[],
  identities: readonly bigint[] = [],
  advice: readonly bigint[] = [],
): Proposal {
  const value = wire.map(readEndpoint);
  if (!isProposal(value)) throw new Malformed(refuse.invalidProposal);
  return advised(identified(value, identities), advice);
}
