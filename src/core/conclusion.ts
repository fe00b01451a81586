// What is to be done, by what was concluded: of a round, what it wants done after it heard something or after time passed,
// gathered while it thinks; of healing, what helps against what was found out of where others are.

import type { Step } from "./certificates.ts";
import type { Endpoint } from "./endpoint.ts";
import {
  ack,
  type Certificate,
  type Edge,
  type Gossip,
  type Joiner,
  type PromiseMessage,
  type Reply,
} from "./messages.ts";

/** What a round wants done after it heard something, or after time passed. */
export interface Conclusion {
  /** To be broadcast; our own copy comes back to `hear`. */
  readonly say: readonly Gossip[];
  /** To be sent to its rank's coordinator only. */
  readonly promise?: { readonly to: Endpoint; readonly message: PromiseMessage };
  /** Edges to report on our own rings, in the next batch. */
  readonly report: readonly Edge[];
  /** The value that ends this configuration, with the joiners that it names. */
  readonly decided?: Certificate;
  /** Present where joiners of the decision were told of in several variants, and it does not say which is meant. */
  readonly variants?: ReadonlyMap<Endpoint, readonly Joiner[]> | undefined;
  /** A decision was made that we cannot apply, and its missing part did not come. */
  readonly isLost: boolean;
}

/** The same, with the answer to whoever was heard. */
export interface Heard extends Conclusion {
  readonly reply: Reply;
}

/** A conclusion that is still being drawn. */
export type Draft = { -readonly [K in keyof Heard]: Heard[K] };

const NOTHING: readonly never[] = [];

/** Nearly all that are drawn from votes stay so. */
export function emptyDraft(): Draft {
  return { reply: ack, say: NOTHING, report: NOTHING, isLost: false };
}

/** Give our configuration up, and ask these first for a way in; for good, where they are in another mesh. */
export interface JoinAnew {
  readonly kind: "joinAnew";
  readonly why: string;
  readonly contacts: readonly Endpoint[];
  readonly isForGood?: true;
}

/** What to do about where others were found to be. */
export type Remedy =
  /** Take these views, one after the other; or, where it is a jump, give our configuration up for one further on. */
  | { readonly kind: "go"; readonly steps: readonly Step[]; readonly isJump?: true }
  | JoinAnew
  /** A process of another mesh has its address, or nobody can help it: have it removed. */
  | { readonly kind: "report"; readonly subject: Endpoint };
