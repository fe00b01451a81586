// Members that are gone, and whom of them to look after now. They may live on in a configuration that is over, or
// another process may have taken their address and know of nobody. Those who would observe them ask: each round at
// first, the more rarely the longer they are gone, and for an hour.

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Random } from "./random.ts";
import type { View } from "./view.ts";

interface Gone {
  readonly since: Millis;
  readonly isNode: boolean;
  nextAt: Millis;
}

export interface Sought {
  readonly node: Endpoint;
  readonly isNode: boolean;
}

/** Between two questions: this part of the time since it went, so that one that is back is found in proportion. */
const PAUSE_SHARE = 1 / 4;
const PAUSE_MAX_MS = 60_000;
const SOUGHT_FOR_MS = 3_600_000;
/** Looked after at a time, those of whom an answer is still to come included. */
const SOUGHT_MAX = 4;
const REMEMBERED_MAX = 256;

export class Departed {
  readonly #self: Endpoint;
  readonly #random: Random;
  /** The oldest first. */
  readonly #gone = new Map<Endpoint, Gone>();

  constructor(self: Endpoint, random: Random) {
    this.#self = self;
    this.#random = random;
  }

  /** The members of `before` that are not in `view` are gone, and those in it are not. */
  follow(view: View, before: View, now: Millis): void {
    for (const node of this.#gone.keys()) if (view.has(node)) this.#gone.delete(node);
    for (const node of view.since(before).kicked) {
      if (node === this.#self || this.#gone.has(node)) continue;
      this.#gone.set(node, { since: now, isNode: before.isNode(node), nextAt: now });
    }
    for (const node of this.#gone.keys()) {
      if (this.#gone.size <= REMEMBERED_MAX) break;
      this.#gone.delete(node);
    }
  }

  /** Whom to look after now, where so many still are: those whose turn has come for the longest. */
  due(view: View, now: Millis, soughtNow: number): readonly Sought[] {
    for (const [node, { since }] of this.#gone) if (now >= since + SOUGHT_FOR_MS) this.#gone.delete(node);
    if (this.#gone.size === 0) return [];
    const due = [...this.#gone]
      .filter(([node, { nextAt }]) => now >= nextAt && view.observersOf(node).includes(this.#self))
      .sort(([, a], [, b]) => a.nextAt - b.nextAt)
      .slice(0, SOUGHT_MAX - soughtNow);
    for (const [, gone] of due) gone.nextAt = now + this.#pauseMs(now - gone.since);
    return due.map(([node, { isNode }]) => ({ node, isNode }));
  }

  /** Drawn from the upper half, so that not all ask at the same moment. */
  #pauseMs(goneMs: Millis): Millis {
    const pauseMs = Math.min(goneMs * PAUSE_SHARE, PAUSE_MAX_MS);
    return pauseMs / 2 + this.#random.below(Math.max(1, Math.ceil(pauseMs / 2)));
  }
}
