// Where a channel connects to: one literal address, so that no name is ever looked up. The address carries an
// AbortSignal, which Node heeds for the socket it is connected with: grpc-js itself has no limit on how long a
// connection may take to be established, and leaves the socket of one that never was behind (grpc-node #2785).

import { type ChannelOptions, experimental } from "@grpc/grpc-js";
import { addressOf, type Endpoint, ipOf, portOf } from "../core/endpoint.ts";

const SCHEME = "blip-peer";
const ADDRESS = "blip.address";

export function targetOf(endpoint: Endpoint): string {
  return `${SCHEME}:${addressOf(endpoint)}`;
}

/** What grpc-js says of the peer of a call that has no connection yet: the target of its channel, or that. */
export function isTarget(peer: string): boolean {
  return peer === "unknown" || peer.startsWith(`${SCHEME}:`);
}

/** Channel options under which the connections to this endpoint are destroyed when `signal` is aborted. */
export function addressing(endpoint: Endpoint, signal: AbortSignal): ChannelOptions {
  const address: { host: string; port: number; signal?: AbortSignal } = {
    host: ipOf(endpoint),
    port: portOf(endpoint),
    signal,
  };
  // grpc-js may be about to connect at that moment, and Node would connect with an aborted signal all the same. So
  // what begins later is sent to where nobody can be.
  signal.addEventListener("abort", () => {
    address.host = "127.0.0.1";
    address.port = 0;
    delete address.signal;
  });
  return { [ADDRESS]: address };
}

class LiteralResolver implements experimental.Resolver {
  readonly #listener: experimental.ResolverListener;
  readonly #address: experimental.SubchannelAddress;
  #answered = false;

  constructor(
    _target: experimental.GrpcUri,
    listener: experimental.ResolverListener,
    options: ChannelOptions,
  ) {
    this.#listener = listener;
    this.#address = options[ADDRESS];
  }

  // It is asked again whenever a connection is lost. Answering each time would make the balancer start over.
  updateResolution(): void {
    if (this.#answered) return;
    this.#answered = true;
    process.nextTick(() => {
      if (!this.#answered) return;
      const found = experimental.statusOrFromValue([{ addresses: [this.#address] }]);
      this.#listener(found, {}, null, "");
    });
  }

  destroy(): void {
    this.#answered = false;
  }

  static getDefaultAuthority(target: experimental.GrpcUri): string {
    return target.path;
  }
}

experimental.registerResolver(SCHEME, LiteralResolver);
