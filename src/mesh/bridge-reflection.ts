// Server reflection, by which grpcurl and its like learn what a member serves: v1, and v1alpha with the same messages
// for tools that ask for it first.

import { type DescFile, type DescService, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import {
  MEMBER_SERVICES,
  ServerReflection,
  ServerReflectionAlpha,
  type ServerReflectionRequest,
} from "../grpc/index.ts";
import { type MeshService, service } from "./service.ts";

type Answer = { readonly case: string; readonly value: object };

/** Services that tell of `served`, of what members have anyway, and of themselves. */
export function reflectionOf(
  served: readonly MeshService[],
  standard: readonly DescService[],
): readonly MeshService[] {
  const own = [...MEMBER_SERVICES, ...standard, ServerReflection, ServerReflectionAlpha];
  const names = [
    ...new Set([...served.map(({ name }) => name), ...own.map(({ typeName }) => typeName)]),
  ].sort();
  // Made for the first who asks: it takes as long as joining a mesh, and most members are never asked.
  let made: Index | undefined;
  const index = (): Index => (made ??= indexOf(own, served));
  return [ServerReflection, ServerReflectionAlpha].map((desc) =>
    service(desc as typeof ServerReflection, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) {
          const messageResponse = answerTo(request, index(), names) as never;
          yield { validHost: request.host, originalRequest: request, messageResponse };
        }
      },
    }),
  );
}

function indexOf(own: readonly DescService[], served: readonly MeshService[]): Index {
  const index = new Index();
  for (const desc of own) index.addFile(desc.file);
  for (const { files } of served) for (const bytes of files?.() ?? []) index.addBytes(bytes);
  return index;
}

function answerTo(
  { messageRequest: asked }: ServerReflectionRequest,
  index: Index,
  names: readonly string[],
): Answer {
  switch (asked.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } };
    case "fileByFilename":
      return files(index.withDependencies(asked.value), `no file ${asked.value}`);
    case "fileContainingSymbol":
      return files(index.containing(asked.value), `no description of ${asked.value}`);
    case "fileContainingExtension":
    case "allExtensionNumbersOfType":
      return failed(status.NOT_FOUND, "no extensions are served");
    default:
      return failed(status.INVALID_ARGUMENT, "this asks for nothing");
  }
}

function files(found: readonly Uint8Array[], otherwise: string): Answer {
  if (found.length === 0) return failed(status.NOT_FOUND, otherwise);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: found } };
}

function failed(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

interface File {
  readonly bytes: Uint8Array;
  readonly dependencies: readonly string[];
}

/** Files by their names, and the names of files by what is declared in them. */
class Index {
  readonly #files = new Map<string, File>();
  readonly #symbols = new Map<string, string>();

  addFile(file: DescFile): void {
    this.addBytes(toBinary(FileDescriptorProtoSchema, file.proto));
    for (const dependency of file.dependencies) this.addFile(dependency);
  }

  addBytes(bytes: Uint8Array): void {
    const file = fromBinary(FileDescriptorProtoSchema, bytes);
    if (this.#files.has(file.name)) return;
    this.#files.set(file.name, { bytes, dependencies: file.dependency });
    const declare = (scope: string, name: string): string => {
      const full = scope === "" ? name : `${scope}.${name}`;
      this.#symbols.set(full, file.name);
      return full;
    };
    const declareMessage = (scope: string, message: (typeof file.messageType)[number]): void => {
      const full = declare(scope, message.name);
      for (const field of message.field) declare(full, field.name);
      for (const inner of message.enumType) declare(full, inner.name);
      for (const inner of message.nestedType) declareMessage(full, inner);
    };
    for (const message of file.messageType) declareMessage(file.package, message);
    for (const one of file.enumType) declare(file.package, one.name);
    for (const one of file.service) {
      const full = declare(file.package, one.name);
      for (const method of one.method) declare(full, method.name);
    }
  }

  containing(symbol: string): readonly Uint8Array[] {
    const name = this.#symbols.get(symbol.replace(/^\./, ""));
    return name === undefined ? [] : this.withDependencies(name);
  }

  /** The file and all that it needs, each once, those that are needed after those that need them. */
  withDependencies(name: string): readonly Uint8Array[] {
    const seen = new Set<string>();
    const found: Uint8Array[] = [];
    const visit = (next: string): void => {
      const file = this.#files.get(next);
      if (file === undefined || seen.has(next)) return;
      seen.add(next);
      found.push(file.bytes);
      for (const dependency of file.dependencies) visit(dependency);
    };
    visit(name);
    return found;
  }
}
