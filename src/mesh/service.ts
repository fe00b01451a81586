// What a member serves to others: a name by which it is found, and handlers on the member's own server.

import type { DescService } from "@bufbuild/protobuf";
import type { Server, ServiceDefinition, UntypedHandleCall } from "@grpc/grpc-js";
import { OPERATOR_SERVICE, PEER_SERVICE } from "../core/messages.ts";
import { definitionOf, isDescService, type Method } from "./bridge-definition.ts";
import { fromGrpc, fromPlain, type PlainHandler } from "./bridge-handlers.ts";
import type { GrpcHandlers, Handlers } from "./bridge-shapes.ts";
import { invalid } from "./errors.ts";
import type { Mesh } from "./mesh.ts";
import type { MetadataInit } from "./metadata.ts";

/** Something that a member serves. Made by {@link service}, or by hand where more is wanted. */
export interface MeshService {
  /** The full gRPC name. The member carries it as a metadata key, by which others find who serves it. */
  readonly name: string;
  /** Puts the methods on the member's server, before it listens. */
  register(server: Pick<Server, "register">): void;
  /** More that others should know of this member because it serves this. Keys must not be there already. */
  readonly metadata?: MetadataInit;
  /** FileDescriptorProtos of the files it is described in, for server reflection. */
  files?(): readonly Uint8Array[];
  /** Called once the member is in its first configuration. It must not wait for anything. */
  accept?(mesh: Mesh): void;
}

/**
 * Serves a protobuf-es service. A handler answers with a promise where there is one response, with an async
 * iterable where there are many, and reads an async iterable where there are many requests. What it throws ends
 * its call: an Error with a numeric gRPC `code` with that status, any other with UNKNOWN and its message.
 *
 * @throws BlipError BLIP_INVALID_OPTIONS where the definition has no methods, or a handler is for none of them.
 */
export function service<D extends DescService>(definition: D, handlers: Handlers<D>): MeshService;
/** Serves a ServiceDefinition of \@grpc/grpc-js, with handlers as grpc-js takes them. */
export function service<D extends ServiceDefinition>(definition: D, handlers: GrpcHandlers<D>): MeshService;
export function service(definition: DescService | ServiceDefinition, handlers: object): MeshService {
  const { name, methods, files } = definitionOf(definition);
  if (typeof handlers !== "object" || handlers === null) {
    throw invalid("handlers", `an object with the methods of ${name}`, handlers);
  }
  refuseStrangers(handlers, methods);
  const isPlain = isDescService(definition);
  const served = methods.flatMap((method) => {
    const handler = handlerOf(handlers, method, name);
    // What is not registered is answered UNIMPLEMENTED.
    return handler === undefined ? [] : [{ method, handler }];
  });
  return {
    name,
    files,
    register(server) {
      for (const { method, handler } of served) {
        const handle = isPlain ? fromPlain(method, handler) : fromGrpc(method, handler as UntypedHandleCall);
        const encode = isPlain ? (bytes: Buffer) => bytes : method.encodeResponse;
        server.register(method.path, handle, encode, method.decodeRequest, typeOf(method));
      }
    },
  };
}

/** @throws BlipError BLIP_INVALID_OPTIONS naming the first that is no service, or that is there twice. */
export function checkServices(services: unknown): readonly MeshService[] {
  if (!Array.isArray(services)) throw invalid("services", "an array", services);
  const names = new Set<string>(["blip.Membership", PEER_SERVICE, OPERATOR_SERVICE]);
  for (const [i, given] of (services as Partial<MeshService>[]).entries()) {
    if (typeof given?.name !== "string" || given.name === "" || typeof given.register !== "function") {
      throw invalid(`services[${i}]`, "what service(definition, handlers) returns", given);
    }
    if (names.has(given.name)) throw invalid(`services[${i}]`, "a service that is not there yet", given.name);
    names.add(given.name);
  }
  return [...(services as MeshService[])];
}

/** A slip of the pen would be answered UNIMPLEMENTED. The instance of a class may have more than its methods. */
function refuseStrangers(handlers: object, methods: readonly Method[]): void {
  const kind = Object.getPrototypeOf(handlers);
  if (kind !== Object.prototype && kind !== null) return;
  const names = methods.flatMap(({ name, alias = name }) => [name, alias]);
  const stranger = Object.keys(handlers).find((key) => !names.includes(key));
  if (stranger === undefined) return;
  throw invalid(`handlers.${stranger}`, `one of ${methods.map(({ name }) => name).join(", ")}`);
}

function handlerOf(handlers: object, method: Method, service: string): PlainHandler | undefined {
  const { name, alias = name } = method;
  const named = handlers as Readonly<Record<string, unknown>>;
  const handler = named[name] ?? named[alias];
  if (handler === undefined) return undefined;
  if (typeof handler !== "function") throw invalid(`handlers.${name}`, `a function, for ${service}`, handler);
  return handler.bind(handlers);
}

function typeOf({
  requestStream,
  responseStream,
}: Method): "unary" | "bidi" | "clientStream" | "serverStream" {
  if (requestStream) return responseStream ? "bidi" : "clientStream";
  return responseStream ? "serverStream" : "unary";
}
