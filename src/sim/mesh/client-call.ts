// A call as grpc-js makes it on a channel, carried over a simulated connection: headers and messages in one direction,
// headers, messages and a status in the other, each pulled by its reader.

import { AsyncResource } from "node:async_hooks";
import { type ChannelInterface, type Deadline, Metadata, status } from "@grpc/grpc-js";
import type { Millis } from "../../core/doorway.ts";
import { addressOf } from "../../core/endpoint.ts";
import type { Task } from "../agenda.ts";
import type { World } from "../world.ts";
import type { Connection, Wires } from "./connection.ts";
import type { ServedCall, Status } from "./served-call.ts";

export type GrpcCall = ReturnType<ChannelInterface["createCall"]>;
type CallListener = Parameters<GrpcCall["start"]>[1];

/** Takes a call at the process at the other end. */
export type Accept = (
  wires: Wires,
  request: {
    readonly path: string;
    readonly headers: Metadata;
    readonly deadline: number;
    readonly peer: string;
  },
  answers: Answers,
) => ServedCall;

/** How the other end speaks to the caller; each arrives when the connection has carried it. */
export interface Answers {
  headers(headers: Metadata): void;
  message(bytes: Buffer): void;
  status(ended: Status): void;
}

/** Until the connection is there, its peer is not known by its address. */
const NOT_YET = "unknown";

export class ClientCall {
  readonly #world: World;
  readonly #connection: Connection;
  readonly #accept: Accept;
  readonly #path: string;
  readonly #deadline: number;
  #listener: CallListener | undefined;
  #headers: Metadata = new Metadata();
  #wires: Wires | undefined;
  #served: ServedCall | undefined;
  /** What was said before the connection was there. */
  readonly #unsent: (() => void)[] = [];
  readonly #messages: Buffer[] = [];
  #wanted = 0;
  #ended: Status | undefined;
  #isOver = false;
  #late: Task | undefined;
  #forget = (): void => {};

  constructor(world: World, connection: Connection, accept: Accept, path: string, deadline: Deadline) {
    this.#world = world;
    this.#connection = connection;
    this.#accept = accept;
    this.#path = path;
    this.#deadline = Number(deadline instanceof Date ? deadline.getTime() : deadline);
  }

  start(headers: Metadata, listener: CallListener): void {
    this.#headers = headers.clone();
    this.#listener = {
      onReceiveMetadata: AsyncResource.bind((received: Metadata) => listener.onReceiveMetadata(received)),
      onReceiveMessage: AsyncResource.bind((message: Buffer) => listener.onReceiveMessage(message)),
      onReceiveStatus: AsyncResource.bind((ended: Required<Status>) => listener.onReceiveStatus(ended)),
    };
    if (this.#deadline !== Infinity) {
      const due: Millis = Math.max(this.#deadline, this.#world.now);
      this.#late = this.#world.network.at(this.#connection.from, due, () =>
        this.cancelWithStatus(status.DEADLINE_EXCEEDED, "Deadline exceeded"),
      );
    }
    this.#connect();
  }

  sendMessageWithContext(
    context: { readonly callback?: (error?: Error | null) => void },
    message: Buffer,
  ): void {
    this.#send(() => this.#served!.message(message));
    context.callback?.();
  }

  sendMessage(message: Buffer): void {
    this.sendMessageWithContext({}, message);
  }

  halfClose(): void {
    this.#send(() => this.#served!.halfClose());
  }

  startRead(): void {
    this.#wanted += 1;
    this.#hand();
  }

  cancelWithStatus(code: status, details: string): void {
    if (this.#isOver) return;
    this.#wires?.there.send(() => this.#served?.cancel());
    this.#messages.length = 0;
    this.#end({ code, details });
  }

  getPeer(): string {
    return this.#wires === undefined ? NOT_YET : addressOf(this.#connection.to);
  }

  getCallNumber(): number {
    return 0;
  }

  setCredentials(): void {}

  getAuthContext(): null {
    return null;
  }

  #connect(): void {
    if (this.#isOver) return;
    const connection = this.#connection;
    connection.connect();
    if (connection.wires !== undefined) return this.#open(connection.wires);
    connection.whenChanged(this.#deadline, (inTime) => {
      if (!inTime) return;
      const isGivenUp = connection.wires === undefined && connection.hasFailed;
      if (isGivenUp) this.cancelWithStatus(status.UNAVAILABLE, "No connection established");
      else this.#connect();
    });
  }

  #open(wires: Wires): void {
    this.#wires = wires;
    this.#forget = this.#connection.whenBroken(() => {
      this.#served?.cancel();
      this.#end({ code: status.UNAVAILABLE, details: "Connection dropped" });
    });
    const { back } = wires;
    const answers: Answers = {
      headers: (headers) => back.send(() => this.#isOver || this.#listener!.onReceiveMetadata(headers)),
      message: (bytes) =>
        back.send(() => {
          this.#messages.push(bytes);
          this.#hand();
        }),
      status: (ended) => back.send(() => this.#end(ended)),
    };
    const request = {
      path: this.#path,
      headers: this.#headers,
      deadline: this.#deadline,
      peer: addressOf(this.#connection.from.endpoint),
    };
    wires.there.send(() => {
      this.#served = this.#accept(wires, request, answers);
    });
    for (const send of this.#unsent.splice(0)) wires.there.send(send);
  }

  #send(arrive: () => void): void {
    if (this.#isOver) return;
    if (this.#wires === undefined) this.#unsent.push(arrive);
    else this.#wires.there.send(arrive);
  }

  #end(ended: Status): void {
    this.#ended ??= ended;
    this.#hand();
  }

  /** Messages as they are wanted; the status after all of them. */
  #hand(): void {
    while (!this.#isOver && this.#wanted > 0 && this.#messages.length > 0) {
      this.#wanted -= 1;
      this.#listener!.onReceiveMessage(this.#messages.shift()!);
    }
    if (this.#isOver || this.#ended === undefined || this.#messages.length > 0) return;
    this.#isOver = true;
    this.#forget();
    if (this.#late !== undefined) this.#late.isOff = true;
    this.#listener?.onReceiveStatus({ metadata: new Metadata(), ...this.#ended });
  }
}
