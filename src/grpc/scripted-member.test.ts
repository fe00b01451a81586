// No tests: members that answer by a script, peers that do not answer at all, and ways to wait for what happens.

import assert from "node:assert/strict";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { type Endpoint, parseEndpoint } from "../core/endpoint.ts";
import { type Metadata, PEER_SERVICE, type Reply, type Request } from "../core/messages.ts";
import { View } from "../core/view.ts";
import { Membership, type MembershipOptions } from "./server.ts";
import type { Transport } from "./transport.ts";
import type { Snapshot } from "./watching.ts";

export const OBSERVERS = 10;

/** Answers a request, or lets it wait. */
export type Script = (request: Request, answer: (reply: Reply) => void) => Reply | undefined;

export class ScriptedMember {
  readonly asked: Request[] = [];
  readonly hungUp: Request[] = [];
  readonly listeners = new Set<(snapshot: Snapshot) => void>();
  // With channelz off, `forceShutdown` of grpc-js 1.14 leaves connections open.
  readonly server: Server = new Server({ "grpc.max_receive_message_length": -1 });
  readonly membership: Membership;
  now: Snapshot | undefined;
  endpoint!: Endpoint;
  script: Script;

  private constructor(script: Script, limits: MembershipOptions["limits"]) {
    this.script = script;
    this.membership = new Membership({
      ask: (request, answer) => {
        this.asked.push(request);
        const reply = this.script(request, answer);
        if (reply !== undefined) answer(reply);
        return () => this.hungUp.push(request);
      },
      source: {
        current: () => this.now,
        watch: (listener) => {
          this.listeners.add(listener);
          return () => this.listeners.delete(listener);
        },
      },
      ...(limits && { limits }),
    });
  }

  static async start(
    script: Script = () => ({ kind: "ack" }),
    { port = 0, limits }: { port?: number; limits?: MembershipOptions["limits"] } = {},
  ): Promise<ScriptedMember> {
    const member = new ScriptedMember(script, limits);
    member.membership.serveOn(member.server);
    member.endpoint = await bind(member.server, port);
    return member;
  }

  async stop(): Promise<void> {
    this.membership.close();
    this.server.forceShutdown();
  }

  tell(snapshot: Snapshot): void {
    this.now = snapshot;
    for (const listener of this.listeners) listener(snapshot);
  }
}

export function bind(server: Server, port = 0): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(at(bound));
    });
  });
}

/** A peer that takes connections and never says a word. */
export class FrozenPeer {
  readonly sockets = new Set<Socket>();
  accepted = 0;
  endpoint!: Endpoint;
  #server!: NetServer;

  static async start(): Promise<FrozenPeer> {
    const peer = new FrozenPeer();
    peer.#server = createServer((socket) => {
      peer.accepted++;
      peer.sockets.add(socket);
      socket.resume().on("error", () => {});
      socket.once("close", () => peer.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => peer.#server.listen(0, "127.0.0.1", resolve));
    peer.endpoint = at((peer.#server.address() as { port: number }).port);
    return peer;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function at(port: number): Endpoint {
  return parseEndpoint(`127.0.0.1:${port}`)!;
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function ask(transport: Transport, to: Endpoint, request: Request, timeoutMs = 5000): Promise<Reply> {
  return new Promise((resolve) => transport.call(to, request, timeoutMs, resolve));
}

/** Waits until this is so. */
export async function until(isSo: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
  const start = performance.now();
  while (!isSo()) {
    if (performance.now() - start > timeoutMs) assert.fail(`waited in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function metadataOf(entries: Readonly<Record<string, string>>): Metadata {
  const pairs = Object.entries(entries).map(([key, value]) => [key, new Uint8Array(Buffer.from(value))]);
  return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(pairs)));
}

export function viewOf(node: readonly Endpoint[], rust: readonly Endpoint[] = []): View {
  const ours = metadataOf({ [PEER_SERVICE]: "1" });
  return View.of(
    OBSERVERS,
    [
      ...node.map((endpoint) => ({ endpoint, metadata: ours })),
      ...rust.map((endpoint) => ({ endpoint, metadata: metadataOf({}) })),
    ],
    [],
  );
}
