// Edges waiting to be told together. The first one starts the window; those that come within it ride along, so that
// a burst of joins or crashes reaches everybody in few messages (PROTOCOL §9). While joiners keep arriving the window
// stays open a while longer: each view change makes those who missed it ask all over again, so it pays to miss few.

import type { Millis } from "./doorway.ts";
import type { Edge } from "./messages.ts";

export const BATCH_WINDOW_MS = 100;
/** How long joiners can keep a batch open in all. */
export const JOINS_WINDOW_MS = 1000;

export class AlertBatch {
  #edges = new Map<string, Edge>();
  /** When the batch is to be told; Infinity while it is empty. */
  dueAt: Millis = Infinity;
  #closesAt: Millis = Infinity;

  /** The same edge twice is one; a joiner's newer data replaces its older. */
  add(edge: Edge, now: Millis): void {
    const key = `${edge.ring} ${edge.node} ${edge.join?.uuid ?? ""}`;
    if (this.#edges.size === 0) this.#closesAt = now + JOINS_WINDOW_MS;
    // News of the dead waits for nobody.
    if (edge.join === undefined) this.#closesAt = Math.min(this.#closesAt, this.dueAt, now + BATCH_WINDOW_MS);
    const isNews = !this.#edges.has(key);
    this.#edges.set(key, edge);
    if (isNews) this.dueAt = Math.min(this.#closesAt, now + BATCH_WINDOW_MS);
  }

  /** Does not wait for the window: for news that is complete as it is. */
  hurry(now: Millis): void {
    if (this.#edges.size === 0) return;
    this.#closesAt = now;
    this.dueAt = now;
  }

  take(): readonly Edge[] {
    const edges = [...this.#edges.values()];
    this.clear();
    return edges;
  }

  /** Edges speak of one configuration and die with it. */
  clear(): void {
    this.#edges.clear();
    this.dueAt = Infinity;
  }
}
