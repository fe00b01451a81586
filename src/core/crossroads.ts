// A view change whose joiners were told of in several variants. Members vote on endpoints, not on uuids, so others may
// have applied another variant than we did and gone on under another configuration id (PITFALLS B3). When most members
// turn out to speak under an id that one of the other variants leads to, that is the turn to take.

import type { Endpoint } from "./endpoint.ts";
import type { ConfigurationId, Joiner, Proposal } from "./messages.ts";
import type { View } from "./view.ts";

/** Ways that are tried, and configurations that are counted, at most. */
const WAYS_MAX = 256;
const OTHERS_MAX = 16;
const CONFIGURATIONS_MAX = 64;

export class Crossroads {
  readonly #before: View;
  readonly #decision: Proposal;
  readonly #variants: ReadonlyMap<Endpoint, readonly Joiner[]>;
  readonly #taken: View;
  readonly #heard = new Map<ConfigurationId, Set<Endpoint>>();
  /** Where others may have gone instead; where there are many ways, some of them. */
  readonly others: readonly View[];

  /** `variants` has every joiner of the decision, most with one variant only. */
  constructor(
    before: View,
    decision: Proposal,
    variants: ReadonlyMap<Endpoint, readonly Joiner[]>,
    taken: View,
  ) {
    this.#before = before;
    this.#decision = decision;
    this.#variants = variants;
    this.#taken = taken;
    const views = this.#ways.slice(0, OTHERS_MAX).map((joiners) => before.next(decision, joiners));
    this.others = views.filter(({ id }) => id !== taken.id);
  }

  /** A member spoke under a configuration that we do not know. Answers the view to change to, if it is time. */
  hear(sender: Endpoint, configuration: ConfigurationId): View | undefined {
    if (!this.#taken.has(sender)) return undefined;
    let senders = this.#heard.get(configuration);
    if (senders === undefined) {
      if (this.#heard.size >= CONFIGURATIONS_MAX) return undefined;
      senders = new Set();
      this.#heard.set(configuration, senders);
    }
    const isNews = !senders.has(sender);
    senders.add(sender);
    return isNews && senders.size === this.#taken.majority ? this.#wayTo(configuration) : undefined;
  }

  #wayTo(configuration: ConfigurationId): View | undefined {
    for (const joiners of this.#ways) {
      const view = this.#before.next(this.#decision, joiners);
      if (view.id === configuration) return view;
    }
    return undefined;
  }

  /** None where there are too many. */
  get #ways(): readonly ReadonlyMap<Endpoint, Joiner>[] {
    let ways: ReadonlyMap<Endpoint, Joiner>[] = [new Map()];
    for (const [node, variants] of this.#variants) {
      ways = ways.flatMap((way) => variants.map((joiner) => new Map(way).set(node, joiner)));
      if (ways.length > WAYS_MAX) return [];
    }
    return ways;
  }
}
