// Messages between data and bytes (PROTOCOL §2). This is where bad input is refused: what decodes is well-formed.
// Every required field is written, zero or not; a missing one is read as its default, as the crate's prost does.

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Refused, Reply, Request } from "../core/messages.ts";
import { ack, type Broadcast, type Edge, type Gossip, type Joined } from "../core/messages.ts";
import { refuse, refused } from "../core/refusals.ts";
import { View } from "../core/view.ts";
import { decodeCompare, decodeCompared, encodeCompare, encodeCompared } from "./compare-codec.ts";
import * as wire from "./fields.ts";
import * as blip from "./gen/blip_pb.ts";
import type { Kind } from "./methods.ts";
import { decodeOrder, encodeOrder } from "./order-codec.ts";
import { decodeLeave, encodeLeave } from "./peer-codec.ts";

type Body = blip.BroadcastReq["broadcasted"];

/** Requests never change and one goes to many peers: each is encoded once, and relayed in the bytes it came in. */
const requestBytes = new WeakMap<Request, Buffer>();

/** Many joiners are told of the same view. */
const viewBytes = new WeakMap<View, { readonly sender: string; readonly bytes: Buffer }>();

const EMPTY = Buffer.alloc(0);

export function encodeRequest(request: Request): Buffer {
  const known = requestBytes.get(request);
  if (known !== undefined) return known;
  const bytes = writeRequest(request);
  requestBytes.set(request, bytes);
  return bytes;
}

export function decodeRequest(kind: Kind, bytes: Uint8Array): Request | Refused {
  return wire.parsed(() => readRequest(kind, bytes));
}

export function encodeReply(reply: Exclude<Reply, Refused>): Buffer {
  switch (reply.kind) {
    case "ack":
      return EMPTY;
    case "contacts":
      return toBytes(blip.PreJoinRespSchema, {
        sender: wire.writeEndpoint(reply.sender),
        confId: reply.configuration,
        contact: reply.observers.map(wire.writeEndpoint),
        nodeRings: [...(reply.nodeRings ?? [])],
      });
    case "joined":
      return writeJoined(reply);
    case "compared":
      return encodeCompared(reply);
  }
}

/** `observers` is K of this mesh: the wire does not say it, and a view cannot be made without. */
export function decodeReply(kind: Kind, bytes: Uint8Array, observers: number): Reply {
  return wire.parsed(() => {
    switch (kind) {
      case "preJoin": {
        const { sender, confId, contact, nodeRings } = wire.fromBytes(blip.PreJoinRespSchema, bytes);
        return {
          kind: "contacts",
          sender: wire.readEndpoint(sender),
          configuration: confId ?? 0n,
          observers: contact.map(wire.readEndpoint),
          ...(nodeRings.length > 0 && { nodeRings }),
        };
      }
      case "join":
        return readJoined(bytes, observers);
      case "compare":
        return decodeCompared(bytes);
      default:
        // An Ack has no fields, and whatever else a peer may put in it does not concern us.
        return ack;
    }
  });
}

function toBytes<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Buffer {
  return wire.bufferOf(toBinary(schema, create(schema, init)));
}

function writeRequest(request: Request): Buffer {
  switch (request.kind) {
    case "probe":
      return EMPTY;
    case "preJoin":
      return toBytes(blip.PreJoinReqSchema, {
        sender: wire.writeEndpoint(request.sender),
        uuid: wire.writeNodeId(request.uuid),
      });
    case "join":
      return toBytes(blip.JoinReqSchema, {
        sender: wire.writeEndpoint(request.sender),
        ring: BigInt(request.ring),
        confId: request.configuration,
        moreRings: [...(request.moreRings ?? [])],
        ...wire.writeJoiner(request),
      });
    case "leave":
      return encodeLeave(request);
    case "compare":
      return encodeCompare(request);
    case "declareDead":
    case "forceNew":
      return encodeOrder(request);
    case "broadcast":
      return toBytes(blip.BroadcastReqSchema, {
        unix: request.unix,
        uniq: request.unique,
        broadcasted: writeGossip(request.gossip),
      });
    default: {
      const { case: name, value } = writeGossip(request);
      return toBytes(SCHEMAS[name], value);
    }
  }
}

function readRequest(kind: Kind, bytes: Uint8Array): Request {
  switch (kind) {
    case "probe":
      wire.fromBytes(blip.AckSchema, bytes);
      return { kind: "probe" };
    case "preJoin": {
      const { sender, uuid } = wire.fromBytes(blip.PreJoinReqSchema, bytes);
      return { kind: "preJoin", sender: wire.readEndpoint(sender), uuid: wire.readNodeId(uuid) };
    }
    case "join": {
      const { sender, ring, moreRings, uuid, confId, meta } = wire.fromBytes(blip.JoinReqSchema, bytes);
      return {
        kind: "join",
        sender: wire.readEndpoint(sender),
        configuration: confId ?? 0n,
        ring: wire.readRing(ring),
        ...(moreRings.length > 0 && { moreRings }),
        uuid: wire.readNodeId(uuid),
        metadata: wire.readMetadata(meta),
      };
    }
    case "leave":
      return decodeLeave(bytes);
    case "compare":
      return decodeCompare(bytes);
    case "declareDead":
    case "forceNew":
      return decodeOrder(kind, bytes);
    case "broadcast":
      return readBroadcast(bytes);
    default: {
      const name = kind === "alerts" ? "batchedAlert" : kind;
      return readGossip({ case: name, value: wire.fromBytes(SCHEMAS[name], bytes) } as Body);
    }
  }
}

const SCHEMAS = {
  batchedAlert: blip.BatchedAlertReqSchema,
  fastAccepted: blip.FastAcceptedReqSchema,
  prepare: blip.PrepareReqSchema,
  promise: blip.PromiseReqSchema,
  accept: blip.AcceptReqSchema,
  accepted: blip.AcceptedReqSchema,
} as const;

function writeGossip(gossip: Gossip) {
  const within = { sender: wire.writeEndpoint(gossip.sender), confId: gossip.configuration };
  switch (gossip.kind) {
    case "alerts":
      return { case: "batchedAlert" as const, value: { ...within, edges: gossip.edges.map(writeEdge) } };
    case "fastAccepted": {
      const [nodes, identities] = [wire.writeNodes(gossip.value), wire.writeIdentities(gossip.value)];
      return { case: gossip.kind, value: { ...within, nodes, identities } };
    }
    case "prepare":
      return { case: gossip.kind, value: { ...within, rank: wire.writeRank(gossip.rank) } };
    case "promise": {
      const ranks = { rnd: wire.writeRank(gossip.rank), vrnd: wire.writeRank(gossip.voted) };
      const [vval, said] = [wire.writeNodes(gossip.value), wire.writeJoiners(gossip.value)];
      return { case: gossip.kind, value: { ...within, ...ranks, vval, ...said } };
    }
    case "accept": {
      const rnd = wire.writeRank(gossip.rank);
      const [vval, said] = [wire.writeNodes(gossip.value), wire.writeJoiners(gossip.value)];
      return { case: gossip.kind, value: { ...within, rnd, vval, ...said } };
    }
    case "accepted": {
      const rnd = wire.writeRank(gossip.rank);
      const [nodes, said] = [wire.writeNodes(gossip.value), wire.writeJoiners(gossip.value)];
      return { case: gossip.kind, value: { ...within, rnd, nodes, ...said } };
    }
  }
}

function readGossip(body: Body): Gossip {
  // The crate looks for a body before it looks at anything else, so that is what it is told first.
  if (body.case === undefined) throw new wire.Malformed(refuse.missingBody);
  const within = { sender: wire.readEndpoint(body.value.sender), configuration: body.value.confId ?? 0n };
  switch (body.case) {
    case "batchedAlert":
      return { kind: "alerts", ...within, edges: body.value.edges.map(readEdge) };
    case "fastAccepted":
      return {
        kind: body.case,
        ...within,
        value: wire.readProposal(body.value.nodes, body.value.identities),
      };
    case "prepare":
      return { kind: body.case, ...within, rank: wire.readRank(body.value.rank) };
    case "promise": {
      const { rnd, vrnd, vval, identities, advice } = body.value;
      const ranks = { rank: wire.readRank(rnd), voted: wire.readRank(vrnd) };
      return {
        kind: body.case,
        ...within,
        ...ranks,
        value: vval.length === 0 ? [] : wire.readProposal(vval, identities, advice),
      };
    }
    case "accept": {
      const rank = wire.readRank(body.value.rnd);
      return {
        kind: body.case,
        ...within,
        rank,
        value: wire.readProposal(body.value.vval, body.value.identities, body.value.advice),
      };
    }
    case "accepted": {
      const rank = wire.readRank(body.value.rnd);
      return {
        kind: body.case,
        ...within,
        rank,
        value: wire.readProposal(body.value.nodes, body.value.identities, body.value.advice),
      };
    }
  }
}

function writeEdge({ node, ring, join }: Edge) {
  const edge = { node: wire.writeEndpoint(node), ring: BigInt(ring) };
  return join === undefined ? edge : { ...edge, join: wire.writeJoiner(join) };
}

function readEdge({ node, ring, join }: blip.Edge): Edge {
  const edge = { node: wire.readEndpoint(node), ring: wire.readRing(ring) };
  if (join === undefined) return edge;
  return { ...edge, join: { uuid: wire.readNodeId(join.uuid), metadata: wire.readMetadata(join.meta) } };
}

function readBroadcast(bytes: Uint8Array): Broadcast {
  const { unix, uniq, broadcasted } = wire.fromBytes(blip.BroadcastReqSchema, bytes);
  const gossip = readGossip(broadcasted);
  const broadcast: Broadcast = { kind: "broadcast", unix: unix ?? 0n, unique: uniq ?? 0n, gossip };
  // A copy, because the bytes are a window on a frame that may be much larger.
  requestBytes.set(broadcast, Buffer.from(bytes));
  return broadcast;
}

function writeJoined({ sender, view, configuration }: Joined): Buffer {
  const known = viewBytes.get(view);
  if (known?.sender === sender && configuration === view.id) return known.bytes;
  const bytes = toBytes(blip.JoinRespSchema, {
    sender: wire.writeEndpoint(sender),
    confId: configuration,
    nodes: view.members.map((member) => ({
      node: wire.writeEndpoint(member),
      meta: wire.writeMetadata(view.recordOf(member)!.metadata),
    })),
    uuids: view.uuids.map(wire.writeNodeId),
  });
  if (configuration === view.id) viewBytes.set(view, { sender, bytes });
  return bytes;
}

function readJoined(bytes: Uint8Array, observers: number): Joined {
  const { sender, confId, nodes, uuids } = wire.fromBytes(blip.JoinRespSchema, bytes);
  const records = nodes.map(({ node, meta }) => ({
    endpoint: wire.readEndpoint(node),
    metadata: wire.readMetadata(meta),
  }));
  const heading = { sender: wire.readEndpoint(sender), configuration: confId ?? 0n };
  try {
    return { kind: "joined", ...heading, view: View.of(observers, records, uuids.map(wire.readNodeId)) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new wire.Malformed(refused("invalid_argument", `invalid configuration: ${error.message}`));
  }
}
