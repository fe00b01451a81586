// Where a dialogue takes place: between fake members and one Rust peer, or its model. Scripts do not know which. The real
// one is reached over gRPC and takes its time; the model lives in memory and on virtual time.

import type { Millis } from "../../src/core/doorway.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { ConfigurationId, Metadata, Reply, Request } from "../../src/core/messages.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src/core/settings.ts";

/** What the peer goes by on every stage: a short period, for the sake of those who wait for three of them. */
export const PEER_SETTINGS: Settings = { ...DEFAULT_SETTINGS, faultTimeoutMs: 1000 };

export interface PublishedCut {
  readonly configuration: ConfigurationId;
  readonly degraded: boolean;
  readonly members: readonly { readonly endpoint: Endpoint; readonly metadata: Metadata }[];
  readonly joined: readonly Endpoint[];
  readonly kicked: readonly Endpoint[];
}

/** Those who are told what the peer does. */
export interface Audience {
  /** The peer says this to the fake member at `at`, and waits until `answer` is called. */
  heard(at: Endpoint, request: Request, answer: (reply: Reply) => void): void;
  published(cut: PublishedCut): void;
  /** Without where it happened. */
  panicked(why: string): void;
}

export interface Peer {
  readonly endpoint: Endpoint;
  /** Absent, it founds a mesh. */
  readonly seed?: Endpoint | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Stage {
  /** The wall clock that the peer goes by. */
  readonly unixSeconds: bigint;
  /** Starts the peer; fake members listen at all of `fakes`. */
  begin(peer: Peer, fakes: readonly Endpoint[], audience: Audience): Promise<void>;
  /** Says it to the peer. `answered` is called once at most. What is returned hangs up. */
  say(request: Request, answered: (reply: Reply) => void): () => void;
  /** Lets time pass until `isOver`, `atMostMs` as a rule, and then for `lullMs`. */
  pass(isOver: () => boolean, atMostMs: Millis, lullMs: Millis): Promise<void>;
  end(): Promise<void>;
}
