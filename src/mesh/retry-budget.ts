// How many calls may be made a second time: a share of those that are made at all, so that retries cannot multiply
// the load of members that fail because they have too much of it.

/** What may be spent at once, after quiet times and at first. */
const TOKENS_MAX = 100;
const TOKENS_FIRST = 20;

export class RetryBudget {
  readonly #share: number;
  #tokens = TOKENS_FIRST;

  /** `share` of the calls may be tried once more; 0.2 is one in five. */
  constructor(share: number) {
    this.#share = share;
    if (share === 0) this.#tokens = 0;
  }

  called(): void {
    if (this.#tokens < TOKENS_MAX) this.#tokens += this.#share;
  }

  /** Takes what one more attempt costs. False where there is not enough. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
