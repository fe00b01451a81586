// The rounds that decide when the fast one does not: prepare, promise, accept, accepted. One member's part as
// acceptor and, at most once at a time, as coordinator of a round of its own. All coordinator state belongs to one
// rank, so that a round that failed leaves nothing behind (PITFALLS B6, B8).

import { Bitset } from "./bitset.ts";
import type { Endpoint } from "./endpoint.ts";
import { nodeIndexOf } from "./hash.ts";
import {
  type Accept,
  type Accepted,
  compareRanks,
  FAST_RANK,
  keyOf,
  NO_RANK,
  type Prepare,
  type PromiseMessage,
  type Proposal,
  type Rank,
  type Refused,
} from "./messages.ts";
import { refuse } from "./refusals.ts";
import type { View } from "./view.ts";

interface Attempt {
  readonly rank: Rank;
  /** By sender: a promise that was delivered twice counts once. */
  readonly promises: Map<Endpoint, PromiseMessage>;
  hasChosen: boolean;
}

interface Tally {
  readonly rank: Rank;
  value: Proposal;
  readonly acceptors: Bitset;
}

/** Ranks of which acceptances are counted at a time; each needs a coordinator of its own. */
const TALLIES_MAX = 1024;

export class ClassicPaxos {
  readonly #view: View;
  readonly #self: Endpoint;
  #promised: Rank = NO_RANK;
  #voted: Rank = NO_RANK;
  #value: Proposal = [];
  #attempt: Attempt | undefined;
  #highestRound = FAST_RANK.round;
  readonly #tallies = new Map<string, Tally>();

  constructor(view: View, self: Endpoint) {
    this.#view = view;
    this.#self = self;
  }

  /** The highest round heard of, at least 1. */
  get highestRound(): number {
    return this.#highestRound;
  }

  /** Neither voted nor promised. */
  get isFree(): boolean {
    return this.#promised === NO_RANK;
  }

  /** What this member voted for last; empty where it has not. */
  get value(): Proposal {
    return this.#value;
  }

  /** Registers this member's vote in the fast round; false where a promise forbids to cast it (PITFALLS B2). */
  voteFast(value: Proposal): boolean {
    if (compareRanks(this.#promised, FAST_RANK) >= 0) return false;
    this.#promised = FAST_RANK;
    this.#voted = FAST_RANK;
    this.#value = value;
    return true;
  }

  /** Starts a round of our own, above all rounds heard of. */
  begin(): Prepare {
    const rank = { round: this.#highestRound + 1, nodeIndex: nodeIndexOf(this.#self) };
    this.#highestRound = rank.round;
    this.#attempt = { rank, promises: new Map(), hasChosen: false };
    return { kind: "prepare", sender: this.#self, configuration: this.#view.id, rank };
  }

  prepare({ rank }: Prepare): PromiseMessage | Refused {
    if (compareRanks(rank, this.#promised) <= 0) return refuse.rankTooLow;
    this.#hearOf(rank);
    this.#promised = rank;
    return {
      kind: "promise",
      sender: this.#self,
      configuration: this.#view.id,
      rank,
      voted: this.#voted,
      value: this.#value,
    };
  }

  promise(promise: PromiseMessage): Refused | undefined {
    if (this.#attempt === undefined || compareRanks(promise.rank, this.#attempt.rank) !== 0) {
      return refuse.notOurRank;
    }
    if (!this.#attempt.promises.has(promise.sender)) this.#attempt.promises.set(promise.sender, promise);
    return undefined;
  }

  /**
   * The promises of our own round once a majority made them, until a value is put to the vote. Where some are dead for
   * good, all others have to promise instead: what they voted for may have been chosen with votes of the dead.
   */
  awaitingChoice(dead: ReadonlySet<Endpoint>): readonly PromiseMessage[] | undefined {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.hasChosen) return undefined;
    const promises = [...attempt.promises.values()].filter(({ sender }) => !dead.has(sender));
    const needed = dead.size === 0 ? this.#view.majority : this.#view.size - dead.size;
    return promises.length >= needed ? promises : undefined;
  }

  /** Whether this member promised our own round. */
  hasPromised(member: Endpoint): boolean {
    return this.#attempt?.promises.has(member) === true;
  }

  /** Puts a value to the vote in our own round, once; where it needs their votes, the dead accept it, too. */
  propose(value: Proposal, dead: ReadonlySet<Endpoint>): readonly (Accept | Accepted)[] {
    this.#attempt!.hasChosen = true;
    const { rank } = this.#attempt!;
    const said = { sender: this.#self, configuration: this.#view.id, rank, value };
    const spoken = Math.max(0, this.#view.majority - (this.#view.size - dead.size));
    return [
      { ...said, kind: "accept" },
      ...[...dead].slice(0, spoken).map((sender) => ({ ...said, kind: "accepted" as const, sender })),
    ];
  }

  accept({ rank, value }: Accept): Accepted | Refused {
    if (compareRanks(rank, this.#promised) < 0) return refuse.roundTooLow;
    if (compareRanks(rank, this.#voted) === 0) return refuse.alreadyAccepted;
    this.#hearOf(rank);
    this.#promised = rank;
    this.#voted = rank;
    this.#value = value;
    return { kind: "accepted", sender: this.#self, configuration: this.#view.id, rank, value };
  }

  /** Counts an acceptance; answers the value once more than half of the members accepted it in one round. */
  accepted({ sender, rank, value }: Accepted): Proposal | undefined {
    this.#hearOf(rank);
    const key = `${rank.round} ${rank.nodeIndex}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      if (this.#tallies.size >= TALLIES_MAX) return undefined;
      tally = { rank, value, acceptors: new Bitset(this.#view.size) };
      this.#tallies.set(key, tally);
    }
    // One rank carries one value; whoever says otherwise is not counted.
    if (keyOf(tally.value) !== keyOf(value)) return undefined;
    if (tally.value.advice === undefined) tally.value = value; // Who heard the coordinator through Rust members has none.
    tally.acceptors.add(this.#view.indexOf(sender));
    return tally.acceptors.size >= this.#view.majority ? tally.value : undefined;
  }

  /** The majority that accepted this value, and in which round; `undefined` where there is none. */
  acceptorsOf(value: Proposal): { readonly rank: Rank; readonly members: Bitset } | undefined {
    for (const { rank, value: accepted, acceptors } of this.#tallies.values()) {
      const isDecided = acceptors.size >= this.#view.majority && keyOf(accepted) === keyOf(value);
      if (isDecided) return { rank, members: acceptors };
    }
    return undefined;
  }

  #hearOf(rank: Rank): void {
    // A round at the end of the range would leave no room for a next one.
    if (rank.round < 0x7fffffff) this.#highestRound = Math.max(this.#highestRound, rank.round);
  }
}
