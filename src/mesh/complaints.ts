// What strangers can make a member say: each thing once a minute, and not many things, so that nobody can fill a
// log from outside.

const PERIOD_MS = 60_000;
const TEXTS_MAX = 60;

export class Complaints {
  readonly #say: (text: string) => void;
  readonly #said = new Set<string>();
  #since = -Infinity;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  add(text: string): void {
    const now = performance.now();
    if (now - this.#since >= PERIOD_MS) {
      this.#said.clear();
      this.#since = now;
    }
    if (this.#said.has(text) || this.#said.size >= TEXTS_MAX) return;
    this.#said.add(text);
    this.#say(text);
  }
}
