// Edges waiting to be told together. The first one starts the window; those that come within it ride along, so that
// a burst of joins or crashes reaches everybody in few messages (PROTOCOL §9). While joiners keep arriving the window
// stays open a while longer: each view change makes those who missed it ask all over again, so it pays to miss few.
// A lone founder, whom all joiners ask, knows when to close (`arrivals.ts`).

import { Arrivals, BATCH_WINDOW_MS } from "./arrivals.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Edge } from "./messages.ts";

/** How long joiners can keep a batch open in all. */
export const JOINS_WINDOW_MS = 1000;

export class AlertBatch {
  #edges = new Map<string, Edge>();
  /** When the batch is to be told; Infinity while it is empty. */
  dueAt: Millis = Infinity;
  #closesAt: Millis = Infinity;
  /** Absent where joiners may be on the way that we do not see. */
  #arrivals: Arrivals | undefined;

  /** Edges speak of one configuration and die with it. `isAlone`: we are its only member, whom all joiners ask. */
  follow(isAlone: boolean): void {
    this.#clear();
    this.#arrivals = isAlone ? new Arrivals() : undefined;
  }

  /** This joiner was told its observers, and will come soon. */
  expect(node: Endpoint, now: Millis): void {
    if (this.#arrivals === undefined) return;
    this.#arrivals.expect(node, now);
    if (this.#edges.size > 0) this.dueAt = Math.min(this.#closesAt, now + this.#arrivals.windowMs);
  }

  /** The same edge twice is one; a joiner's newer data replaces its older. */
  add(edge: Edge, now: Millis): void {
    const key = `${edge.ring} ${edge.node} ${edge.join?.uuid ?? ""}`;
    if (this.#edges.size === 0) this.#closesAt = now + JOINS_WINDOW_MS;
    // News of the dead waits for nobody.
    if (edge.join === undefined) this.#closesAt = Math.min(this.#closesAt, this.dueAt, now + BATCH_WINDOW_MS);
    const isNews = !this.#edges.has(key);
    this.#edges.set(key, edge);
    if (!isNews) return;
    this.#arrivals?.come(edge.node, now);
    this.dueAt = Math.min(this.#closesAt, now + (this.#arrivals?.windowMs ?? BATCH_WINDOW_MS));
  }

  /** Does not wait for the window: for news that is complete as it is. */
  hurry(edges: readonly Edge[], now: Millis): void {
    for (const edge of edges) this.add(edge, now);
    if (this.#edges.size === 0) return;
    this.#closesAt = now;
    this.dueAt = now;
  }

  take(): readonly Edge[] {
    const edges = [...this.#edges.values()];
    this.#clear();
    return edges;
  }

  #clear(): void {
    this.#edges.clear();
    this.dueAt = Infinity;
  }
}
