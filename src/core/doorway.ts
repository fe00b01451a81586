// All that may enter or leave a Member. Events and effects are data; nothing else crosses, so that the same
// member runs under gRPC and in a simulation, and so that what it did can be replayed.

import type { Endpoint } from "./endpoint.ts";
import type { Reply, Request } from "./messages.ts";
import type { View } from "./view.ts";

/** Milliseconds on a clock that never goes back and that reads as Unix time when the process starts. */
export type Millis = number;

/** Names an inbound request until its one reply has left. */
export type Token = number;

/** Names an outbound call until its one answer has come. */
export type CallId = number;

/** What an attempt to connect came to; `unknown` is silence, or trouble on our own side. */
export type Found = "accepted" | "refused" | "unknown";

export type Event =
  /** Found a mesh, or look for seeds and join one. */
  | { readonly kind: "start" }
  /** The answer to the effect `findSeeds`: addresses that may be members. May be empty. */
  | { readonly kind: "seeds"; readonly seeds: readonly Endpoint[] }
  | { readonly kind: "request"; readonly token: Token; readonly request: Request }
  /** The caller of this request stopped waiting. */
  | { readonly kind: "hangup"; readonly token: Token }
  /** A call was answered; one that timed out or never arrived was refused. */
  | { readonly kind: "answer"; readonly call: CallId; readonly reply: Reply }
  /** A connection to this peer, over which it had answered, broke without our doing. */
  | { readonly kind: "disconnected"; readonly peer: Endpoint }
  /** What the effect `dial` came to. */
  | { readonly kind: "dialled"; readonly at: Endpoint; readonly found: Found }
  /** Leave gracefully: be removed by the others, vote until it is so, and be done by `timeoutMs` at the latest. */
  | { readonly kind: "leave"; readonly timeoutMs: Millis }
  /** `wakeAt` has come. */
  | { readonly kind: "wake" };

export type Effect =
  /** Tell these; no answer is wanted. */
  | { readonly kind: "send"; readonly to: readonly Endpoint[]; readonly request: Request }
  /** Ask; exactly one `answer` comes back, within `timeoutMs`. */
  | {
      readonly kind: "call";
      readonly call: CallId;
      readonly to: Endpoint;
      readonly request: Request;
      readonly timeoutMs: Millis;
    }
  /** The answer to this call is of no interest any more. */
  | { readonly kind: "cancel"; readonly call: CallId }
  /** Try to connect there, say nothing, and disconnect. Exactly one `dialled` comes back, within a second or so. */
  | { readonly kind: "dial"; readonly at: Endpoint }
  | { readonly kind: "reply"; readonly token: Token; readonly reply: Reply }
  | { readonly kind: "cut"; readonly cut: ViewChange }
  /** Look up where members may be found, and say so with the event `seeds`. */
  | { readonly kind: "findSeeds" }
  /** The wish to leave is fulfilled, or its time is over. */
  | { readonly kind: "left"; readonly removed: boolean }
  /** What it doubts is not what it was. */
  | { readonly kind: "doubts"; readonly doubts: Doubts }
  | { readonly kind: "note"; readonly level: Level; readonly text: string };

export type Level = "debug" | "info" | "warn";

/** One step from a configuration to the next, as this member took it. */
export interface ViewChange {
  readonly view: View;
  /** Members that were not in this member's view before, in the order of the view; in its first cut, all. */
  readonly joined: readonly Endpoint[];
  /** Members of the view before that are gone, in its order. */
  readonly kicked: readonly Endpoint[];
  /** This member is not in the view: it was removed, or gave up a view that the others left behind. */
  readonly degraded: boolean;
}

/** What a member doubts of its own condition (PITFALLS E12): for people to look at, nothing depends on it. */
export interface Doubts {
  /**
   * So many members are silent, for some five probe periods, that no majority seems to be left. Nobody joins and nobody is
   * removed until they are back, or an operator says that they are dead (docs/lost-quorum.md). Calls go on. Where there
   * are more than 17 members it is an estimate from a sample.
   */
  readonly noQuorum: boolean;
  /** Most members that answer seem to be in another configuration; should it last, this one joins again by itself. */
  readonly stale: boolean;
  /**
   * Seconds by which this machine's clock is ahead of most members', negative where it is behind; 0 while that is within
   * two minutes. Node members do without equal clocks; Rust ones forget what they have heard too early or too late.
   */
  readonly clockAheadSeconds: number;
}

/** A member as its surroundings see it: synchronous, deterministic, silent. */
export interface Machine {
  step(event: Event, now: Millis): readonly Effect[];
  /** When it next wants the event `wake`; Infinity when nothing is due. */
  readonly wakeAt: Millis;
}
