// Which turn most members took at the last view change, where it could be taken in several ways (PITFALLS B3). Some
// speak under an id that another variant of a joiner leads to, others prove where they went. Whoever took the turn of
// the fewer changes over.

import { Crossroads } from "./crossroads.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Certificate, ConfigurationId, Joiner } from "./messages.ts";
import type { View } from "./view.ts";

/** Other turns that are remembered. */
const TURNS_MAX = 64;

/** The turn to take instead of ours, and the decision as it was applied there. */
export interface Turn {
  readonly view: View;
  readonly by: Certificate;
}

export class Turns {
  /** Present where the last view change could have been applied in several ways. */
  #crossroads: { readonly by: Certificate; readonly ways: Crossroads } | undefined;
  /** Members that follow other turns than ours, of those who prove it. */
  readonly #turned = new Map<ConfigurationId, Set<Endpoint>>();

  /** A configuration begins. */
  follow(): void {
    this.#crossroads = undefined;
    this.#turned.clear();
  }

  /** The step from `before` to this view could have been taken in several ways. */
  at(before: View, by: Certificate, variants: ReadonlyMap<Endpoint, readonly Joiner[]>, taken: View): void {
    this.#crossroads = { by, ways: new Crossroads(before, by.value, variants, taken) };
  }

  /** A member speaks under a configuration that we do not know. */
  hear(sender: Endpoint, configuration: ConfigurationId): Turn | undefined {
    const view = this.#crossroads?.ways.hear(sender, configuration);
    if (view === undefined) return undefined;
    const { by } = this.#crossroads!;
    return { view, by: { ...by, joiners: joinersIn(view, by) } };
  }

  /** A member proves that it went to this view from where we went to `ours`; true where so many did that we have to. */
  proves(member: Endpoint, other: View, ours: View): boolean {
    const members = this.#turned.get(other.id) ?? new Set();
    if (this.#turned.size < TURNS_MAX) this.#turned.set(other.id, members.add(member));
    return 2 * members.size > ours.size || (2 * members.size === ours.size && other.id > ours.id);
  }
}

/** The same decision, with the joiners as this view has them. */
function joinersIn(view: View, { joiners }: Certificate): ReadonlyMap<Endpoint, Joiner> {
  return new Map(
    [...joiners].map(([node, joiner]) => {
      const { uuid = joiner.uuid, metadata } = view.recordOf(node)!;
      return [node, { uuid, metadata }];
    }),
  );
}
