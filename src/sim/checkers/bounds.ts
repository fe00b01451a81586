// Nothing grows without end: calls, waiting requests, what one step says, and how often an idle member wakes up.
// Invariants 13 and 23 of PITFALLS §3.1.

import type { Event, Millis } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Settings } from "../../core/settings.ts";
import type { Process } from "../process.ts";
import type { Checker, Report } from "./checker.ts";

/**
 * Calls that a member may have open at a time, beside a probe to each of its subjects: 24 questions where others are, as
 * many whether they are in one certain place, 4 to those that are gone and 2 to older meshes, 4 to members that are
 * repaired, 4 for an operator. On its way in, when it has no subjects, there are instead two attempts at as many observers.
 */
const OPEN_BESIDE_PROBES = 62;
/** Requests that may wait in one member, with some room beyond what it admits. */
const WAITING_MAX = 21_000;

export class Bounds implements Checker {
  readonly ignoresBroadcasts = true;
  readonly #report: Report;
  readonly #settings: Settings;
  /** Calls that a member may have open at a time, and things that it may say in one step. */
  readonly #most: number;
  #said = 0;
  #steps = 0;
  #idle: { readonly at: Millis; readonly steps: number } | undefined;

  constructor(report: Report, settings: Settings) {
    this.#report = report;
    this.#settings = settings;
    this.#most = settings.cutDetector.observers + OPEN_BESIDE_PROBES;
  }

  said(): void {
    this.#said += 1;
  }

  stepped(process: Process, _event: Event): void {
    this.#steps += 1;
    if (process.openCalls > this.#most) {
      this.#report(13, process, `has ${process.openCalls} calls open, more than ${this.#most}`);
    }
    if (this.#said > this.#most) this.#report(13, process, `says ${this.#said} things in one step`);
    this.#said = 0;
    if (process.waiting.size > WAITING_MAX) {
      this.#report(13, process, `keeps ${process.waiting.size} requests waiting`);
    }
  }

  /** From here on nothing happens to the mesh. */
  beginIdle(now: Millis): void {
    this.#idle = { at: now, steps: this.#steps };
  }

  /** Ends what `beginIdle` began. Members probe each other, and should do nothing else. */
  endIdle(now: Millis, processes: readonly Process[]): void {
    if (this.#idle === undefined) return;
    const { observers } = this.#settings.cutDetector;
    const neighbours = (nodes: readonly Endpoint[] | undefined, self: Endpoint): number =>
      new Set(nodes).size - (nodes?.includes(self) ? 1 : 0);
    let probes = 0;
    for (const { view, endpoint } of processes) probes += neighbours(view?.subjectsOf(endpoint), endpoint);
    const periods = (now - this.#idle.at) / this.#settings.faultTimeoutMs + 1;
    // A probe is a request and an answer; the rest is for timers.
    const most = periods * (3 * probes + 12 * processes.length + observers);
    const steps = this.#steps - this.#idle.steps;
    if (steps > most)
      this.#report(23, undefined, `an idle mesh took ${steps} steps, more than ${Math.ceil(most)}`);
    this.#idle = undefined;
  }
}
