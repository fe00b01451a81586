// Who is told what, and how. Here: flooding, the crate's way, in which everybody tells every new broadcast to all its
// ring successors. It is a part of its own because configurations in which all members run this library can do
// better than flooding.

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import { GossipFilter } from "./gossip-filter.ts";
import type { Broadcast, Gossip } from "./messages.ts";
import type { Random } from "./random.ts";
import type { View } from "./view.ts";

/** A message and those to be told of it. */
export interface Telling {
  readonly broadcast: Broadcast;
  readonly to: readonly Endpoint[];
}

export class Dissemination {
  readonly #self: Endpoint;
  readonly #random: Random;
  readonly #filter: GossipFilter;
  #view: View | undefined;
  #successors: readonly Endpoint[] = [];

  constructor(self: Endpoint, random: Random, now: Millis) {
    this.#self = self;
    this.#random = random;
    this.#filter = new GossipFilter(now);
  }

  /** A member that was removed goes on telling, to those who would be its successors. */
  follow(view: View): void {
    this.#view = view;
    this.#successors = [...new Set(view.subjectsOf(this.#self))].filter((node) => node !== this.#self);
  }

  originate(gossip: Gossip, now: Millis): Telling {
    const broadcast: Broadcast = {
      kind: "broadcast",
      unix: this.#filter.stamp(now),
      unique: this.#random.u64(),
      gossip,
    };
    this.#filter.add(broadcast.unix, broadcast.unique, now);
    return { broadcast, to: this.#successors };
  }

  /** Whom to tell of a broadcast that came in; `undefined` where it was heard before. */
  receive(broadcast: Broadcast, now: Millis): Telling | undefined {
    if (!this.#filter.add(broadcast.unix, broadcast.unique, now)) return undefined;
    return { broadcast, to: this.#successors };
  }

  /** A sentence for the operator when the members' clocks turn out to differ from ours, or to agree again. */
  compareClocks(broadcast: Broadcast, now: Millis): string | undefined {
    if (!this.#view?.has(broadcast.gossip.sender) || broadcast.gossip.sender === this.#self) return undefined;
    if (!this.#filter.compareClocks(broadcast.unix, now)) return undefined;
    const skew = this.#filter.skewSeconds;
    if (skew === 0) return "this machine's clock agrees with the other members' again";
    return `this machine's clock is ${Math.abs(skew)} s ${skew > 0 ? "behind" : "ahead of"} the other members'`;
  }
}
