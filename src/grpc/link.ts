// A channel of grpc-js, and how to be rid of it: it tells when no connection comes about in time, and when it is cut
// its calls end and its sockets are destroyed. grpc-js alone would wait for ever, and leave the sockets.

import {
  type ChannelCredentials,
  type ChannelInterface,
  type ChannelOptions,
  connectivityState,
  type experimental,
  Channel as GrpcChannel,
  status,
} from "@grpc/grpc-js";
import type { Endpoint } from "../core/endpoint.ts";
import { Sockets } from "./sockets.ts";
import { type Addressing, addressing, targetOf } from "./target.ts";

/** Who is told of connections. */
export interface Watcher {
  readonly connected: () => void;
  /** A connection did not come about in time. */
  readonly overdue: (why: string) => void;
}

type Call = experimental.CallStream;
type Listener = Parameters<Call["start"]>[1];

export class Link {
  readonly channel: ChannelInterface;
  readonly #sockets = new Sockets();
  readonly #addressing: Addressing;
  readonly #calls = new Set<Call>();
  readonly #connectTimeoutMs: number;
  readonly #watcher: Watcher;
  /** Runs while there is no connection though one is wanted. */
  #timer: NodeJS.Timeout | undefined;

  constructor(
    endpoint: Endpoint,
    credentials: ChannelCredentials,
    options: ChannelOptions,
    connectTimeoutMs: number,
    watcher: Watcher,
  ) {
    this.#addressing = addressing(endpoint, () => this.#sockets.nextSignal());
    const withAddress = { ...options, ...this.#addressing.options };
    this.channel = new GrpcChannel(targetOf(endpoint), credentials, withAddress);
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#watcher = watcher;
    this.#watch();
  }

  createCall(...how: Parameters<ChannelInterface["createCall"]>): Call {
    const call = this.channel.createCall(...how);
    const start = call.start.bind(call);
    call.start = (headers, listener) => {
      this.#calls.add(call);
      start(headers, this.#listening(call, listener));
    };
    return call;
  }

  get isReady(): boolean {
    return this.channel.getConnectivityState(false) === connectivityState.READY;
  }

  /** It could not connect, and waits before it tries again. */
  get isFailing(): boolean {
    return this.channel.getConnectivityState(false) === connectivityState.TRANSIENT_FAILURE;
  }

  /** Takes no more calls, and disconnects when those under way have ended. */
  close(): void {
    this.#rest();
    this.channel.close();
  }

  /** Ends everything at once. */
  cut(why: string): void {
    for (const call of this.#calls) call.cancelWithStatus(status.UNAVAILABLE, why);
    this.close();
    this.#addressing.end();
    this.#sockets.destroy();
  }

  /**
   * Follows the state of the channel. grpc-js stays in TRANSIENT_FAILURE while it connects again, so it is overdue
   * counting from the first attempt, until one attempt succeeds.
   */
  #watch(): void {
    const state = this.channel.getConnectivityState(false);
    if (state === connectivityState.SHUTDOWN) return;
    if (state === connectivityState.READY) {
      this.#sockets.connected();
      this.#watcher.connected();
    }
    if (state === connectivityState.READY || state === connectivityState.IDLE) this.#rest();
    // What has arrived by then is read first: it may be the connection, where this process could not run before.
    else this.#timer ??= setTimeout(() => setImmediate(() => this.#late()), this.#connectTimeoutMs).unref();
    this.channel.watchConnectivityState(state, Infinity, () => this.#watch());
  }

  #late(): void {
    if (this.#timer !== undefined) this.#watcher.overdue(`no connection within ${this.#connectTimeoutMs} ms`);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Listens along, to know when the call is over. */
  #listening(call: Call, listener: Listener): Listener {
    return {
      onReceiveMetadata: (headers) => listener.onReceiveMetadata(headers),
      onReceiveMessage: (message) => listener.onReceiveMessage(message),
      onReceiveStatus: (ended) => {
        this.#calls.delete(call);
        listener.onReceiveStatus(ended);
      },
    };
  }
}
