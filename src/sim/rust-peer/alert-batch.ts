// Edges that wait to be told together (PROTOCOL §9). The list belongs to the configuration of its last edge; the timer
// runs on whatever becomes of it, and nothing is left out that is there twice.

import type { Millis } from "../../core/doorway.ts";
import type { ConfigurationId, Edge } from "../../core/messages.ts";

const WINDOW_MS = 100;

export class AlertBatch {
  #configuration: ConfigurationId = 0n;
  #edges: Edge[] = [];
  #dueAt: Millis = Infinity;

  get dueAt(): Millis {
    return this.#dueAt;
  }

  add(edges: readonly Edge[], configuration: ConfigurationId, now: Millis): void {
    if (configuration !== this.#configuration) this.#edges = [];
    this.#configuration = configuration;
    this.#edges.push(...edges);
    if (edges.length > 0 && this.#dueAt === Infinity) this.#dueAt = now + WINDOW_MS;
  }

  take(): { readonly configuration: ConfigurationId; readonly edges: readonly Edge[] } {
    const taken = { configuration: this.#configuration, edges: this.#edges };
    this.#configuration = 0n;
    this.#edges = [];
    this.#dueAt = Infinity;
    return taken;
  }
}
