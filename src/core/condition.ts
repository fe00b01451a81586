// What a member doubts of its own condition, told to people when it changes: as data for programs, as a sentence for
// logs. Nothing that members do depends on it.

import type { Doubts } from "./doorway.ts";
import type { Outgoing } from "./outgoing.ts";

/** How the others look from here. */
export interface Prospect {
  readonly suspectsNoQuorum: boolean;
  readonly suspectsStale: boolean;
}

/** As long as nothing is wrong. */
export const NO_DOUBTS: Doubts = { noQuorum: false, stale: false, clockAheadSeconds: 0 };

export class Condition {
  readonly #out: Pick<Outgoing<never>, "add" | "note">;
  #told = NO_DOUBTS;

  constructor(out: Pick<Outgoing<never>, "add" | "note">) {
    this.#out = out;
  }

  /** This is how it is now; `skewSeconds` is how far the others' clocks are ahead. */
  look({ suspectsNoQuorum, suspectsStale }: Prospect, skewSeconds: number): void {
    const told = this.#told;
    const clockAheadSeconds = skewSeconds === 0 ? 0 : -skewSeconds;
    const isNews =
      suspectsNoQuorum !== told.noQuorum ||
      suspectsStale !== told.stale ||
      clockAheadSeconds !== told.clockAheadSeconds;
    if (!isNews) return;
    this.#told = { noQuorum: suspectsNoQuorum, stale: suspectsStale, clockAheadSeconds };
    this.#out.add({ kind: "doubts", doubts: this.#told });
    if (clockAheadSeconds !== told.clockAheadSeconds) this.#out.note("warn", sentenceOf(clockAheadSeconds));
    if (suspectsNoQuorum === told.noQuorum) return;
    if (suspectsNoQuorum)
      this.#out.note("warn", "too few members answer to decide anything: no majority is left");
    else this.#out.note("info", "a majority of the members answers again");
  }
}

function sentenceOf(aheadSeconds: number): string {
  if (aheadSeconds === 0) return "this machine's clock agrees with the other members' again";
  const way = aheadSeconds > 0 ? "ahead of" : "behind";
  return `this machine's clock is ${Math.abs(aheadSeconds)} s ${way} the other members'`;
}
