// Whether calls should go to a member now, judged by how it answered lately. Time is passed in. The failure detector
// takes seconds to remove a member, for that must be agreed on; to go elsewhere meanwhile is everybody's own affair.

/** Faults in a row, with no good answer among them, after which a member is avoided for a while. */
const FAULTS_MAX = 5;
/** How long it is avoided the first time; each further time in a row it is longer by as much. */
const PENALTY_MS = 5000;
const PENALTY_MS_MAX = 60_000;

export class Standing {
  #faults = 0;
  #penalties = 0;
  #penaltyEndsMs = 0;
  #isMissing = false;

  /** Says nothing at all: it is avoided until it is heard again. */
  get isMissing(): boolean {
    return this.#isMissing;
  }

  isAvoided(nowMs: number): boolean {
    return this.#isMissing || nowMs < this.#penaltyEndsMs;
  }

  /** When a penalty ends, if one is being served. */
  penaltyEndsAfter(nowMs: number): number | undefined {
    return nowMs < this.#penaltyEndsMs ? this.#penaltyEndsMs : undefined;
  }

  /** It answered a call as it should. */
  answered(): void {
    this.#faults = 0;
    this.#penalties = 0;
  }

  /** It answered with an error that is its own, or broke off. True where it is to be avoided from now on. */
  faulted(nowMs: number): boolean {
    this.#faults += 1;
    if (this.#faults < FAULTS_MAX || nowMs < this.#penaltyEndsMs) return false;
    this.#faults = 0;
    this.#penalties += 1;
    this.#penaltyEndsMs = nowMs + Math.min(PENALTY_MS * this.#penalties, PENALTY_MS_MAX);
    return true;
  }

  /** It cannot be reached, or does not answer though asked whether it is there. True where that is news. */
  missed(): boolean {
    const isNews = !this.#isMissing;
    this.#isMissing = true;
    return isNews;
  }

  /** It said something, whatever it was. True where it was missing. */
  heard(): boolean {
    const isNews = this.#isMissing;
    this.#isMissing = false;
    return isNews;
  }
}
