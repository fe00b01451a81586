// Edges waiting to be told together. The first one starts the window; those that come within it ride along, so that
// a burst of joins or crashes reaches everybody in few messages (PROTOCOL §9).

import type { Millis } from "./doorway.ts";
import type { Edge } from "./messages.ts";

export const BATCH_WINDOW_MS = 100;

export class AlertBatch {
  #edges = new Map<string, Edge>();
  /** When the batch is to be told; Infinity while it is empty. */
  dueAt: Millis = Infinity;

  /** The same edge twice is one; a joiner's newer data replaces its older. */
  add(edge: Edge, now: Millis): void {
    this.#edges.set(`${edge.ring} ${edge.node} ${edge.join?.uuid ?? ""}`, edge);
    this.dueAt = Math.min(this.dueAt, now + BATCH_WINDOW_MS);
  }

  /** Does not wait for the window: for news that is complete as it is. */
  hurry(now: Millis): void {
    if (this.#edges.size > 0) this.dueAt = now;
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
