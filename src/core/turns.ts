// Which turn most members took at the last view change, where it could be taken in several ways (PITFALLS B3). Some
// speak under an id that another variant of a joiner leads to, others prove where they went. Whoever took the turn of
// the fewer changes over.

import { asAppliedIn } from "./certificates.ts";
import type { Finding } from "./configuration-check.ts";
import { Crossroads } from "./crossroads.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Certificate, ConfigurationId, Joiner } from "./messages.ts";
import type { View } from "./view.ts";

/** Other turns that are remembered. */
const TURNS_MAX = 64;
/** Times in a row that a Rust member says nothing before it is taken for gone, as one that crashed is. */
const SILENT_MAX = 3;

/** The turn to take instead of ours, and the decision as it was applied there. */
export interface Turn {
  readonly view: View;
  readonly by: Certificate;
}

export class Turns {
  /** Present where the last view change could have been applied in several ways. */
  #crossroads: { readonly by: Certificate; readonly ways: Crossroads } | undefined;
  /** Members that took other turns than we did, and whether they would change over. */
  readonly #turned = new Map<ConfigurationId, Map<Endpoint, boolean>>();
  /** Rust members that said nothing when they were asked last, and how often in a row. */
  readonly #silent = new Map<Endpoint, number>();

  /** A configuration begins. */
  follow(): void {
    this.#crossroads = undefined;
    this.#turned.clear();
    this.#silent.clear();
  }

  /** The step from `before` to this view could have been taken in several ways; answers where it could have led instead. */
  at(
    before: View,
    by: Certificate,
    variants: ReadonlyMap<Endpoint, readonly Joiner[]>,
    taken: View,
  ): readonly View[] {
    const ways = new Crossroads(before, by.value, variants, taken);
    this.#crossroads = { by, ways };
    return ways.others;
  }

  /** A member speaks under a configuration that we do not know. */
  hear(sender: Endpoint, configuration: ConfigurationId): Turn | undefined {
    return this.#to(this.#crossroads?.ways.hear(sender, configuration));
  }

  /**
   * A member that follows nobody was found there, where the last step could have led instead. Whoever is free, since it
   * neither voted nor promised where it is, may change over at any time, and does where most of those are who cannot: or
   * two camps may remain, neither of them a majority.
   */
  found(member: Endpoint, other: View, ours: View, isFree: boolean): Turn | undefined {
    if (!this.#isWay(other)) return undefined;
    const isTime = this.#count(member, false, other, ours) || (isFree && this.#holdsMost(other, ours));
    return isTime ? this.#to(other) : undefined;
  }

  /** A member was asked where it is. */
  heard(member: Endpoint, finding: Finding, ours: View): void {
    if (this.#crossroads === undefined || ours.isNode(member)) return;
    if (finding === "silent") this.#silent.set(member, (this.#silent.get(member) ?? 0) + 1);
    else this.#silent.delete(member);
  }

  /** A member proves that it went to this view from where we went to `ours`; true where so many did that we have to. */
  proves(member: Endpoint, other: View, ours: View): boolean {
    return this.#count(member, true, other, ours);
  }

  #count(member: Endpoint, wouldFollow: boolean, other: View, ours: View): boolean {
    const members = this.#turned.get(other.id) ?? new Map<Endpoint, boolean>();
    if (this.#turned.size < TURNS_MAX) this.#turned.set(other.id, members.set(member, wouldFollow));
    if (2 * members.size !== ours.size) return 2 * members.size > ours.size;
    // Of two halves, one in which nobody would follow is the one to go to.
    return other.id > ours.id || ![...members.values()].includes(true);
  }

  /** Most of the Rust members that answer, which follow nobody, are there. */
  #holdsMost(other: View, ours: View): boolean {
    const there = this.#turned.get(other.id);
    const rust = this.#rustIn(ours);
    return 2 * rust.filter((member) => there?.get(member) === false).length > rust.length;
  }

  /** Those that answer, or may do so yet. */
  #rustIn(view: View): readonly Endpoint[] {
    const isSilent = (member: Endpoint): boolean => (this.#silent.get(member) ?? 0) >= SILENT_MAX;
    return view.members.filter((member) => !view.isNode(member) && !isSilent(member));
  }

  /** The last step could have led there. */
  #isWay(other: View): boolean {
    return this.#crossroads?.ways.others.some(({ id }) => id === other.id) === true;
  }

  #to(view: View | undefined): Turn | undefined {
    if (view === undefined) return undefined;
    const { by } = this.#crossroads!;
    return { view, by: asAppliedIn(view, by) };
  }
}
