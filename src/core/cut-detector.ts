// From reports about single edges to one proposal for everybody (Rapid §4.2).
//
// A subject reported on fewer than L rings is noise; on H or more it is stable, surely to be added or removed; in
// between it is unstable, and nobody is proposed while anybody is unstable. Since reports about one event come from
// all its observers at nearly the same time, members that wait for stability see the same cut.
//
// Observers that are themselves going cannot report, so a report is implied where an observer is reported on L
// rings or more, to a fixpoint (PITFALLS B7: the crate's narrower rule wedges when several crash at once). And a
// subject that is accused by all the observers that it has left goes with those that are surely going, even where
// these accusers hold fewer than L rings; it would otherwise be found only when it has got new observers.

import { countOnes } from "./bitset.ts";
import { companyOf } from "./company.ts";
import type { Millis } from "./doorway.ts";
import { compareEndpoints, type Endpoint } from "./endpoint.ts";
import type { Edge, Proposal, Refused } from "./messages.ts";
import { refuse } from "./refusals.ts";
import type { CutDetectorSettings } from "./settings.ts";
import type { View } from "./view.ts";

export interface Unstable {
  readonly node: Endpoint;
  /** Since when it has been unstable without a break. */
  readonly since: Millis;
}

export class CutDetector {
  readonly #view: View;
  readonly #low: number;
  readonly #high: number;
  /** Subject → the rings on which it is reported, as bits. */
  readonly #reports = new Map<Endpoint, number>();
  /** Subject → when an observer last reported it. */
  readonly #accusedAt = new Map<Endpoint, Millis>();
  /** When the first report about a member came. */
  #firstAccusedAt: Millis = Infinity;
  /** Subject → observer → when it last reported it. */
  readonly #accusers = new Map<Endpoint, Map<Endpoint, Millis>>();
  /** By member: when something that it said last arrived. */
  readonly #heardAt: Float64Array;
  /** Whose word got to the member that was asked about last. */
  #company: ReadonlySet<Endpoint> = new Set();
  readonly #unstableSince = new Map<Endpoint, Millis>();
  /** Subject → since when it has been stable. */
  readonly #stable = new Map<Endpoint, Millis>();
  readonly #ignored = new Set<Endpoint>();
  /** Not waited for, for as long as only those accuse them who are stable. */
  readonly #excused = new Set<Endpoint>();
  /** Members that are unstable or stable: observers whose own reports may be implied. */
  readonly #going = new Set<Endpoint>();

  constructor(view: View, { low, high }: CutDetectorSettings, self?: Endpoint) {
    this.#view = view;
    this.#heardAt = new Float64Array(view.size).fill(-Infinity);
    if (self !== undefined) this.hears(view.indexOf(self), Infinity);
    this.#low = low;
    this.#high = high;
  }

  isMember(node: Endpoint): boolean {
    return this.#view.has(node);
  }

  /** On how many rings the subject is reported, implied reports included. */
  countOf(node: Endpoint): number {
    return countOnes(this.#reports.get(node) ?? 0);
  }

  /** Since when somebody has been missing a member; Infinity while nobody does. */
  get firstAccusedAt(): Millis {
    return this.#firstAccusedAt;
  }

  isReported(node: Endpoint, ring: number): boolean {
    return (((this.#reports.get(node) ?? 0) >>> ring) & 1) === 1;
  }

  /** The member at this position in the view is there. */
  hears(member: number, now: Millis): void {
    this.#heardAt[member] = now;
  }

  report(node: Endpoint, ring: number, now: Millis): void {
    this.#accusedAt.set(node, now);
    if (this.#view.has(node)) this.#firstAccusedAt = Math.min(this.#firstAccusedAt, now);
    const accusers = this.#accusers.get(node) ?? new Map<Endpoint, Millis>();
    const accuser = this.#view.observersOf(node)[ring]!;
    this.#accusers.set(node, accusers.set(accuser, now));
    if (!this.#stable.has(accuser)) this.#excused.delete(node);
    this.#set(node, (this.#reports.get(node) ?? 0) | (1 << ring), now);
  }

  /** The word of most members does not get to this one any more, past those that are reported. */
  isCutOff(node: Endpoint): boolean {
    const view = this.#view;
    if (view.isAllNode || this.#firstAccusedAt === Infinity) return false;
    this.#company = companyOf(node, view, (member) => this.#accusedAt.has(member));
    return this.#company.size < view.majority;
  }

  /** One of the few that are still heard, ourselves included, if we are cut off. */
  isCompany(member: Endpoint): boolean {
    return this.#company.has(member);
  }

  /** Adds the reports that follow from observers which are reported themselves. */
  infer(now: Millis): void {
    if (this.#going.size === 0) return; // As in a storm of joins, where looking at all of them would cost much.
    for (let changed = true; changed; ) {
      changed = false;
      for (const [node, reported] of this.#reports) {
        const count = countOnes(reported);
        if (count >= this.#high) continue;
        const atLeast = count >= this.#low ? this.#low : this.#high;
        const implied = reported | this.#impliedBy(node, (observer) => this.countOf(observer) >= atLeast);
        const isWhole = countOnes(implied) === this.#view.observers;
        if (implied !== reported && (count >= this.#low || isWhole)) {
          this.#set(node, implied, now);
          changed = true;
        }
      }
    }
  }

  /**
   * Crashed members that observed each other can each lack reports that only the others could have made. Looks for
   * the largest set of reported members in which everybody reaches H by what was reported and by observers in the
   * set, and takes those reports as made. Bolder than `infer`, so it is left for when that has got nowhere.
   *
   * Reports are never taken back, so in the end everybody has been suspected by somebody, and all of them together
   * would need no other witness. Hence only those count whom somebody accused since `recently`, as the observers of
   * the dead do again and again; and half of the members are too many to have crashed with anybody left to decide.
   *
   * Of one whose observers are all in the set nobody can report anything. It goes with them where nothing was heard
   * of it either since `recently`, or the set would wait for it for ever.
   */
  inferTogether(recently: Millis, now: Millis): void {
    const together = new Set(
      [...this.#accusedAt]
        .filter(([node, at]) => at >= recently && this.#view.has(node))
        .map(([node]) => node),
    );
    const orphans = this.#orphansOf(together, recently);
    for (const node of orphans) together.add(node);
    const impliedIn = (node: Endpoint): number => this.#impliedBy(node, (observer) => together.has(observer));
    for (let changed = true; changed; ) {
      changed = false;
      for (const node of together) {
        const needed = orphans.has(node) ? this.#view.observers : this.#high;
        if (countOnes((this.#reports.get(node) ?? 0) | impliedIn(node)) >= needed) continue;
        together.delete(node);
        changed = true;
      }
    }
    if (2 * together.size >= this.#view.size) return;
    for (const node of together) this.#set(node, (this.#reports.get(node) ?? 0) | impliedIn(node), now);
  }

  /** Members that nobody outside of `suspects` and themselves observes, and that have been silent. */
  #orphansOf(suspects: ReadonlySet<Endpoint>, recently: Millis): ReadonlySet<Endpoint> {
    const orphans = new Set<Endpoint>();
    const isSuspect = (node: Endpoint): boolean => suspects.has(node) || orphans.has(node);
    // Only subjects of suspects can be orphans, and those are few.
    const watched = new Set([...suspects].flatMap((suspect) => this.#view.subjectsOf(suspect)));
    for (let changed = true; changed; ) {
      changed = false;
      for (const node of watched) {
        if (isSuspect(node) || this.#heardAt[this.#view.indexOf(node)]! >= recently) continue;
        if (!this.#view.observersOf(node).every(isSuspect)) continue;
        orphans.add(node);
        changed = true;
      }
    }
    return orphans;
  }

  /** The rings on which a subject's observer is going itself. */
  #impliedBy(node: Endpoint, isGoing: (observer: Endpoint) => boolean): number {
    let rings = 0;
    for (const [ring, observer] of this.#view.observersOf(node).entries()) {
      if (isGoing(observer)) rings |= 1 << ring;
    }
    return rings;
  }

  /** Those who hold proposals back, and those who would if they were not ignored. */
  unstable(): readonly Unstable[] {
    return [...this.#unstableSince].map(([node, since]) => ({ node, since }));
  }

  /**
   * Everybody who is stable, in Endpoint order; `undefined` while somebody is unstable, or nobody stable.
   *
   * Of members to be removed, only as many as could be dead with anybody left to decide it. Were more of them stable,
   * then because all went slow for a while and accuse each other, and they would dissolve the mesh; or because they
   * want to leave, and the rest of them goes in the next view.
   */
  proposal(): Proposal | undefined {
    for (const node of this.#unstableSince.keys()) if (this.holdsBack(node)) return undefined;
    if (this.#stable.size === 0) return undefined;
    let room = Math.max(1, this.#view.size - this.#view.majority);
    const stable = [...this.#stable.keys()].sort(compareEndpoints);
    return stable.filter((node) => !this.#view.has(node) || room-- > 0);
  }

  /** How many distinct observers reported this subject themselves, since then. */
  witnessesOf(node: Endpoint, since: Millis): number {
    return [...(this.#accusers.get(node)?.values() ?? [])].filter((at) => at >= since).length;
  }

  /** From now on this subject holds nothing back. It is still proposed should it become stable. */
  ignore(node: Endpoint): void {
    this.#ignored.add(node);
  }

  /** Nothing is held back by this subject while nobody accuses it who is not stable. */
  excuse(node: Endpoint): void {
    this.#excused.add(node);
  }

  /** Whether proposals wait for this unstable subject. */
  holdsBack(node: Endpoint): boolean {
    return !this.#ignored.has(node) && !this.#excused.has(node);
  }

  /** Since when this unstable subject has been accused by nobody but stable ones; Infinity where somebody else accuses it. */
  accusedByStableSince(node: Endpoint): Millis {
    let since = this.#unstableSince.get(node) ?? Infinity;
    for (const accuser of this.#accusers.get(node)?.keys() ?? []) {
      since = Math.max(since, this.#stable.get(accuser) ?? Infinity);
    }
    return since;
  }

  #set(node: Endpoint, rings: number, now: Millis): void {
    this.#reports.set(node, rings);
    const count = countOnes(rings);
    if (count < this.#low) return;
    if (this.#view.has(node)) this.#going.add(node);
    if (count >= this.#high) {
      if (!this.#stable.has(node)) this.#stable.set(node, now);
      this.#unstableSince.delete(node);
    } else if (!this.#unstableSince.has(node)) this.#unstableSince.set(node, now);
  }
}

/** Why this report of that member cannot be counted, if so. */
export function faultInEdge({ node, ring, join }: Edge, sender: Endpoint, view: View): Refused | undefined {
  const isMember = view.has(node);
  if (isMember === (join !== undefined)) return refuse.edgeCannotApply;
  // A lone member stands before itself on every ring, but nobody reports itself (PITFALLS B10).
  if (node === sender || view.observersOf(node)[ring] !== sender) return refuse.invalidRing;
  if (join !== undefined && view.knows(join.uuid)) return refuse.uuidExists;
  return undefined;
}
