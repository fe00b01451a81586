// The server of one member: it listens on its own socket and hands connections to grpc-js. So an address that
// cannot be listened on is told by the system's own error code, and nothing is printed by anybody.

import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  Server,
  ServerCredentials,
  type ServerOptions,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { addressOf, type Endpoint, ipOf, parseEndpoint, portOf } from "../core/endpoint.ts";
import { createTlsListener, type TlsIdentity } from "../grpc/index.ts";
import { endpointAt } from "./address.ts";
import type { Callers } from "./caller.ts";
import { BlipError } from "./errors.ts";

const OPTIONS = {
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
  "grpc.max_send_message_length": -1,
  // Of messages that are half sent, one connection may hold so many.
  "grpc.max_concurrent_streams": 1000,
  "grpc.enable_channelz": 0,
};

/** Until a peer must have read that its connection ends. */
const GOODBYE_MS = 100;

/** What calls of all kinds have in common. */
interface AnyCall {
  once(event: "cancelled", listener: () => void): unknown;
  emit(event: "error", refusal: { readonly code: status; readonly details: string }): unknown;
  getPeer(): string;
}

/** What a server by TLS needs to know, and whom it tells. */
export interface ServedTls {
  readonly identity: TlsIdentity;
  readonly callers: Callers;
  /** Somebody was not let in: from where, and why. */
  readonly refused: (from: string, why: string) => void;
}

export class MeshServer {
  readonly grpc: Server;
  /** Where users' services are registered: their calls are those that may end before the server does. */
  readonly users: Pick<Server, "register"> = {
    register: (path, handler, ...codecs) =>
      this.grpc.register(path, this.#counted(this.#guarded(path, handler)), ...codecs),
  };
  /** Where standard services are registered: nobody waits for their calls to end. */
  readonly besides: Pick<Server, "register"> = {
    register: (path, handler, ...codecs) => this.grpc.register(path, this.#guarded(path, handler), ...codecs),
  };
  #underWay = 0;
  #emptied = (): void => {};
  readonly #socket: NetServer;
  readonly #isTls: boolean;
  readonly #callers: Callers | undefined;
  readonly #connections = new Set<Socket>();
  #closing: Promise<void> | undefined;

  /** With an identity, by TLS alone. */
  constructor(tls?: ServedTls, options: ServerOptions = {}) {
    this.grpc = new Server({ ...OPTIONS, ...options });
    // The injector is handed connections that are as secure as they have to be.
    const injector = this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
    const connected = (connection: Socket): void => {
      this.#connections.add(connection);
      connection.once("close", () => this.#connections.delete(connection));
    };
    this.#isTls = tls !== undefined;
    this.#callers = tls?.callers;
    if (tls === undefined) {
      this.#socket = createServer({ noDelay: true }, (connection) => {
        connected(connection);
        injector.injectConnection(connection);
      });
      return;
    }
    const { identity, callers, refused } = tls;
    const secured = (connection: TLSSocket): void => {
      callers.add(connection);
      injector.injectConnection(connection);
    };
    this.#socket = createTlsListener(identity, { connected, secured, refused });
  }

  /**
   * Listens and resolves with where. Port 0 becomes the port that was free.
   * @throws BlipError BLIP_ADDRESS_IN_USE, BLIP_CANNOT_LISTEN
   */
  async listen(at: Endpoint): Promise<Endpoint> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.once("error", (error) => reject(cannotListen(at, error)));
      this.#socket.listen({ host: ipOf(at), port: portOf(at) }, resolve);
    });
    // What fails after that concerns single connections, which bring their own errors.
    this.#socket.on("error", () => {});
    const bound = this.#socket.address();
    if (bound === null || typeof bound === "string") throw new Error("the server has no address");
    const endpoint = endpointAt({ host: bound.address, port: bound.port })!;
    return parseEndpoint(addressOf(endpoint), this.#isTls)!;
  }

  /** Takes no more connections, lets users' calls end for `drainMs` at most, and cuts off the rest. */
  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  /** Cuts off what is under way, also while `close` still waits for it. */
  abort(): void {
    this.grpc.forceShutdown();
    // Without channelz, grpc-js does not know the sessions that it should end.
    for (const connection of this.#connections) connection.destroy();
  }

  async #close(drainMs: number): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#socket.close(() => resolve()));
    if (drainMs > 0) await this.#drained(drainMs);
    this.abort();
    await gone;
  }

  async #drained(drainMs: number): Promise<void> {
    const timers: NodeJS.Timeout[] = [];
    await new Promise<void>((resolve) => {
      timers.push(setTimeout(resolve, drainMs));
      this.grpc.tryShutdown(() => resolve());
      // A connection that never said anything would keep grpc-js waiting for ever.
      this.#emptied = () => timers.push(setTimeout(resolve, GOODBYE_MS));
      if (this.#underWay === 0) this.#emptied();
    });
    for (const timer of timers) clearTimeout(timer);
  }

  /** Asks the user's decision first, where there is one. */
  #guarded(path: string, handler: UntypedHandleCall): UntypedHandleCall {
    const callers = this.#callers;
    if (callers === undefined) return handler;
    const [, service, method] = path.split("/") as [string, string, string];
    const handle = handler as (call: AnyCall, answer?: sendUnaryData<unknown>) => unknown;
    return (call: AnyCall, answer?: sendUnaryData<unknown>) => {
      const details = callers.refusalOf(call.getPeer(), { kind: "call", service, method });
      if (details === undefined) return handle(call, answer);
      const refusal = { code: status.PERMISSION_DENIED, details };
      return answer === undefined ? call.emit("error", refusal) : answer(refusal);
    };
  }

  #counted(handler: UntypedHandleCall): UntypedHandleCall {
    const handle = handler as (call: AnyCall, ...rest: unknown[]) => unknown;
    return (call: AnyCall, ...rest: unknown[]) => {
      this.#underWay += 1;
      // grpc-js says so of every call, however it ended.
      call.once("cancelled", () => {
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#emptied();
      });
      return handle(call, ...rest);
    };
  }
}

function cannotListen(at: Endpoint, error: NodeJS.ErrnoException): BlipError {
  const address = addressOf(at);
  if (error.code === "EADDRINUSE") {
    return new BlipError("BLIP_ADDRESS_IN_USE", `listen: ${address} is in use by another process`, {
      cause: error,
      field: "listen",
    });
  }
  const why = error.code === "EADDRNOTAVAIL" ? "it is not an address of this machine" : error.message;
  return new BlipError("BLIP_CANNOT_LISTEN", `listen: cannot listen on ${address}: ${why}`, {
    cause: error,
    field: "listen",
  });
}
