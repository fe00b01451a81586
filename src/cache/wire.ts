// The cache's messages and methods as gRPC knows them: the crate's own, which Rust members speak too, and what Node
// members offer each other. Both go by the name of the cache, of which a mesh may have several.

import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  AnswersSchema,
  AsksSchema,
  FetchRequestSchema,
  FetchResponseSchema,
} from "./gen/blip_cache_ext_pb.ts";
import { KeySchema, ValueSchema } from "./gen/blip_cache_pb.ts";
import { extensionOf } from "./placement.ts";

/** What one member may ask another about a key. */
export const KIND = { get: 0, peek: 1, forget: 2 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** What the other may answer. */
export const OUTCOME = { value: 0, absent: 1, sourceFailed: 2, refused: 3 } as const;

export type WireAsks = { asks: AskInit[] };
export type AskInit = { readonly id: number; readonly kind: Kind; readonly key: Uint8Array };
export type Ask = MessageShape<typeof AsksSchema>["asks"][number];
export type Answer = MessageShape<typeof AnswersSchema>["answers"][number];

/** A method as \@grpc/grpc-js defines one, with messages that are written as plain objects. */
interface Definition<In extends DescMessage, Out extends DescMessage, Streams extends boolean> {
  readonly path: string;
  readonly requestStream: Streams;
  readonly responseStream: Streams;
  readonly requestSerialize: (request: MessageInitShape<In>) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => MessageShape<In>;
  readonly responseSerialize: (response: MessageInitShape<Out>) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => MessageShape<Out>;
}

/** What the crate calls and answers; the same for every name. */
export type CrateService = {
  readonly get: Definition<typeof KeySchema, typeof ValueSchema, false>;
};

/** See proto/blip_cache_ext.proto. */
export type ExtensionService = {
  /** Answers are written by who answers. */
  readonly exchange: Omit<Definition<typeof AsksSchema, typeof AnswersSchema, true>, "responseSerialize"> & {
    readonly responseSerialize: (response: Buffer) => Buffer;
  };
  readonly fetch: Definition<typeof FetchRequestSchema, typeof FetchResponseSchema, false>;
};

export function crateService(name: string): CrateService {
  return { get: define(`/${name}/Get`, KeySchema, ValueSchema, false) };
}

export function extensionService(name: string): ExtensionService {
  const path = `/${extensionOf(name)}`;
  return {
    exchange: {
      ...define(`${path}/Exchange`, AsksSchema, AnswersSchema, true),
      responseSerialize: (written) => written,
    },
    fetch: define(`${path}/Fetch`, FetchRequestSchema, FetchResponseSchema, false),
  };
}

/** The header by which a Node member says who it is: its own address. */
export const MEMBER_HEADER = "blip-cache-member";

function define<In extends DescMessage, Out extends DescMessage, Streams extends boolean>(
  path: string,
  request: In,
  response: Out,
  streams: Streams,
): Definition<In, Out, Streams> {
  return {
    path,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: (message) => written(request, message),
    requestDeserialize: (bytes) => fromBinary(request, bytes, { readUnknownFields: false }),
    responseSerialize: (message) => written(response, message),
    responseDeserialize: (bytes) => fromBinary(response, bytes, { readUnknownFields: false }),
  };
}

function written<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Buffer {
  const bytes = toBinary(schema, create(schema, message));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
