// One channel per peer. The connection below it is made by the first call, made anew where it was lost, and given
// up where it does not become ready in time, so that a peer that was frozen or cut off is reached soon after it is
// back. Sockets are destroyed with the channel; grpc-js alone would leave them.

import {
  type ChannelCredentials,
  type ChannelInterface,
  type ChannelOptions,
  connectivityState,
  credentials,
  type experimental,
  Channel as GrpcChannel,
} from "@grpc/grpc-js";
import { type Endpoint, isTls } from "../core/endpoint.ts";
import { addressing, targetOf } from "./target.ts";

export interface ChannelsOptions {
  /** How to speak to this peer. By default in plaintext, or with TLS and the usual roots, as its endpoint says. */
  readonly credentials?: (endpoint: Endpoint) => ChannelCredentials;
  /** On top of this file's own, which they override. */
  readonly channelOptions?: ChannelOptions;
  /** How long a connection may take to be ready. */
  readonly connectTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 3000;
/** How long calls under way may still use a connection that was closed. */
const LINGER_MS = 10_000;

const CHANNEL_OPTIONS: ChannelOptions = {
  // Channels must not share connections, or closing one would not close its own.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2000,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5000,
  // Peers that are spoken to at all are spoken to every few seconds.
  "grpc.client_idle_timeout_ms": 30_000,
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
  "grpc.max_send_message_length": -1,
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
};

/** A channel of grpc-js with what is needed to be rid of it. */
interface Link {
  readonly channel: ChannelInterface;
  readonly abort: AbortController;
  /** Runs while there is no connection though one is wanted. */
  overdue: NodeJS.Timeout | undefined;
}

export class Channels {
  readonly #options: ChannelsOptions;
  readonly #links = new Map<Endpoint, Link>();
  #closed = false;

  constructor(options: ChannelsOptions = {}) {
    this.#options = options;
  }

  /** The channel to this endpoint. Whatever becomes of connections, it can be used until the pool is closed. */
  to(endpoint: Endpoint): ChannelInterface {
    return new PeerChannel(
      () => this.#link(endpoint).channel,
      () => this.close(endpoint),
    );
  }

  /** Closes the connections to all others. Calls that are under way may end; a new call connects again. */
  retain(endpoints: Iterable<Endpoint>): void {
    const wanted = new Set(endpoints);
    for (const endpoint of this.#links.keys()) if (!wanted.has(endpoint)) this.close(endpoint);
  }

  close(endpoint: Endpoint): void {
    const link = this.#links.get(endpoint);
    if (link === undefined) return;
    this.#links.delete(endpoint);
    clearTimeout(link.overdue);
    link.channel.close();
    setTimeout(() => link.abort.abort(), LINGER_MS).unref();
  }

  /** Closes everything, at once and for good. */
  closeAll(): void {
    this.#closed = true;
    for (const endpoint of this.#links.keys()) this.#giveUp(endpoint);
  }

  /** Endpoints with a channel, connected or not. */
  get size(): number {
    return this.#links.size;
  }

  #link(endpoint: Endpoint): Link {
    const known = this.#links.get(endpoint);
    if (known !== undefined) return known;
    if (this.#closed) throw new Error("Channel has been shut down");
    const abort = new AbortController();
    const channel = new GrpcChannel(
      targetOf(endpoint),
      this.#options.credentials?.(endpoint) ?? usualCredentials(endpoint),
      { ...CHANNEL_OPTIONS, ...this.#options.channelOptions, ...addressing(endpoint, abort.signal) },
    );
    const link: Link = { channel, abort, overdue: undefined };
    this.#links.set(endpoint, link);
    this.#watch(endpoint, link);
    return link;
  }

  /**
   * Follows the state of a link. grpc-js stays in TRANSIENT_FAILURE while it connects again, so a link is overdue
   * from its first attempt on, until one attempt succeeds.
   */
  #watch(endpoint: Endpoint, link: Link): void {
    const state = link.channel.getConnectivityState(false);
    if (state === connectivityState.SHUTDOWN) return;
    if (state === connectivityState.READY || state === connectivityState.IDLE) {
      clearTimeout(link.overdue);
      link.overdue = undefined;
    } else if (link.overdue === undefined) {
      const timeoutMs = this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
      link.overdue = setTimeout(() => this.#giveUp(endpoint), timeoutMs).unref();
    }
    link.channel.watchConnectivityState(state, Infinity, () => this.#watch(endpoint, link));
  }

  #giveUp(endpoint: Endpoint): void {
    const link = this.#links.get(endpoint);
    this.close(endpoint);
    link?.abort.abort();
  }
}

function usualCredentials(endpoint: Endpoint): ChannelCredentials {
  return isTls(endpoint) ? credentials.createSsl() : credentials.createInsecure();
}

/** What grpc-js takes for a channel: passes everything on to whichever channel there is now. */
class PeerChannel implements ChannelInterface {
  readonly #current: () => ChannelInterface;
  readonly #close: () => void;

  constructor(current: () => ChannelInterface, close: () => void) {
    this.#current = current;
    this.#close = close;
  }

  createCall(...call: Parameters<ChannelInterface["createCall"]>): experimental.CallStream {
    return this.#current().createCall(...call);
  }

  close(): void {
    this.#close();
  }

  getTarget(): string {
    return this.#current().getTarget();
  }

  getConnectivityState(tryToConnect: boolean): connectivityState {
    return this.#current().getConnectivityState(tryToConnect);
  }

  watchConnectivityState(...watch: Parameters<ChannelInterface["watchConnectivityState"]>): void {
    this.#current().watchConnectivityState(...watch);
  }

  getChannelzRef(): ReturnType<ChannelInterface["getChannelzRef"]> {
    return this.#current().getChannelzRef();
  }
}
