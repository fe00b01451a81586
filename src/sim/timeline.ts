// Virtual time as a scenario spends it: lets it pass, waits for something to come about, and puts things off.

import type { Millis } from "../core/doorway.ts";
import { Agenda } from "./agenda.ts";
import type { Violation } from "./checkers/checker.ts";

/** A checker found something; `violations` says what. */
export class RuleBroken extends Error {}

/** Something that did not come about in the virtual time it had. */
export class NotInTime extends Error {}

export abstract class Timeline {
  protected readonly agenda: Agenda = new Agenda();
  /** Something came about that somebody may be waiting for. */
  protected hasChanged = false;
  readonly #stopsAtViolation: boolean;

  constructor(stopsAtViolation: boolean) {
    this.#stopsAtViolation = stopsAtViolation;
  }

  abstract get violations(): readonly Violation[];

  /** Where everybody is, for whoever waited in vain. */
  abstract state(): string;

  get now(): Millis {
    return this.agenda.now;
  }

  /** Milliseconds since the run began. */
  get elapsed(): Millis {
    return this.agenda.elapsed;
  }

  /** Runs until the condition holds. @throws NotInTime when it does not within the given virtual time. */
  until(what: string, condition: () => boolean, withinMs: Millis = 120_000): void {
    const deadline = this.now + withinMs;
    while (!condition()) {
      // Looking after every single message would cost more than the members do.
      const { now } = this;
      this.hasChanged = false;
      do {
        if (this.#runNext(deadline)) continue;
        this.agenda.skipTo(deadline);
        if (condition()) return;
        throw new NotInTime(`not within ${withinMs} virtual ms: ${what}\n${this.state()}`);
      } while (!this.hasChanged && this.now < now + 1);
    }
  }

  /** Lets virtual time pass. */
  run(ms: Millis): void {
    const deadline = this.now + ms;
    while (this.#runNext(deadline));
    this.agenda.skipTo(deadline);
  }

  /** Does the next thing that is due within this time; false where there is none. */
  runNext(withinMs: Millis = Infinity): boolean {
    return this.#runNext(this.now + withinMs);
  }

  /** Does something later, in virtual time. */
  later(ms: Millis, run: () => void): void {
    this.agenda.add(this.now + ms, { run });
  }

  #runNext(deadline: Millis): boolean {
    const isDone = this.agenda.runNext(deadline);
    if (this.#stopsAtViolation && this.violations.length > 0) throw new RuleBroken(this.violations[0]!.what);
    return isDone;
  }
}
