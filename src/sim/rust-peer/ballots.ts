// The votes of one configuration, fast and classic, as the crate counts them (PROTOCOL §13 and §14): a vote in the fast
// round is cast even after a promise (PITFALLS B2), there is one classic round and never another (B6), and a promise that
// comes twice counts twice (B8).

import type { Endpoint } from "../../core/endpoint.ts";
import {
  type Accept,
  type Accepted,
  compareRanks,
  FAST_RANK,
  type FastAccepted,
  keyOf,
  NO_RANK,
  type Prepare,
  type PromiseMessage,
  type Proposal,
  type Rank,
  type Refused,
} from "../../core/messages.ts";
import { refuse } from "../../core/refusals.ts";

interface Tally {
  readonly voters: Set<Endpoint>;
  readonly value: Proposal;
}

export class Ballots {
  readonly #voters = new Set<Endpoint>();
  readonly #fast = new Map<string, number>();
  #promised: Rank = NO_RANK;
  #voted: Rank = NO_RANK;
  #value: Proposal = [];
  /** The round that this node coordinates. */
  #own: Rank = NO_RANK;
  #chosen: Proposal = [];
  readonly #promises: PromiseMessage[] = [];
  readonly #accepted = new Map<string, Tally>();

  /** Registers its own vote, where no classic round was promised; it is cast in either case. */
  register(proposal: Proposal): void {
    if (this.#promised.round >= 2) return;
    this.#promised = FAST_RANK;
    this.#voted = FAST_RANK;
    this.#value = proposal;
  }

  /** What was decided with this vote, if it was; once more with each vote after it. */
  hearFast({ sender, value }: FastAccepted, size: number): Refused | Proposal | undefined {
    if (this.#voters.has(sender)) return refuse.alreadyVoted;
    this.#voters.add(sender);
    const key = keyOf(value);
    const votes = (this.#fast.get(key) ?? 0) + 1;
    this.#fast.set(key, votes);
    return votes >= Math.ceil(0.75 * size) ? value : undefined;
  }

  /** The rank of its one classic round. */
  begin(nodeIndex: bigint): Rank | undefined {
    if (this.#own.round > 2) return undefined;
    this.#own = { round: 2, nodeIndex };
    return this.#own;
  }

  /** What it promises, and what it voted for before. */
  hearPrepare({ rank }: Prepare): Refused | Pick<PromiseMessage, "rank" | "voted" | "value"> {
    if (compareRanks(rank, this.#promised) <= 0) return refuse.rankTooLow;
    this.#promised = rank;
    return { rank, voted: this.#voted, value: this.#value };
  }

  /** The value to put to the vote, once there is one. */
  hearPromise(promise: PromiseMessage, size: number): Refused | Accept["value"] | undefined {
    if (compareRanks(promise.rank, this.#own) !== 0) return refuse.notOurRank;
    this.#promises.push(promise);
    if (this.#promises.length <= Math.floor(size / 2) || this.#chosen.length > 0) return undefined;
    const value = chosenOf(this.#promises, size);
    this.#chosen = value ?? [];
    return value;
  }

  get ownRank(): Rank {
    return this.#own;
  }

  hearAccept({ rank, value }: Accept): Refused | undefined {
    if (compareRanks(rank, this.#promised) < 0) return refuse.roundTooLow;
    if (compareRanks(rank, this.#voted) === 0) return refuse.alreadyAccepted;
    this.#promised = rank;
    this.#voted = rank;
    this.#value = value;
    return undefined;
  }

  /** What was decided with this, if it was. Of each rank, the first value that was heard is the one that counts. */
  hearAccepted({ sender, rank, value }: Accepted, size: number): Proposal | undefined {
    const name = `${rank.round} ${rank.nodeIndex}`;
    const tally = this.#accepted.get(name) ?? { voters: new Set(), value };
    this.#accepted.set(name, tally);
    tally.voters.add(sender);
    if (tally.voters.size <= Math.floor(size / 2)) return undefined;
    this.#accepted.delete(name);
    return tally.value;
  }
}

function chosenOf(promises: readonly PromiseMessage[], size: number): Proposal | undefined {
  const highest = promises.reduce(
    (most, { voted }) => (compareRanks(voted, most) > 0 ? voted : most),
    NO_RANK,
  );
  const votes = new Map<string, { count: number; readonly value: Proposal }>();
  for (const { voted, value } of promises) {
    if (compareRanks(voted, highest) !== 0 || value.length === 0) continue;
    const known = votes.get(keyOf(value));
    if (known === undefined) votes.set(keyOf(value), { count: 1, value });
    else known.count += 1;
  }
  const all = [...votes.values()];
  if (all.length === 1) return all[0]!.value;
  const frequent = all.find(({ count }) => count > Math.floor(size / 4));
  return frequent?.value ?? promises.find(({ value }) => value.length > 0)?.value;
}
