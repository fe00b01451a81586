// What the tests of this folder share: a service in both kinds of definition, and meshes that close by themselves.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { TestContext } from "node:test";
import type { Message } from "@bufbuild/protobuf";
import {
  fileDesc,
  type GenFile,
  type GenMessage,
  type GenService,
  messageDesc,
  serviceDesc,
} from "@bufbuild/protobuf/codegenv2";
import { BlipError, type BlipErrorCode } from "./errors.ts";
import { createMesh, type Mesh } from "./mesh.ts";
import type { MeshOptions } from "./options.ts";

/** As protoc-gen-es writes it of demo.Name, demo.Greeting, demo.Greeter and demo.Nothing. */
const file: GenFile = fileDesc(
  "Cg1ncmVldGVyLnByb3RvEgRkZW1vIiMKBE5hbWUSDAoEbmFtZRgBIAEoCRINCgVjb3VudBgCIAEoDSIYCghHcmVldGluZxIMCgR0ZXh0GAEg" +
    "ASgJMu0BCgdHcmVldGVyEiMKBUhlbGxvEgouZGVtby5OYW1lGg4uZGVtby5HcmVldGluZxInCgRQZWVrEgouZGVtby5OYW1lGg4uZGVt" +
    "by5HcmVldGluZyIDkAIBEiUKBUNvdW50EgouZGVtby5OYW1lGg4uZGVtby5HcmVldGluZzABEiMKA1N1bRIKLmRlbW8uTmFtZRoOLmRl" +
    "bW8uR3JlZXRpbmcoARImCgRDaGF0EgouZGVtby5OYW1lGg4uZGVtby5HcmVldGluZygBMAESIAoCT24SCi5kZW1vLk5hbWUaDi5kZW1v" +
    "LkdyZWV0aW5nMgkKB05vdGhpbmdiBnByb3RvMw",
);

export type Name = Message<"demo.Name"> & { name: string; count: number };
export const NameSchema: GenMessage<Name> = messageDesc(file, 0);

export type Greeting = Message<"demo.Greeting"> & { text: string };
export const GreetingSchema: GenMessage<Greeting> = messageDesc(file, 1);

interface Method<Kind> {
  methodKind: Kind;
  input: typeof NameSchema;
  output: typeof GreetingSchema;
}

export const Greeter: GenService<{
  hello: Method<"unary">;
  peek: Method<"unary">;
  count: Method<"server_streaming">;
  sum: Method<"client_streaming">;
  chat: Method<"bidi_streaming">;
  on: Method<"unary">;
}> = serviceDesc(file, 0);

export const Nothing: GenService<Record<never, never>> = serviceDesc(file, 1);

const toText = (bytes: Buffer): string => bytes.toString();
const toBytes = (text: string): Buffer => Buffer.from(text);
const codecs = {
  requestSerialize: toBytes,
  requestDeserialize: toText,
  responseSerialize: toBytes,
  responseDeserialize: toText,
};

/** A ServiceDefinition of grpc-js, with texts for messages. */
export const Echo = {
  say: { path: "/demo.Echo/Say", requestStream: false, responseStream: false, ...codecs },
  repeat: { path: "/demo.Echo/Repeat", requestStream: false, responseStream: true, ...codecs },
  join: { path: "/demo.Echo/Join", requestStream: true, responseStream: false, ...codecs },
  talk: { path: "/demo.Echo/Talk", requestStream: true, responseStream: true, ...codecs },
} as const;

export const LOOPBACK = "127.0.0.1:0";

/** Fails early instead of hanging for as long as the test runner would. */
export const PATIENCE: { readonly timeoutMs: number } = { timeoutMs: 30_000 };

/** A mesh on a free port of the loopback interface, closed after the test. */
export async function startMesh(t: TestContext, options: MeshOptions = {}): Promise<Mesh> {
  const mesh = await createMesh({
    listen: LOOPBACK,
    signal: AbortSignal.timeout(PATIENCE.timeoutMs),
    ...options,
  });
  t.after(() => mesh.close());
  return mesh;
}

/** One mesh of as many members as there are options, all of which see all. */
export async function startMembers(t: TestContext, ...options: readonly MeshOptions[]): Promise<Mesh[]> {
  const members: Mesh[] = [];
  for (const own of options) {
    const seeds = members.length === 0 ? {} : { seeds: [members[0]!.localAddress] };
    members.push(await startMesh(t, { ...seeds, ...own }));
  }
  await Promise.all(
    members.map((mesh) => mesh.waitFor((cut) => cut.members.length === members.length, PATIENCE)),
  );
  return members;
}

export async function collect<T>(many: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of many) all.push(one);
  return all;
}

export async function* each<T>(...many: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* many;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** For assert.rejects and assert.throws: a BlipError with this code, and these other properties. */
export function failsWith(code: BlipErrorCode, more: Partial<BlipError> = {}): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof BlipError, String(error));
    assert.equal(error.code, code, error.message);
    for (const [key, value] of Object.entries(more)) assert.equal(error[key as keyof BlipError], value);
    return true;
  };
}
