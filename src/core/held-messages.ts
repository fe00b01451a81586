// Messages of configurations that we are not in yet. A faster member's votes for the next view arrive before ours
// is applied, and a joiner's before its own first view; they are kept for a while and heard then (PITFALLS B12, B16).

import type { Millis } from "./doorway.ts";
import type { ConfigurationId, Gossip } from "./messages.ts";

const HOLD_MS = 30_000;
const BYTES_MAX = 8 * 1024 * 1024;
const CONFIGURATIONS_MAX = 64;

interface Held {
  readonly gossip: Gossip;
  readonly until: Millis;
  readonly bytes: number;
}

export class HeldMessages {
  readonly #byConfiguration = new Map<ConfigurationId, Held[]>();
  #bytes = 0;

  /** Keeps a message; the oldest configurations make room for it. */
  hold(gossip: Gossip, now: Millis): void {
    const bytes = sizeOf(gossip);
    if (bytes > BYTES_MAX / 2) return;
    this.#expire(now);
    let held = this.#byConfiguration.get(gossip.configuration);
    if (held === undefined) {
      held = [];
      this.#byConfiguration.set(gossip.configuration, held);
    }
    held.push({ gossip, until: now + HOLD_MS, bytes });
    this.#bytes += bytes;
    while (this.#bytes > BYTES_MAX || this.#byConfiguration.size > CONFIGURATIONS_MAX) {
      this.#drop(this.#byConfiguration.keys().next().value!);
    }
  }

  /** What was said in a configuration that is ours now, in order of arrival. */
  take(configuration: ConfigurationId, now: Millis): readonly Gossip[] {
    const held = this.#byConfiguration.get(configuration) ?? [];
    this.#drop(configuration);
    return held.filter(({ until }) => until > now).map(({ gossip }) => gossip);
  }

  #expire(now: Millis): void {
    for (const [configuration, held] of this.#byConfiguration) {
      if (held.at(-1)!.until <= now) this.#drop(configuration);
    }
  }

  #drop(configuration: ConfigurationId): void {
    for (const { bytes } of this.#byConfiguration.get(configuration) ?? []) this.#bytes -= bytes;
    this.#byConfiguration.delete(configuration);
  }
}

/** Roughly what a message takes in memory. */
function sizeOf(gossip: Gossip): number {
  const base = 200;
  if (gossip.kind === "prepare") return base;
  if (gossip.kind !== "alerts") return base + 40 * gossip.value.length;
  let bytes = base;
  for (const { join } of gossip.edges) {
    bytes += 100;
    if (join === undefined) continue;
    for (const [key, value] of Object.entries(join.metadata)) bytes += 2 * key.length + value.length + 50;
  }
  return bytes;
}
