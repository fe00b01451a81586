// Counts the votes of the fast round: a value is decided as soon as three quarters of the members voted for exactly
// that list, in one message delay and without a leader (Rapid §4.3).

import { Bitset } from "./bitset.ts";
import { keyOf, type Proposal, sameProposal } from "./messages.ts";
import type { View } from "./view.ts";

export interface Ballot {
  readonly value: Proposal;
  /** Members, by index, that voted for it. */
  readonly voters: Bitset;
}

export class FastPaxos {
  readonly #view: View;
  readonly #voted: Bitset;
  readonly #ballots = new Map<string, Ballot>();
  /** The one that was voted for last, and most likely is again. */
  #last: Ballot | undefined;
  /** How many votes the leading one has. */
  #most = 0;

  constructor(view: View) {
    this.#view = view;
    this.#voted = new Bitset(view.size);
  }

  hasVoted(member: number): boolean {
    return this.#voted.has(member);
  }

  /** Counts a member's first vote; answers the value once it has a quorum. */
  count(member: number, value: Proposal): Proposal | undefined {
    this.#voted.add(member);
    const ballot = this.#ballotOf(value);
    ballot.voters.add(member);
    this.#most = Math.max(this.#most, ballot.voters.size);
    return ballot.voters.size >= this.#view.fastQuorum ? ballot.value : undefined;
  }

  #ballotOf(value: Proposal): Ballot {
    if (this.#last !== undefined && sameProposal(this.#last.value, value)) return this.#last;
    const key = keyOf(value);
    let ballot = this.#ballots.get(key);
    if (ballot === undefined) {
      ballot = { value, voters: new Bitset(this.#view.size) };
      this.#ballots.set(key, ballot);
    }
    this.#last = ballot;
    return ballot;
  }

  votersFor(value: Proposal): Bitset | undefined {
    return this.#ballots.get(keyOf(value))?.voters;
  }

  /** Whether a value can still reach the quorum when `silent` of those who have not voted never will. */
  canDecide(silent: number): boolean {
    return this.#most + this.#view.size - this.#voted.size - silent >= this.#view.fastQuorum;
  }

  get ballots(): ReadonlyMap<string, Ballot> {
    return this.#ballots;
  }

  /** The value with the most votes so far; of several, the one voted for first. */
  get leading(): Proposal | undefined {
    let leading: Ballot | undefined;
    for (const ballot of this.#ballots.values()) {
      if (leading === undefined || ballot.voters.size > leading.voters.size) leading = ballot;
    }
    return leading?.value;
  }
}
