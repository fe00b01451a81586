// The server of one member: it listens on its own socket and hands connections to grpc-js. So an address that
// cannot be listened on is told by the system's own error code, and nothing is printed by anybody.

import { createServer, type Server as NetServer, type Socket } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { addressOf, type Endpoint, ipOf, portOf } from "../core/endpoint.ts";
import { endpointAt } from "./address.ts";
import { BlipError } from "./errors.ts";

const OPTIONS = {
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
  "grpc.max_send_message_length": -1,
  "grpc.enable_channelz": 0,
};

export class MeshServer {
  /** Where services are registered, before `listen`. */
  readonly grpc: Server = new Server(OPTIONS);
  readonly #socket: NetServer;
  readonly #connections = new Set<Socket>();
  #closing: Promise<void> | undefined;

  constructor() {
    const injector = this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#socket = createServer({ noDelay: true }, (connection) => {
      this.#connections.add(connection);
      connection.once("close", () => this.#connections.delete(connection));
      injector.injectConnection(connection);
    });
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
    return endpointAt({ host: bound.address, port: bound.port })!;
  }

  /** Takes no more connections, lets calls under way end for `drainMs`, and cuts off the rest. */
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

  #drained(drainMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, drainMs);
      this.grpc.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
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
