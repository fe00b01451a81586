// The channels of one process, in the place of those of grpc-js.

import type { ChannelInterface, connectivityState } from "@grpc/grpc-js";
import type { Endpoint } from "../../core/endpoint.ts";
import { addressOf } from "../../core/endpoint.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";
import { type Accept, ClientCall, type GrpcCall } from "./client-call.ts";
import { Connection } from "./connection.ts";

export class SimulatedChannels {
  readonly #world: World;
  readonly #accept: Accept;
  /** The process whose they are, once it runs. */
  readonly #process: () => Process;
  readonly connections: Map<Endpoint, Connection> = new Map();
  #isClosed = false;

  constructor(world: World, accept: Accept, process: () => Process) {
    this.#world = world;
    this.#accept = accept;
    this.#process = process;
  }

  to(endpoint: Endpoint): ChannelInterface {
    const connection = (): Connection => this.#connectionTo(endpoint);
    const channel = {
      getTarget: () => addressOf(endpoint),
      getChannelzRef: () => ({ kind: "channel", id: 0, name: addressOf(endpoint) }),
      close: () => this.close(endpoint),
      getConnectivityState(tryToConnect: boolean): connectivityState {
        const { state } = connection();
        if (tryToConnect) connection().connect();
        return state;
      },
      watchConnectivityState(
        current: connectivityState,
        until: Date | number,
        told: (error?: Error) => void,
      ): void {
        if (connection().state !== current) return queueMicrotask(() => told());
        connection().whenChanged(Number(until), (inTime) =>
          inTime ? told() : told(new Error("Deadline passed without connectivity state change")),
        );
      },
      createCall: (path: string, deadline: Date | number) =>
        new ClientCall(this.#world, connection(), this.#accept, path, deadline) as unknown as GrpcCall,
    };
    return channel as unknown as ChannelInterface;
  }

  close(endpoint: Endpoint): void {
    this.connections.get(endpoint)?.break();
    this.connections.delete(endpoint);
  }

  closeAll(): void {
    this.#isClosed = true;
    for (const endpoint of [...this.connections.keys()]) this.close(endpoint);
  }

  #connectionTo(endpoint: Endpoint): Connection {
    if (this.#isClosed) throw new Error("the mesh was closed");
    let connection = this.connections.get(endpoint);
    if (connection === undefined) {
      connection = new Connection(this.#world, this.#process(), endpoint);
      this.connections.set(endpoint, connection);
    }
    return connection;
  }
}
