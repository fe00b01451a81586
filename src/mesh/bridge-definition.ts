// What a service is called and which methods it has, in one form, be it described by protobuf-es or by a
// ServiceDefinition of grpc-js.

import {
  create,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { invalid } from "./errors.ts";

/** One method, its messages as bytes on one side and as what the user works with on the other. */
export interface Method {
  /** As users call it. */
  readonly name: string;
  /** Another name that an implementation may have for it. */
  readonly alias?: string;
  /** "/package.Service/Method" */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** Calling it twice does what calling it once does, so its definition says. */
  readonly isIdempotent: boolean;
  readonly encodeRequest: (request: unknown) => Buffer;
  readonly decodeRequest: (bytes: Buffer) => unknown;
  readonly encodeResponse: (response: unknown) => Buffer;
  readonly decodeResponse: (bytes: Buffer) => unknown;
}

export interface Definition {
  /** The full gRPC name, "package.Service". */
  readonly name: string;
  readonly methods: readonly Method[];
  /** FileDescriptorProtos of the files it is described in, as far as they are known. */
  readonly files: () => readonly Uint8Array[];
}

export function isDescService(definition: unknown): definition is DescService {
  return (
    typeof definition === "object" &&
    definition !== null &&
    (definition as Partial<DescService>).kind === "service" &&
    typeof (definition as Partial<DescService>).typeName === "string"
  );
}

/** @throws BlipError BLIP_INVALID_OPTIONS where this describes no service, or one without methods. */
export function definitionOf(definition: DescService | ServiceDefinition): Definition {
  if (isDescService(definition)) return ofDescService(definition);
  if (typeof definition !== "object" || definition === null) {
    throw invalid("definition", "a protobuf-es service or a @grpc/grpc-js ServiceDefinition", definition);
  }
  return ofServiceDefinition(definition);
}

function ofDescService(service: DescService): Definition {
  if (service.methods.length === 0) {
    throw invalid("definition", `a service with methods; ${service.typeName} has none`);
  }
  return {
    name: service.typeName,
    methods: service.methods.map((method) => ofDescMethod(service, method)),
    files: () => [...filesOf(service.file)].map((file) => toBinary(FileDescriptorProtoSchema, file.proto)),
  };
}

function filesOf(file: DescFile, found = new Set<DescFile>()): ReadonlySet<DescFile> {
  if (found.has(file)) return found;
  found.add(file);
  for (const dependency of file.dependencies) filesOf(dependency, found);
  return found;
}

function ofDescMethod(service: DescService, method: DescMethod): Method {
  const { methodKind: kind, input, output, idempotency } = method;
  return {
    name: method.localName,
    path: `/${service.typeName}/${method.name}`,
    requestStream: kind === "client_streaming" || kind === "bidi_streaming",
    responseStream: kind === "server_streaming" || kind === "bidi_streaming",
    isIdempotent: idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN,
    encodeRequest: encoderOf(input),
    decodeRequest: (bytes) => fromBinary(input, bytes),
    encodeResponse: encoderOf(output),
    decodeResponse: (bytes) => fromBinary(output, bytes),
  };
}

function encoderOf<Desc extends DescMessage>(schema: Desc): (value: unknown) => Buffer {
  return (value) => {
    const bytes = toBinary(schema, create(schema, value as MessageInitShape<Desc>));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function ofServiceDefinition(definition: ServiceDefinition): Definition {
  const methods = Object.entries(definition).map(([name, method]): Method => {
    const path = /^\/([^/]+)\/[^/]+$/.exec(String(method?.path));
    if (path === null) {
      throw invalid(`definition.${name}.path`, '"/package.Service/Method"', method?.path);
    }
    return {
      name,
      ...(method.originalName === undefined ? {} : { alias: method.originalName }),
      path: method.path,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      isIdempotent: false,
      encodeRequest: method.requestSerialize,
      decodeRequest: method.requestDeserialize,
      encodeResponse: method.responseSerialize,
      decodeResponse: method.responseDeserialize,
    };
  });
  const names = new Set(methods.map((method) => method.path.split("/")[1]!));
  if (names.size !== 1) {
    const found = names.size === 0 ? "none" : [...names].join(" and ");
    throw invalid("definition", `the methods of one service, got those of ${found}`);
  }
  return { name: [...names][0]!, methods, files: () => Object.values(definition).flatMap(describedBy) };
}

/** What proto-loader leaves in a definition; other generators leave nothing. */
function describedBy(method: object): readonly Uint8Array[] {
  const described = method as {
    readonly [type: string]: { readonly fileDescriptorProtos?: unknown } | undefined;
  };
  return ["requestType", "responseType"].flatMap((type) => {
    const files = described[type]?.fileDescriptorProtos;
    return Array.isArray(files) ? files.filter((file) => file instanceof Uint8Array) : [];
  });
}
