// Probes the subjects, all at once, once per period (PROTOCOL §11). It starts from nothing at every cut (PITFALLS B15), and
// a lone node is its own subject (B10).

import type { Millis } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Edge } from "../../core/messages.ts";
import type { Settings } from "../../core/settings.ts";
import type { View } from "../../core/view.ts";

interface Subject {
  readonly rings: number[];
  strikes: number;
}

export class FaultDetector {
  readonly #settings: Settings;
  #subjects = new Map<Endpoint, Subject>();
  #waitingFor = 0;
  #roundEndsAt: Millis = Infinity;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** When the round is over, as far as that is known. */
  get wakeAt(): Millis {
    return this.#waitingFor > 0 ? Infinity : this.#roundEndsAt;
  }

  /** Starts over; whom to probe now. */
  restart(view: View, self: Endpoint, now: Millis): readonly Endpoint[] {
    this.#subjects = new Map();
    for (const [ring, node] of view.subjectsOf(self).entries()) {
      const subject = this.#subjects.get(node);
      if (subject === undefined) this.#subjects.set(node, { rings: [ring], strikes: 0 });
      else subject.rings.push(ring);
    }
    return this.#beginRound(now);
  }

  /** A probe of this round came to an end. */
  probed(node: Endpoint, isWell: boolean): void {
    this.#waitingFor -= 1;
    const subject = this.#subjects.get(node);
    if (subject !== undefined) subject.strikes = isWell ? 0 : subject.strikes + 1;
  }

  /** The round is over: whom to report, and whom to probe in the next one. */
  endRound(now: Millis): { readonly report: readonly Edge[]; readonly probe: readonly Endpoint[] } {
    const report: Edge[] = [];
    for (const [node, subject] of this.#subjects) {
      if (subject.strikes < this.#settings.faultStrikes) continue;
      subject.strikes = 0;
      for (const ring of subject.rings) report.push({ node, ring });
    }
    return { report, probe: this.#beginRound(now) };
  }

  #beginRound(now: Millis): readonly Endpoint[] {
    this.#waitingFor = this.#subjects.size;
    this.#roundEndsAt = now + this.#settings.faultTimeoutMs;
    return [...this.#subjects.keys()];
  }
}
