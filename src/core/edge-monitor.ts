// Watches our subjects: one probe each per period, strikes for those that fail in a row, and a report on every ring
// we hold a subject on once it has enough of them. Strikes outlive view changes while the subject stays ours, so that
// a mesh that changes all the time still finds its dead (PITFALLS B15).
//
// Periods begin at multiples of their length on the clock, so that members probe in step: all observers of a dead
// member strike it at the same moments and report it together, and a process that is at rest wakes once per period
// instead of once for each neighbour. Only new subjects are probed once before their first period, for the connection:
// where it breaks, or is refused, the subject has crashed, and nobody has to wait for a period to find out.

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Edge } from "./messages.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

interface Watch {
  rings: readonly number[];
  /** It was never probed. */
  isNew: boolean;
  strikes: number;
  /** A probe is under way. */
  isAsked: boolean;
  /** It was reported, and has not answered well since. */
  isReported: boolean;
  /** A period began while a probe was under way: the next probe follows it at once. */
  isOwed: boolean;
  /** The probe that is owed or under way is one between periods, whose failure is no strike. */
  isExtra: boolean;
}

/**
 * Within how many times our own lag an answer may be expected: it takes the subject's process and ours several turns of
 * processors that are as crowded as ours was.
 */
const TURNS = 8;
/** How much longer than a period silence may take to be a strike: a frozen subject is found all the same, later. */
const DOUBT_MAX_MS = 6000;
/** A machine that was short of CPU may be so again at once: half of the doubt is gone after this. */
const DOUBT_HALVES_MS = 5000;
/** What strikes may lack: a doubt that is as good as gone costs nobody another period. */
const STRIKES_SLACK = 0.2;
/** When to probe new subjects: members come to a view one after the other, and have enough to do just then. */
const FIRST_PROBE_MS = 250;
const NOBODY: readonly Endpoint[] = [];

export class EdgeMonitor {
  readonly #self: Endpoint;
  readonly #settings: Settings;
  #watches = new Map<Endpoint, Watch>();
  #nextAt: Millis = Infinity;
  /** When to probe the new ones. */
  #firstAt: Millis = Infinity;
  #underWay = 0;
  /** A probe may be owed before the next period begins. */
  #isOwing = false;
  #pulseAt: Millis = Infinity;
  #doubtMs: Millis = 0;
  #doubtedAt: Millis = 0;

  constructor(self: Endpoint, settings: Settings) {
    this.#self = self;
    this.#settings = settings;
  }

  get wakeAt(): Millis {
    return Math.min(this.#nextAt, this.#firstAt, this.#underWay > 0 ? this.#pulseAt : Infinity);
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
        isNew: true,
        strikes: 0,
        isAsked: false,
        isReported: false,
        isOwed: false,
        isExtra: false,
      };
      watch.rings = held;
      // The report died with its configuration; the next failure repeats it.
      if (watch.isReported) watch.strikes = this.#settings.faultStrikes - 1;
      watches.set(subject, watch);
      if (watch.isAsked) this.#underWay += 1;
    }
    this.#watches = watches;
    // Beside Rust members a crash is found by periods alone (PITFALLS B9b).
    const hasNew = view?.isAllNode === true && [...watches.values()].some(({ isNew }) => isNew);
    this.#firstAt = hasNew ? Math.min(this.#firstAt, now + FIRST_PROBE_MS) : Infinity;
    this.#nextAt = watches.size === 0 ? Infinity : Math.min(this.#nextAt, this.#periodAfter(now));
  }

  watches(node: Endpoint): boolean {
    return this.#watches.has(node);
  }

  /** Probes this subject out of turn, at the next `due`. */
  ask(subject: Endpoint): void {
    const watch = this.#watches.get(subject);
    if (watch === undefined || watch.isOwed || watch.isAsked) return;
    watch.isOwed = true;
    watch.isExtra = true;
    this.#isOwing = true;
  }

  #askNew(): void {
    this.#firstAt = Infinity;
    for (const [subject, { isNew }] of this.#watches) if (isNew) this.ask(subject);
  }

  /** The subjects to probe now. */
  due(now: Millis): readonly Endpoint[] {
    if (now >= this.#firstAt) this.#askNew();
    const isNewPeriod = now >= this.#nextAt;
    if (!isNewPeriod && !this.#isOwing) return NOBODY;
    if (isNewPeriod) this.#nextAt = this.#periodAfter(now);
    this.#isOwing = false;
    const subjects: Endpoint[] = [];
    for (const [subject, watch] of this.#watches) {
      if (isNewPeriod) watch.isExtra = watch.isExtra && watch.isAsked;
      watch.isOwed ||= isNewPeriod;
      if (!watch.isOwed) continue;
      if (watch.isAsked) {
        this.#isOwing = true;
        continue;
      }
      watch.isOwed = false;
      watch.isNew = false;
      watch.isAsked = true;
      subjects.push(subject);
    }
    if (subjects.length === 0) return subjects;
    if (this.#underWay === 0) this.#pulseAt = now + this.#pulseMs;
    this.#underWay += subjects.length;
    return subjects;
  }

  /** How long to wait for the answer to a probe that is sent now: one between periods must not delay the next. */
  patienceMs(subject: Endpoint, now: Millis): Millis {
    const { faultTimeoutMs } = this.#settings;
    return this.#watches.get(subject)?.isExtra
      ? Math.min(faultTimeoutMs, this.#nextAt - now)
      : faultTimeoutMs;
  }

  /**
   * Feels our own pulse: while probes are under way, and when it is time for the next. When it comes late, our process
   * is short of CPU, and a probe that gets no answer in time says little about its subject: the answer may lie unread,
   * and on a machine where we are starved others are too (PITFALLS E8). Answers by how much it was late, where that
   * was too much.
   */
  pulse(now: Millis): Millis | undefined {
    let lateMs = now - this.#nextAt;
    if (this.#underWay > 0 && now >= this.#pulseAt) {
      lateMs = Math.max(lateMs, now - this.#pulseAt);
      this.#pulseAt = now + this.#pulseMs;
    }
    if (lateMs <= this.#pulseMs) return undefined;
    const doubtMs = Math.min(Math.max(TURNS * lateMs - this.#settings.faultTimeoutMs, 0), DOUBT_MAX_MS);
    this.#doubtMs = Math.max(doubtMs, this.#doubtAt(now));
    this.#doubtedAt = now;
    return lateMs;
  }

  /** Takes a probe's result, `silent` where nothing came; answers what to report, if anything. */
  answered(subject: Endpoint, result: "healthy" | "refused" | "silent", now: Millis): readonly Edge[] {
    const watch = this.#watches.get(subject);
    if (watch?.isAsked !== true) return [];
    const { isExtra } = watch;
    watch.isAsked = false;
    watch.isExtra = false;
    this.#underWay -= 1;
    if (result === "healthy") {
      watch.strikes = 0;
      watch.isReported = false;
      return [];
    }
    if (isExtra) return [];
    watch.strikes += result === "silent" ? this.#strikeAt(now) : 1;
    return watch.strikes < this.#settings.faultStrikes - STRIKES_SLACK ? [] : this.report(subject);
  }

  /** This subject has failed, by what is known of it: answers what to report. */
  report(subject: Endpoint): readonly Edge[] {
    const watch = this.#watches.get(subject);
    if (watch === undefined) return [];
    watch.isReported = true;
    watch.strikes = 0; // It is reported anew after as many more, for as long as the configuration lasts.
    return watch.rings.map((ring) => ({ node: subject, ring }));
  }

  /** What silence counts: less while our own process is, or was lately, behind. */
  #strikeAt(now: Millis): number {
    const { faultTimeoutMs } = this.#settings;
    return faultTimeoutMs / (faultTimeoutMs + this.#doubtAt(now));
  }

  #doubtAt(now: Millis): Millis {
    return this.#doubtMs * 2 ** ((this.#doubtedAt - now) / DOUBT_HALVES_MS);
  }

  #periodAfter(now: Millis): Millis {
    const { faultTimeoutMs } = this.#settings;
    return (Math.floor(now / faultTimeoutMs) + 1) * faultTimeoutMs;
  }

  get #pulseMs(): Millis {
    return this.#settings.faultTimeoutMs / 10;
  }
}
