// Finds members that answer nothing, frozen or cut off, while calls wait for them: one that was silent for a moment
// is asked whether it is there, which every member of a mesh answers at once, whatever its handlers do. Much sooner
// than a deadline, and than the failure detector, it is known that a call should be made elsewhere.

import { askWhetherThere, type Inquiry } from "./bridge-inquiry.ts";
import type { Line } from "./line.ts";

const SWEEP_MS = 25;
/** Silence after which a member is asked, and at most, where its handlers are just slow. */
const SILENT_MS = 100;
const SILENT_MS_MAX = 2000;
/** How long it may take to say that it is there; where it took longer before, twice as long as that. */
const ANSWER_MS = 100;
const ANSWER_MS_MAX = 1000;
/** How often a member that is missing is asked again. */
const AGAIN_MS = 500;

interface Watched {
  inquiry: Inquiry | undefined;
  /** The inquiry was not answered in time. */
  isLate: boolean;
  askedMs: number;
  /** Grows while the member is there but calls still wait. */
  patienceMs: number;
}

export class SilenceWatch {
  readonly #lines: () => Iterable<Line>;
  readonly #penaltyEnded: () => void;
  readonly #watched = new Map<Line, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #penaltyEndsMs = Infinity;

  /** `penaltyEnded`: a member that was avoided for a while may be called again. */
  constructor(lines: () => Iterable<Line>, penaltyEnded: () => void) {
    this.#lines = lines;
    this.#penaltyEnded = penaltyEnded;
  }

  /** Goes on for as long as calls wait or members are avoided. */
  wake(): void {
    this.#timer ??= setTimeout(() => this.#sweep(), SWEEP_MS).unref();
  }

  forget(line: Line): void {
    this.#watched.get(line)?.inquiry?.cancel();
    this.#watched.delete(line);
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const { inquiry } of this.#watched.values()) inquiry?.cancel();
    this.#watched.clear();
  }

  #sweep(): void {
    const nowMs = performance.now();
    this.#timer = undefined;
    let isBusy = false;
    let penaltyEndsMs = Infinity;
    for (const line of this.#lines()) {
      const { standing } = line;
      penaltyEndsMs = Math.min(penaltyEndsMs, standing.penaltyEndsAfter(nowMs) ?? Infinity);
      if (line.waiting.size === 0 && !(standing.isMissing && line.isWanted)) {
        if (this.#watched.size > 0) this.forget(line);
        continue;
      }
      isBusy = true;
      this.#look(line, nowMs);
    }
    if (this.#penaltyEndsMs <= nowMs) this.#penaltyEnded();
    this.#penaltyEndsMs = penaltyEndsMs;
    if (isBusy || penaltyEndsMs !== Infinity) this.wake();
  }

  #look(line: Line, nowMs: number): void {
    let watched = this.#watched.get(line);
    const silentMs = nowMs - line.heardMs;
    if (watched === undefined) {
      if (silentMs < SILENT_MS && !line.standing.isMissing) return;
      watched = { inquiry: undefined, isLate: false, askedMs: -Infinity, patienceMs: SILENT_MS };
      this.#watched.set(line, watched);
    }
    // The budget, or nobody else being there, may have kept calls waiting; and they go on coming where all are missing.
    if (line.standing.isMissing) line.tellMissing();
    if (watched.inquiry !== undefined) {
      // It was heard since, and is silent again, and still owes that answer.
      if (watched.isLate && silentMs >= watched.patienceMs + ANSWER_MS) line.missed();
      return;
    }
    const isDue = line.standing.isMissing
      ? nowMs - watched.askedMs >= AGAIN_MS
      : silentMs >= watched.patienceMs;
    if (isDue) this.#ask(line, watched, nowMs);
  }

  /** Where this process stood still itself, and answers lie unread, it asks in vain, and takes no harm. */
  #ask(line: Line, watched: Watched, nowMs: number): void {
    watched.askedMs = nowMs;
    const lateMs = Math.min(Math.max(2 * line.answeredInMs, ANSWER_MS), ANSWER_MS_MAX);
    watched.inquiry = askWhetherThere(line.channel, lateMs, (answer) => {
      watched.isLate = answer === "late";
      if (!watched.isLate) watched.inquiry = undefined;
      if (answer === "here") {
        line.answeredInMs = performance.now() - nowMs;
        line.heard();
        watched.patienceMs = Math.min(watched.patienceMs * 2, SILENT_MS_MAX);
      } else {
        line.missed();
      }
    });
  }
}
