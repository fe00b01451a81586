// Which value a coordinator must put to the vote after a majority promised (Fast Paxos, coordinated recovery).
// The one rule that must not fail: a value that a fast quorum may have chosen is the only one proposed.

import type { FastPaxos } from "./fast-paxos.ts";
import { compareRanks, FAST_RANK, keyOf, type PromiseMessage, type Proposal, type Rank } from "./messages.ts";
import type { View } from "./view.ts";

export interface Choice {
  readonly value: Proposal;
  /** Nothing else can be chosen any more by those who are still free to vote. */
  readonly isSafe: boolean;
}

/**
 * Chooses among the promises of one rank, at most one per member. `undefined` where nobody voted for anything and
 * `candidate`, the coordinator's own idea, is missing too.
 */
export function choose(
  view: View,
  promises: readonly PromiseMessage[],
  votes: FastPaxos,
  candidate: Proposal | undefined,
): Choice | undefined {
  const highest = promises.reduce<Rank | undefined>(
    (rank, { voted }) => (rank === undefined || compareRanks(voted, rank) > 0 ? voted : rank),
    undefined,
  );
  if (highest === undefined) return undefined;
  const value = pick(view, promises, highest, votes, candidate);
  if (value === undefined) return undefined;
  // A value accepted in a classic round was chosen by this very rule, and binds.
  const isSafe = highest.round > FAST_RANK.round || noRivalCanWin(view, value, promises, votes);
  return { value, isSafe };
}

function pick(
  view: View,
  promises: readonly PromiseMessage[],
  highest: Rank,
  votes: FastPaxos,
  candidate: Proposal | undefined,
): Proposal | undefined {
  const tally = new Map<string, { value: Proposal; count: number }>();
  for (const { voted, value } of promises) {
    if (value.length === 0 || compareRanks(voted, highest) !== 0) continue;
    const entry = tally.get(keyOf(value));
    if (entry === undefined) {
      tally.set(keyOf(value), { value, count: 1 });
      continue;
    }
    entry.count += 1;
    if (entry.value.advice === undefined) entry.value = value; // What was advised before, where any of them knows it.
  }
  const entries = [...tally.values()];
  if (entries.length === 1) return entries[0]!.value;
  // With more than a quarter for one value no other can reach three quarters; where none has that many, none was
  // chosen. In both cases the value with the most votes is allowed, and the likeliest to be known everywhere.
  const known = (value: Proposal): number => votes.ballots.get(keyOf(value))?.voters.size ?? 0;
  entries.sort((a, b) => b.count - a.count || known(b.value) - known(a.value));
  const leading = entries[0];
  if (leading !== undefined && leading.count > Math.floor(view.size / 4)) return leading.value;
  return (
    leading?.value ?? promises.find(({ value }) => value.length > 0)?.value ?? votes.leading ?? candidate
  );
}

/**
 * A Rust member may still vote in the fast round after it promised (PITFALLS B2), so a promise alone does not bind
 * it. No rival can win once enough members are known to be bound elsewhere: they voted for something else, or they
 * are Node members that promised without having voted.
 */
function noRivalCanWin(
  view: View,
  value: Proposal,
  promises: readonly PromiseMessage[],
  votes: FastPaxos,
): boolean {
  if (view.isAllNode) return true;
  const boundTo = new Map<number, string>();
  for (const promise of promises) {
    const member = view.indexOf(promise.sender);
    if (compareRanks(promise.voted, FAST_RANK) === 0) boundTo.set(member, keyOf(promise.value));
    else if (view.isNode(promise.sender)) boundTo.set(member, "");
  }
  for (const [key, { voters }] of votes.ballots) {
    for (let member = 0; member < view.size; member++) if (voters.has(member)) boundTo.set(member, key);
  }
  const perValue = new Map<string, number>();
  for (const key of boundTo.values()) perValue.set(key, (perValue.get(key) ?? 0) + 1);
  const needed = view.size - view.fastQuorum + 1;
  const chosen = keyOf(value);
  for (const [key, count] of perValue) {
    if (key !== "" && key !== chosen && boundTo.size - count < needed) return false;
  }
  // And against a value that nobody has been heard of.
  return boundTo.size >= needed;
}
