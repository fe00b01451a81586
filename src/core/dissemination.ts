// Who is told what, and how. Here: flooding, the crate's way, in which everybody tells every new broadcast to all its
// ring successors. It is a part of its own because configurations in which all members run this library can do
// better than flooding.
//
// A member whose predecessors all crashed would hear nothing, not even the decision to remove them; rings of nearby
// addresses are so alike (PITFALLS B14) that this happens when a third crash. So a successor that is suspected is
// told, and the one behind it too: the living stay connected on every ring.

import { LOOK_PAST_MAX } from "./company.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import { GossipFilter } from "./gossip-filter.ts";
import { isWhole } from "./identity.ts";
import type { Broadcast, Gossip } from "./messages.ts";
import type { Random } from "./random.ts";
import type { View } from "./view.ts";

/** A message of our own and those to be told of it. */
export interface Telling {
  readonly broadcast: Broadcast;
  readonly to: readonly Endpoint[];
}

export class Dissemination {
  readonly #self: Endpoint;
  readonly #random: Random;
  readonly #filter: GossipFilter;
  #view: View | undefined;
  readonly #suspects = new Set<Endpoint>();
  #audience: readonly Endpoint[] | undefined;

  constructor(self: Endpoint, random: Random, now: Millis) {
    this.#self = self;
    this.#random = random;
    this.#filter = new GossipFilter(now);
  }

  /** A member that was removed goes on telling, to those who would be its successors. */
  follow(view: View): void {
    this.#view = view;
    this.#filter.follow(view);
    this.#suspects.clear();
    this.#audience = undefined;
  }

  /** Somebody says that this member is down, or it failed to answer us. */
  suspect(node: Endpoint): void {
    if (this.#view?.has(node) !== true || this.#suspects.has(node)) return;
    this.#suspects.add(node);
    this.#audience = undefined;
  }

  /** It answered. */
  trust(node: Endpoint): void {
    if (this.#suspects.delete(node)) this.#audience = undefined;
  }

  originate(gossip: Gossip, now: Millis): Telling {
    const broadcast: Broadcast = {
      kind: "broadcast",
      unix: this.#filter.stamp(now),
      unique: this.#random.u64(),
      gossip,
    };
    this.#filter.add(broadcast.unix, broadcast.unique, now);
    return { broadcast, to: this.#tellsTo() };
  }

  /**
   * Whom to tell of a broadcast that came in; `undefined` where it was heard before, or where something was left out on its way,
   * for others bring the whole of it.
   */
  receive({ unix, unique, gossip }: Broadcast, now: Millis): readonly Endpoint[] | undefined {
    const isOurs = gossip.configuration === this.#view?.id && "value" in gossip;
    if (isOurs && !isWhole(gossip.value, this.#view!)) return undefined;
    if (!this.#filter.add(unix, unique, now)) return undefined;
    if (gossip.sender !== this.#self) this.#filter.compareClocks(gossip.sender, unix, now);
    return this.#tellsTo();
  }

  /** How far the members' clocks are ahead of ours, in seconds; 0 while that is within minutes. */
  get skewSeconds(): number {
    return this.#filter.skewSeconds;
  }

  #tellsTo(): readonly Endpoint[] {
    this.#audience ??= this.#view === undefined ? [] : this.#lookRound(this.#view);
    return this.#audience;
  }

  #lookRound(view: View): readonly Endpoint[] {
    const audience = new Set<Endpoint>();
    for (const [ring, successor] of view.subjectsOf(this.#self).entries()) {
      let node = successor;
      audience.add(node);
      for (let i = 0; i < LOOK_PAST_MAX && this.#suspects.has(node); i++) {
        node = view.subjectsOf(node)[ring]!;
        audience.add(node);
      }
    }
    audience.delete(this.#self);
    return [...audience];
  }
}
