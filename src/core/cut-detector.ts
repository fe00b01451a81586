// From reports about single edges to one proposal for everybody (Rapid §4.2).
//
// A subject reported on fewer than L rings is noise; on H or more it is stable, surely to be added or removed; in
// between it is unstable, and nobody is proposed while anybody is unstable. Since reports about one event come from
// all its observers at nearly the same time, members that wait for stability see the same cut.
//
// Observers that are themselves going cannot report, so a report is implied where an observer is reported on L
// rings or more, to a fixpoint (PITFALLS B7: the crate's narrower rule wedges when several crash at once).

import { countOnes } from "./bitset.ts";
import type { Millis } from "./doorway.ts";
import { compareEndpoints, type Endpoint } from "./endpoint.ts";
import type { Proposal } from "./messages.ts";
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
  readonly #unstableSince = new Map<Endpoint, Millis>();
  readonly #ignored = new Set<Endpoint>();

  constructor(view: View, { low, high }: CutDetectorSettings) {
    this.#view = view;
    this.#low = low;
    this.#high = high;
  }

  /** On how many rings the subject is reported, implied reports included. */
  countOf(node: Endpoint): number {
    return countOnes(this.#reports.get(node) ?? 0);
  }

  isReported(node: Endpoint, ring: number): boolean {
    return (((this.#reports.get(node) ?? 0) >>> ring) & 1) === 1;
  }

  report(node: Endpoint, ring: number, now: Millis): void {
    this.#set(node, (this.#reports.get(node) ?? 0) | (1 << ring), now);
  }

  /** Adds the reports that follow from observers which are reported themselves. */
  infer(now: Millis): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const node of this.#unstableSince.keys()) {
        const reported = this.#reports.get(node)!;
        let implied = reported;
        for (const [ring, observer] of this.#view.observersOf(node).entries()) {
          if (this.countOf(observer) >= this.#low) implied |= 1 << ring;
        }
        if (implied !== reported) {
          this.#set(node, implied, now);
          changed = true;
        }
      }
    }
  }

  /** Those who hold proposals back, and those who would if they were not ignored. */
  unstable(): readonly Unstable[] {
    return [...this.#unstableSince].map(([node, since]) => ({ node, since }));
  }

  /** Everybody who is stable, in Endpoint order; `undefined` while somebody is unstable, or nobody stable. */
  proposal(): Proposal | undefined {
    for (const node of this.#unstableSince.keys()) if (!this.#ignored.has(node)) return undefined;
    const stable = [...this.#reports.keys()].filter((node) => this.countOf(node) >= this.#high);
    return stable.length === 0 ? undefined : stable.sort(compareEndpoints);
  }

  /** How many distinct observers stand behind the reports about this subject. */
  witnessesOf(node: Endpoint): number {
    const observers = this.#view.observersOf(node);
    return new Set(observers.filter((_, ring) => this.isReported(node, ring))).size;
  }

  /** From now on this subject holds nothing back. It is still proposed should it become stable. */
  ignore(node: Endpoint): void {
    this.#ignored.add(node);
  }

  isIgnored(node: Endpoint): boolean {
    return this.#ignored.has(node);
  }

  #set(node: Endpoint, rings: number, now: Millis): void {
    this.#reports.set(node, rings);
    const count = countOnes(rings);
    if (count < this.#low) return;
    if (count >= this.#high) this.#unstableSince.delete(node);
    else if (!this.#unstableSince.has(node)) this.#unstableSince.set(node, now);
  }
}
