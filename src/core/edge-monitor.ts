// Watches our subjects: one probe each per period, strikes for those that fail in a row, and a report on every ring
// we hold a subject on once it has enough of them. Strikes outlive view changes while the subject stays ours, so that
// a mesh that changes all the time still finds its dead (PITFALLS B15).

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Edge } from "./messages.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

interface Watch {
  rings: readonly number[];
  strikes: number;
  nextAt: Millis;
  /** When the probe that is under way began. */
  askedAt: Millis | undefined;
}

export class EdgeMonitor {
  readonly #self: Endpoint;
  readonly #settings: Settings;
  #watches = new Map<Endpoint, Watch>();
  #underWay = 0;
  #pulseAt: Millis = Infinity;
  #stalledAt: Millis = -Infinity;

  constructor(self: Endpoint, settings: Settings) {
    this.#self = self;
    this.#settings = settings;
  }

  get wakeAt(): Millis {
    let at = this.#underWay > 0 ? this.#pulseAt : Infinity;
    for (const watch of this.#watches.values()) {
      if (watch.askedAt === undefined && watch.nextAt < at) at = watch.nextAt;
    }
    return at;
  }

  /** Watches the subjects that this view gives us; none where we are not in it. We never watch ourselves (B10). */
  follow(view: View | undefined, now: Millis): void {
    const rings = new Map<Endpoint, number[]>();
    if (view?.has(this.#self)) {
      for (const [ring, subject] of view.subjectsOf(this.#self).entries()) {
        if (subject === this.#self) continue;
        const held = rings.get(subject);
        if (held === undefined) rings.set(subject, [ring]);
        else held.push(ring);
      }
    }
    const watches = new Map<Endpoint, Watch>();
    this.#underWay = 0;
    for (const [subject, held] of rings) {
      const watch = this.#watches.get(subject) ?? {
        rings: held,
        strikes: 0,
        nextAt: now,
        askedAt: undefined,
      };
      watch.rings = held;
      watches.set(subject, watch);
      if (watch.askedAt !== undefined) this.#underWay += 1;
    }
    this.#watches = watches;
  }

  /** The subjects to probe now. */
  due(now: Millis): readonly Endpoint[] {
    const subjects: Endpoint[] = [];
    for (const [subject, watch] of this.#watches) {
      if (watch.askedAt !== undefined || watch.nextAt > now) continue;
      watch.askedAt = now;
      watch.nextAt = now + this.#settings.faultTimeoutMs;
      subjects.push(subject);
    }
    if (this.#underWay === 0) this.#pulseAt = now + this.#pulseMs;
    this.#underWay += subjects.length;
    return subjects;
  }

  /**
   * Feels our own pulse while probes are under way. When it comes late, our process stood still, and a probe that
   * timed out meanwhile says nothing about its subject: the answer may lie unread (PITFALLS E8).
   */
  pulse(now: Millis): void {
    if (this.#underWay === 0 || now < this.#pulseAt) return;
    if (now - this.#pulseAt > this.#pulseMs) this.#stalledAt = now;
    this.#pulseAt = now + this.#pulseMs;
  }

  /** Takes a probe's result; answers what to report, if anything. */
  answered(subject: Endpoint, result: "healthy" | "refused" | "late"): readonly Edge[] {
    const watch = this.#watches.get(subject);
    if (watch?.askedAt === undefined) return [];
    const { askedAt } = watch;
    watch.askedAt = undefined;
    this.#underWay -= 1;
    if (result === "healthy") {
      watch.strikes = 0;
      return [];
    }
    if (result === "late" && askedAt <= this.#stalledAt) return [];
    watch.strikes += 1;
    if (watch.strikes < this.#settings.faultStrikes) return [];
    watch.strikes = 0; // It is reported anew after as many more, for as long as the configuration lasts.
    return watch.rings.map((ring) => ({ node: subject, ring }));
  }

  get #pulseMs(): Millis {
    return this.#settings.faultTimeoutMs / 4;
  }
}
