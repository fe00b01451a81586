// An operator's orders, between data and bytes (proto/blip_ext.proto).

import { create, toBinary } from "@bufbuild/protobuf";
import type { DeclareDead, ForceNew } from "../core/messages.ts";
import * as wire from "./fields.ts";
import { OrderSchema } from "./gen/blip_ext_pb.ts";

export type Order = DeclareDead | ForceNew;

export function encodeOrder(order: Order): Buffer {
  const named = order.kind === "declareDead" ? order.dead : order.abandoned;
  const message = create(OrderSchema, {
    confId: order.configuration,
    named: named.map(wire.writeEndpoint),
  });
  return wire.bufferOf(toBinary(OrderSchema, message));
}

/** @throws Malformed where a name is no endpoint. */
export function decodeOrder(kind: Order["kind"], bytes: Uint8Array): Order {
  const { confId, named } = wire.fromBytes(OrderSchema, bytes);
  const nodes = named.map(wire.readEndpoint);
  return kind === "declareDead"
    ? { kind, configuration: confId, dead: nodes }
    : { kind, configuration: confId, abandoned: nodes };
}
