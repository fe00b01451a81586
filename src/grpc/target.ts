// Where a channel connects to: one literal address, so that no name is ever looked up. The address carries an
// AbortSignal for each socket: grpc-js itself has no limit on how long a connection may take to be established, and
// leaves the socket of one that never was behind (grpc-node #2785).

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

export interface Addressing {
  /** Channel options under which connections are made to this endpoint. */
  readonly options: ChannelOptions;
  /** From now on no connection can come about. */
  end(): void;
}

/** `nextSignal` is asked once for each socket. */
export function addressing(endpoint: Endpoint, nextSignal: () => AbortSignal): Addressing {
  let isOver = false;
  const address = {
    host: ipOf(endpoint),
    port: portOf(endpoint),
    get signal(): AbortSignal | undefined {
      return isOver ? undefined : nextSignal();
    },
  };
  const end = (): void => {
    isOver = true;
    // grpc-js may be about to connect at this moment: to where nobody can be.
    address.host = "127.0.0.1";
    address.port = 0;
  };
  return { options: { [ADDRESS]: address }, end };
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
