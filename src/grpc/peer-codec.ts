// What Node members say to each other beyond the crate's protocol, between data and bytes (proto/blip_ext.proto).

import { create, toBinary } from "@bufbuild/protobuf";
import type { ViewChange } from "../core/doorway.ts";
import type { Endpoint, NodeId } from "../core/endpoint.ts";
import {
  type Ack,
  ack,
  type ConfigurationId,
  type Leave,
  type Metadata,
  type Refused,
  type Reply,
} from "../core/messages.ts";
import * as wire from "./fields.ts";
import * as ext from "./gen/blip_ext_pb.ts";
import { numberOf, refusedBy } from "./status.ts";

/** A configuration as a member tells of it, for people and scripts. */
export interface Configuration {
  readonly local: Endpoint;
  readonly confId: ConfigurationId;
  readonly degraded: boolean;
  /** By socket address, as cuts list them. */
  readonly members: readonly {
    readonly endpoint: Endpoint;
    readonly metadata: Metadata;
    readonly uuid?: NodeId;
  }[];
  readonly joined: readonly Endpoint[];
  readonly kicked: readonly Endpoint[];
  /** View changes that were left out before this one. */
  readonly skipped: number;
}

export function encodeLeave(leave: Leave): Buffer {
  const { sender, configuration } = leave;
  const message = create(ext.LeaveRequestSchema, {
    sender: wire.writeEndpoint(sender),
    confId: configuration,
  });
  return wire.bufferOf(toBinary(ext.LeaveRequestSchema, message));
}

export function decodeLeave(bytes: Uint8Array): Leave {
  const { sender, confId } = wire.fromBytes(ext.LeaveRequestSchema, bytes);
  return { kind: "leave", sender: wire.readEndpoint(sender), configuration: confId };
}

export function encodeRelay(broadcasts: readonly Uint8Array[]): Buffer {
  const message = create(ext.RelayRequestSchema, { broadcasts: [...broadcasts] });
  return wire.bufferOf(toBinary(ext.RelayRequestSchema, message));
}

/** The broadcasts are windows on the frame, good until it is handled. */
export function decodeRelay(bytes: Uint8Array): readonly Uint8Array[] | Refused {
  return wire.parsed(() => wire.fromBytes(ext.RelayRequestSchema, bytes).broadcasts);
}

/** What a member answers that was probed; any other reply says that it is well. */
export function encodeProbeResult(reply: Reply): Buffer {
  const { uuid, configuration } = reply.kind === "ack" || reply.kind === "refused" ? reply : ack;
  const message = create(ext.ProbeResponseSchema, {
    code: reply.kind === "refused" ? numberOf(reply.code) : 0,
    ...(uuid !== undefined && { uuid: wire.writeNodeId(uuid) }),
    confId: configuration ?? 0n,
  });
  return wire.bufferOf(toBinary(ext.ProbeResponseSchema, message));
}

/** @throws Malformed where the bytes are no answer to a probe. */
export function decodeProbeResult(bytes: Uint8Array): Ack | Refused {
  const { code, uuid, confId } = wire.fromBytes(ext.ProbeResponseSchema, bytes);
  const reply = code === 0 ? ack : refusedBy(code, "the member is not well");
  return {
    ...reply,
    ...(uuid !== undefined && { uuid: wire.readNodeId(uuid) }),
    ...(confId !== 0n && { configuration: confId }),
  };
}

export function encodeConfiguration(local: Endpoint, change: ViewChange, skipped: number): Buffer {
  const { view, degraded, joined, kicked } = change;
  const message = create(ext.ConfigurationSchema, {
    local: wire.writeEndpoint(local),
    confId: view.id,
    degraded,
    members: view.membersByAddress.map((endpoint) => {
      const { metadata, uuid } = view.recordOf(endpoint)!;
      return {
        endpoint: wire.writeEndpoint(endpoint),
        metadata: wire.writeMetadata(metadata),
        ...(uuid !== undefined && { uuid: wire.writeNodeId(uuid) }),
      };
    }),
    joined: joined.map(wire.writeEndpoint),
    kicked: kicked.map(wire.writeEndpoint),
    skipped: BigInt(skipped),
    uuids: view.uuids.map(wire.writeNodeId),
  });
  return wire.bufferOf(toBinary(ext.ConfigurationSchema, message));
}

/** @throws Malformed where the bytes are no configuration. */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const message = wire.fromBytes(ext.ConfigurationSchema, bytes);
  return {
    local: wire.readEndpoint(message.local),
    confId: message.confId,
    degraded: message.degraded,
    members: message.members.map(({ endpoint, metadata, uuid }) => ({
      endpoint: wire.readEndpoint(endpoint),
      metadata: wire.readMetadata(metadata),
      ...(uuid !== undefined && { uuid: wire.readNodeId(uuid) }),
    })),
    joined: message.joined.map(wire.readEndpoint),
    kicked: message.kicked.map(wire.readEndpoint),
    skipped: Number(message.skipped),
  };
}
