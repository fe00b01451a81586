// What stands outside the members and looks at every step they take. A checker knows nothing of how a member works: it
// sees what one hears, says and publishes, and holds that against the rules that a mesh must keep (PITFALLS §3.1).

import type { Event, Millis, ViewChange } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { ConfigurationId, Gossip, Reply, Request } from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import type { Ending, Process } from "../process.ts";

/** A rule that was broken. */
export interface Violation {
  /** The number of the invariant in PITFALLS §3.1. */
  readonly invariant: number;
  /** Milliseconds since the run began. */
  readonly atMs: Millis;
  /** Whose step showed it; absent where it is the mesh as a whole. */
  readonly member?: string;
  readonly what: string;
}

/** `where`: the configuration that it is about; the one in which the process is, where that is not said. */
export type Report = (
  invariant: number,
  process: Process | undefined,
  what: string,
  where?: ConfigurationId,
) => void;

/** Each of these is called as it happens, within a step in the order of its effects. */
export interface Checker {
  /** `heard`, `said` and `replied` are not called for broadcasts and their answers, most of what happens in a large mesh. */
  readonly ignoresBroadcasts?: true;
  started?(process: Process): void;
  ended?(process: Process, how: Ending): void;
  /** A request reached the process, which has not dealt with it yet. */
  heard?(process: Process, request: Request, token: number): void;
  /** The caller of this request stopped waiting. */
  hungUp?(process: Process, token: number): void;
  /** It sends or asks, of its own. */
  said?(process: Process, request: Request, to: readonly Endpoint[]): void;
  /** It tells on what it has just heard: most of what is sent in a mesh. */
  toldOn?(process: Process, request: Request, to: readonly Endpoint[]): void;
  /** It says something of its own: as above, with the broadcast taken off. */
  uttered?(process: Process, gossip: Gossip): void;
  replied?(process: Process, token: number, reply: Reply): void;
  /** It takes a view; `process.cut` is still the one before. */
  took?(process: Process, cut: ViewChange): void;
  /** The first of all members went from one view to the next by a decision. */
  decided?(process: Process, from: View, to: View): void;
  /** The step is over. */
  stepped?(process: Process, event: Event): void;
  /** All faults are over since long, and the mesh had its time to recover. */
  settled?(): void;
}
