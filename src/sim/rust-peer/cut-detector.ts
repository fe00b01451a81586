// Counts reports as the crate does (PROTOCOL §12). The last joiner's word counts (PITFALLS B3), a report is implied only
// between two that are strictly unstable (B7), and a count that stops at the lower threshold blocks everything (B9).

import type { Endpoint } from "../../core/endpoint.ts";
import type { Edge, Joiner, Proposal } from "../../core/messages.ts";
import type { CutDetectorSettings } from "../../core/settings.ts";
import type { View } from "../../core/view.ts";
import { sortedEndpoints } from "./sorted.ts";

export class CutDetector {
  readonly #settings: CutDetectorSettings;
  /** Who wants to join, as it said last. */
  readonly joiners: Map<Endpoint, Joiner> = new Map();
  /** Endpoint → who reported it on which ring. */
  readonly #reports = new Map<Endpoint, Set<string>>();
  hasAnnounced = false;

  constructor(settings: CutDetectorSettings) {
    this.#settings = settings;
  }

  clear(): void {
    this.joiners.clear();
    this.#reports.clear();
    this.hasAnnounced = false;
  }

  /** Takes in a batch that was found to be right; a proposal, where it makes one. */
  hear(sender: Endpoint, edges: readonly Edge[], view: View): Proposal | undefined {
    for (const { node, ring, join } of edges) {
      if (join !== undefined) this.joiners.set(node, join);
      this.#add(node, sender, ring);
    }
    this.#imply(view);
    return this.#propose();
  }

  #add(node: Endpoint, observer: Endpoint, ring: number): void {
    const reports = this.#reports.get(node) ?? new Set();
    this.#reports.set(node, reports.add(`${observer} ${ring}`));
  }

  /** One pass over what was reported before it. */
  #imply(view: View): void {
    const unstable = sortedEndpoints(this.#reports.keys()).filter((node) => this.#isStrictlyUnstable(node));
    const implied = unstable.flatMap((node) =>
      [...view.observersOf(node).entries()]
        .filter(([, observer]) => this.#isStrictlyUnstable(observer))
        .map(([ring, observer]) => ({ node, observer, ring })),
    );
    for (const { node, observer, ring } of implied) this.#add(node, observer, ring);
  }

  #isStrictlyUnstable(node: Endpoint): boolean {
    const count = this.#reports.get(node)?.size ?? 0;
    return count > this.#settings.low && count < this.#settings.high;
  }

  #propose(): Proposal | undefined {
    const { low, high } = this.#settings;
    let isStable = false;
    for (const { size } of this.#reports.values()) {
      if (size >= low && size < high) return undefined;
      if (size >= high) isStable = true;
    }
    if (!isStable || this.hasAnnounced) return undefined;
    this.hasAnnounced = true;
    const proposal = [...this.#reports].filter(([, { size }]) => size >= high).map(([node]) => node);
    this.#reports.clear();
    return sortedEndpoints(proposal);
  }
}
