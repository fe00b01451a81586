// Where members are, and what they missed, between data and bytes (proto/blip_ext.proto). Lists are bounded by the size
// of a message; what they claim is checked by the core, against the members of the configuration that they speak of.

import { create, toBinary } from "@bufbuild/protobuf";
import type { Endpoint } from "../core/endpoint.ts";
import type { Certificate, Compare, Compared, Joiner } from "../core/messages.ts";
import * as wire from "./fields.ts";
import * as ext from "./gen/blip_ext_pb.ts";

export function encodeCompare({ sender, configuration, past, uuid }: Compare): Buffer {
  const message = create(ext.CompareRequestSchema, {
    sender: wire.writeEndpoint(sender),
    confId: configuration,
    past: [...past],
    ...(uuid !== undefined && { uuid: wire.writeNodeId(uuid) }),
  });
  return wire.bufferOf(toBinary(ext.CompareRequestSchema, message));
}

export function decodeCompare(bytes: Uint8Array): Compare {
  const { sender, confId, past, uuid } = wire.fromBytes(ext.CompareRequestSchema, bytes);
  const compare = {
    kind: "compare" as const,
    sender: wire.readEndpoint(sender),
    configuration: confId,
    past,
  };
  return uuid === undefined ? compare : { ...compare, uuid: wire.readNodeId(uuid) };
}

export function encodeCompared(reply: Compared): Buffer {
  const message = create(ext.CompareResponseSchema, {
    sender: wire.writeEndpoint(reply.sender),
    confId: reply.configuration,
    size: reply.size,
    isMember: reply.isMember,
    wasMember: reply.wasMember,
    chain: reply.chain.map(writeCertificate),
    contacts: reply.contacts.map(wire.writeEndpoint),
    replaced: [...reply.replaced],
    hasAdmitted: reply.hasAdmitted,
  });
  return wire.bufferOf(toBinary(ext.CompareResponseSchema, message));
}

/** @throws Malformed */
export function decodeCompared(bytes: Uint8Array): Compared {
  const message = wire.fromBytes(ext.CompareResponseSchema, bytes);
  return {
    kind: "compared",
    sender: wire.readEndpoint(message.sender),
    configuration: message.confId,
    size: message.size,
    isMember: message.isMember,
    wasMember: message.wasMember,
    chain: message.chain.map(readCertificate),
    contacts: message.contacts.map(wire.readEndpoint),
    replaced: message.replaced,
    hasAdmitted: message.hasAdmitted,
  };
}

function writeCertificate({ configuration, value, joiners, rank, voters }: Certificate) {
  return {
    confId: configuration,
    value: value.map(wire.writeEndpoint),
    joiners: [...joiners].map(([node, { uuid, metadata }]) => ({
      node: wire.writeEndpoint(node),
      uuid: wire.writeNodeId(uuid),
      metadata: wire.writeMetadata(metadata),
    })),
    round: rank.round,
    nodeIdx: rank.nodeIndex,
    voters: voters.map(wire.writeEndpoint),
  };
}

function readCertificate(message: ext.Certificate): Certificate {
  const joiners = message.joiners.map(({ node, uuid, metadata }): [Endpoint, Joiner] => [
    wire.readEndpoint(node),
    { uuid: wire.readNodeId(uuid), metadata: wire.readMetadata(metadata) },
  ]);
  return {
    configuration: message.confId,
    value: wire.readProposal(message.value),
    joiners: new Map(joiners),
    rank: { round: message.round, nodeIndex: message.nodeIdx },
    voters: message.voters.map(wire.readEndpoint),
  };
}
