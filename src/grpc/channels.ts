// One channel per peer. The connection below it is made by the first call, made anew where it was lost, and given
// up where it does not become ready in time, so that a peer that was frozen or cut off is reached soon after it is
// back. Where that happens again and again, the peer or we may just be short of CPU, and more time is given.

import type {
  ChannelCredentials,
  ChannelInterface,
  ChannelOptions,
  connectivityState,
  experimental,
} from "@grpc/grpc-js";
import type { Endpoint } from "../core/endpoint.ts";
import { Link } from "./link.ts";
import { credentialsFor } from "./tls-credentials.ts";
import type { TlsIdentity } from "./tls-identity.ts";

export interface ChannelsOptions {
  /** What to show to peers that speak TLS, and whom to trust; absent, nothing, and those whom Node trusts. */
  readonly identity?: TlsIdentity | undefined;
  /** How to speak to this peer, where that is not for its endpoint and `identity` to say. */
  readonly credentials?: (endpoint: Endpoint) => ChannelCredentials;
  /** On top of this file's own, which they override. */
  readonly channelOptions?: ChannelOptions;
  /** How long the first connection may take to be ready; the next up to three times as long. */
  readonly connectTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 3000;
const PATIENCE_MAX = 3;
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
  // What a peer may send before it hears that it was read, on each connection. With HTTP/2's own 64 KiB, answers of a few
  // hundred KiB stand still several times on their way.
  "grpc-node.flow_control_window": 1024 * 1024,
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
  "grpc.max_send_message_length": -1,
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
};

export class Channels {
  readonly #options: ChannelsOptions;
  readonly #links = new Map<Endpoint, Link>();
  /** Closed, but calls may be under way there, and the peer may not have heard of it. */
  readonly #lingering = new Set<Link>();
  /** How many connections in a row did not come about in time. */
  readonly #overdue = new Map<Endpoint, number>();
  #closed = false;

  constructor(options: ChannelsOptions = {}) {
    this.#options = options;
  }

  /** The channel to this endpoint. Whatever becomes of connections, it can be used until the pool is closed. */
  to(endpoint: Endpoint): ChannelInterface {
    return new PeerChannel(
      () => this.#link(endpoint),
      () => this.close(endpoint),
    );
  }

  /** Closes the connections to all others. Calls that are under way may end; a new call connects again. */
  retain(endpoints: Iterable<Endpoint>): void {
    const wanted = new Set(endpoints);
    for (const endpoint of this.#links.keys()) if (!wanted.has(endpoint)) this.close(endpoint);
    for (const endpoint of this.#overdue.keys()) if (!wanted.has(endpoint)) this.#overdue.delete(endpoint);
  }

  /** Where the last attempts to connect failed, the next call makes another at once. */
  reconnect(endpoint: Endpoint): void {
    if (this.#links.get(endpoint)?.isFailing) this.close(endpoint);
  }

  close(endpoint: Endpoint): void {
    const link = this.#links.get(endpoint);
    if (link === undefined) return;
    this.#links.delete(endpoint);
    if (!link.isReady) return link.cut("the channel was closed");
    link.close();
    this.#lingering.add(link);
    setTimeout(() => this.#cut(link), LINGER_MS).unref();
  }

  /** Closes everything, at once and for good. */
  closeAll(): void {
    this.#closed = true;
    this.#overdue.clear();
    for (const endpoint of this.#links.keys()) this.close(endpoint);
    for (const link of this.#lingering) this.#cut(link);
  }

  /** Endpoints with a channel, connected or not. */
  get size(): number {
    return this.#links.size;
  }

  #cut(link: Link): void {
    this.#lingering.delete(link);
    link.cut("the channel was closed");
  }

  #link(endpoint: Endpoint): Link {
    const known = this.#links.get(endpoint);
    if (known !== undefined) return known;
    if (this.#closed) throw new Error("Channel has been shut down");
    const { credentials, identity, channelOptions, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const overdue = this.#overdue.get(endpoint) ?? 0;
    const link = new Link(
      endpoint,
      credentials?.(endpoint) ?? credentialsFor(endpoint, identity),
      { ...CHANNEL_OPTIONS, ...channelOptions },
      connectTimeoutMs * Math.min(1 + overdue, PATIENCE_MAX),
      {
        connected: () => this.#overdue.delete(endpoint),
        overdue: (why) => {
          this.#overdue.set(endpoint, overdue + 1);
          this.#links.delete(endpoint);
          link.cut(why);
        },
      },
    );
    this.#links.set(endpoint, link);
    return link;
  }
}

/** What grpc-js takes for a channel: passes everything on to whichever channel there is now. */
class PeerChannel implements ChannelInterface {
  readonly #link: () => Link;
  readonly #close: () => void;

  constructor(link: () => Link, close: () => void) {
    this.#link = link;
    this.#close = close;
  }

  createCall(...call: Parameters<ChannelInterface["createCall"]>): experimental.CallStream {
    return this.#link().createCall(...call);
  }

  close(): void {
    this.#close();
  }

  getTarget(): string {
    return this.#link().channel.getTarget();
  }

  getConnectivityState(tryToConnect: boolean): connectivityState {
    return this.#link().channel.getConnectivityState(tryToConnect);
  }

  watchConnectivityState(...watch: Parameters<ChannelInterface["watchConnectivityState"]>): void {
    this.#link().channel.watchConnectivityState(...watch);
  }

  getChannelzRef(): ReturnType<ChannelInterface["getChannelzRef"]> {
    return this.#link().channel.getChannelzRef();
  }
}
