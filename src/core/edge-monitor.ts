// Watches our subjects: one probe each per period, strikes for those that fail in a row, and a report on every ring
// we hold a subject on once it has enough of them. Strikes outlive view changes while the subject stays ours, so that
// a mesh that changes all the time still finds its dead (PITFALLS B15).
//
// Periods begin at multiples of their length on the clock, so that members probe in step: all observers of a dead
// member strike it at the same moments and report it together, and a process that is at rest wakes once per period
// instead of once for each neighbour.

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Edge } from "./messages.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

interface Watch {
  rings: readonly number[];
  strikes: number;
  /** When the probe that is under way began. */
  askedAt: Millis | undefined;
  /** It was reported, and has not answered well since. */
  isReported: boolean;
  /** A period began while a probe was under way: the next probe follows it at once. */
  isOwed: boolean;
  /** The probe that is owed or under way is one between periods, whose failure is no strike. */
  isExtra: boolean;
}

/** What a late answer counts while our own process was behind: a frozen subject is still found, only later. */
const DOUBTFUL_STRIKE = 0.25;

export class EdgeMonitor {
  readonly #self: Endpoint;
  readonly #settings: Settings;
  #watches = new Map<Endpoint, Watch>();
  #nextAt: Millis = Infinity;
  #underWay = 0;
  #pulseAt: Millis = Infinity;
  #stalledAt: Millis = -Infinity;

  constructor(self: Endpoint, settings: Settings) {
    this.#self = self;
    this.#settings = settings;
  }

  get wakeAt(): Millis {
    return this.#underWay > 0 ? Math.min(this.#nextAt, this.#pulseAt) : this.#nextAt;
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
        askedAt: undefined,
        isReported: false,
        isOwed: false,
        isExtra: false,
      };
      watch.rings = held;
      // The report died with its configuration; the next failure repeats it.
      if (watch.isReported) watch.strikes = this.#settings.faultStrikes - 1;
      watches.set(subject, watch);
      if (watch.askedAt !== undefined) this.#underWay += 1;
    }
    this.#watches = watches;
    this.#nextAt = watches.size === 0 ? Infinity : Math.min(this.#nextAt, this.#periodAfter(now));
  }

  watches(node: Endpoint): boolean {
    return this.#watches.has(node);
  }

  /** Probes this subject out of turn, at the next `due`. */
  ask(subject: Endpoint): void {
    const watch = this.#watches.get(subject);
    if (watch === undefined || watch.isOwed || watch.askedAt !== undefined) return;
    watch.isOwed = true;
    watch.isExtra = true;
  }

  /** The subjects to probe now. */
  due(now: Millis): readonly Endpoint[] {
    const isNewPeriod = now >= this.#nextAt;
    if (isNewPeriod) this.#nextAt = this.#periodAfter(now);
    const subjects: Endpoint[] = [];
    for (const [subject, watch] of this.#watches) {
      if (isNewPeriod) watch.isExtra = watch.isExtra && watch.askedAt !== undefined;
      watch.isOwed ||= isNewPeriod;
      if (!watch.isOwed || watch.askedAt !== undefined) continue;
      watch.isOwed = false;
      watch.askedAt = now;
      subjects.push(subject);
    }
    if (subjects.length === 0) return subjects;
    if (this.#underWay === 0) this.#pulseAt = now + this.#pulseMs;
    this.#underWay += subjects.length;
    return subjects;
  }

  /**
   * Feels our own pulse while probes are under way. When it comes late, our process is short of CPU, and a probe that
   * timed out meanwhile says little about its subject: the answer may lie unread, and on a machine where we are
   * starved others are too (PITFALLS E8). Answers by how much it was late, where that was too much.
   */
  pulse(now: Millis): Millis | undefined {
    if (this.#underWay === 0 || now < this.#pulseAt) return undefined;
    const lateMs = now - this.#pulseAt;
    this.#pulseAt = now + this.#pulseMs;
    if (lateMs <= this.#pulseMs) return undefined;
    this.#stalledAt = now;
    return lateMs;
  }

  /** Takes a probe's result; answers what to report, if anything. */
  answered(subject: Endpoint, result: "healthy" | "refused" | "late"): readonly Edge[] {
    const watch = this.#watches.get(subject);
    if (watch?.askedAt === undefined) return [];
    const { askedAt, isExtra } = watch;
    watch.askedAt = undefined;
    watch.isExtra = false;
    this.#underWay -= 1;
    if (result === "healthy") {
      watch.strikes = 0;
      watch.isReported = false;
      return [];
    }
    if (isExtra) return [];
    watch.strikes += result === "late" && askedAt <= this.#stalledAt ? DOUBTFUL_STRIKE : 1;
    return watch.strikes < this.#settings.faultStrikes ? [] : this.report(subject);
  }

  /** This subject has failed, by what is known of it: answers what to report. */
  report(subject: Endpoint): readonly Edge[] {
    const watch = this.#watches.get(subject);
    if (watch === undefined) return [];
    watch.isReported = true;
    watch.strikes = 0; // It is reported anew after as many more, for as long as the configuration lasts.
    return watch.rings.map((ring) => ({ node: subject, ring }));
  }

  #periodAfter(now: Millis): Millis {
    const { faultTimeoutMs } = this.#settings;
    return (Math.floor(now / faultTimeoutMs) + 1) * faultTimeoutMs;
  }

  get #pulseMs(): Millis {
    return this.#settings.faultTimeoutMs / 10;
  }
}
