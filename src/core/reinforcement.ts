// A subject that stays unstable must not hold everybody back for ever (Rapid §4.2, PITFALLS B9). After one probe
// period, when all who can report have reported, we look whether it goes together with others, and wait for it no
// longer where only those accuse it who are going. Much later, where several observers accuse it, we add our own voice;
// where it is one against one, or that did not help, we stop waiting for it.

import type { CutDetector } from "./cut-detector.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Settings } from "./settings.ts";

export class Reinforcement {
  readonly #detector: CutDetector;
  readonly #settings: Settings;
  readonly #considered = new Set<Endpoint>();
  readonly #echoed = new Set<Endpoint>();

  constructor(detector: CutDetector, settings: Settings) {
    this.#detector = detector;
    this.#settings = settings;
  }

  /** When there is something to do about somebody who is still unstable then. */
  get dueAt(): Millis {
    let at = Infinity;
    for (const { node, since } of this.#detector.unstable()) {
      if (!this.#detector.holdsBack(node)) continue;
      const lastAt = since + this.unstableMs * (this.#echoed.has(node) ? 2 : 1);
      if (!this.#considered.has(node)) at = Math.min(at, since + this.#settings.faultTimeoutMs);
      else at = Math.min(at, lastAt, this.#excusableAt(node));
    }
    return at;
  }

  /**
   * New reports came in: those who have waited for long may go together now. Where nearly half of the members have
   * crashed, each of them may be left with so few observers that none is ever unstable.
   */
  reconsider(now: Millis): void {
    const isOld = now >= this.#detector.firstAccusedAt + this.unstableMs;
    if (isOld || this.#considered.size > 0) this.#detector.inferTogether(now - this.unstableMs, now);
  }

  /** Does what is due; answers the subjects about whom we should report what our own rings owe. */
  wake(now: Millis): readonly Endpoint[] {
    const unstable = this.#detector.unstable();
    for (const { node, since } of unstable) {
      if (this.#considered.has(node) || now < since + this.#settings.faultTimeoutMs) continue;
      this.#considered.add(node);
      this.reconsider(now);
    }
    const echoes: Endpoint[] = [];
    for (const { node, since } of unstable) {
      if (now >= this.#excusableAt(node)) this.#detector.excuse(node);
      if (!this.#detector.holdsBack(node) || now < since + this.unstableMs) continue;
      if (!this.#echoed.has(node) && this.#detector.witnessesOf(node, this.#recently(node, now)) >= 2) {
        this.#echoed.add(node);
        echoes.push(node);
      } else if (!this.#echoed.has(node) || now >= since + 2 * this.unstableMs) {
        this.#detector.ignore(node);
      }
    }
    return echoes;
  }

  /** Those who were to accuse it as well have had the time. */
  #excusableAt(node: Endpoint): Millis {
    return this.#detector.accusedByStableSince(node) + this.#settings.faultTimeoutMs;
  }

  /**
   * Whoever cannot reach a member says so again and again; who said so once and not since, can reach it now. Of a joiner
   * everything is said once.
   */
  #recently(node: Endpoint, now: Millis): Millis {
    if (!this.#detector.isMember(node)) return -Infinity;
    return now - 1.5 * this.#settings.faultStrikes * this.#settings.faultTimeoutMs;
  }

  /** How long others are given to say what they know of one whom we miss. */
  get unstableMs(): Millis {
    return 2 * this.#settings.faultStrikes * this.#settings.faultTimeoutMs;
  }
}
