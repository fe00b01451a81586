// Nobody breaks its word, and nothing is decided without a quorum of votes that were really cast. Invariants 3, 4 and 5
// of PITFALLS §3.1. Quorums are computed here anew, not asked of the view.

import { compareEndpoints, type Endpoint, isProposal } from "../../core/endpoint.ts";
import { identified, identityOf } from "../../core/identity.ts";
import { INQUIRY_RANK } from "../../core/inquiry.ts";
import {
  type Accept,
  type Accepted,
  type Alerts,
  type ConfigurationId,
  compareRanks,
  FAST_RANK,
  type FastAccepted,
  type Gossip,
  type Joiner,
  keyOf,
  type Proposal,
  type Rank,
} from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import type { Process } from "../process.ts";
import type { Checker, Report } from "./checker.ts";

/** What was put to the vote under one rank, and who accepted it. */
interface Ballot {
  readonly rank: Rank;
  readonly value: string;
  /** Who put it to the vote, or said first that it was. */
  readonly by: Process;
  readonly acceptors: Set<Endpoint>;
  isChosen: boolean;
}

/** All that was said under one configuration. */
interface Election {
  readonly view: View;
  readonly fast: Map<Endpoint, string>;
  readonly fastBallots: Map<string, Ballot>;
  readonly promised: Map<Endpoint, Rank>;
  readonly ballots: Map<string, Ballot>;
  readonly chosen: Ballot[];
  /** Endpoints that some observer said want to join. */
  readonly joining: Set<Endpoint>;
  /** Somebody has voted before it promised anything. */
  hasLasting: boolean;
}

export class Votes implements Checker {
  readonly #report: Report;
  readonly #elections = new Map<ConfigurationId, Election>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** Whether anybody has voted in this configuration. */
  hasBegun(id: ConfigurationId): boolean {
    const election = this.#elections.get(id);
    return election !== undefined && election.fast.size + election.ballots.size > 0;
  }

  /**
   * Whether somebody who promises says what was voted for: Rust members forget votes that they cast after a promise
   * (PITFALLS B2).
   */
  hasLasting(id: ConfigurationId): boolean {
    const election = this.#elections.get(id);
    return election !== undefined && (election.hasLasting || election.ballots.size > 0);
  }

  /** Whether anybody has voted, or promised to, in this configuration. */
  isUnderWay(id: ConfigurationId): boolean {
    return this.hasBegun(id) || (this.#elections.get(id)?.promised.size ?? 0) > 0;
  }

  uttered(process: Process, gossip: Gossip): void {
    // No promise, but a question where somebody is, which one may ask that is about to go.
    if (gossip.kind === "promise" && compareRanks(gossip.rank, INQUIRY_RANK) === 0) return;
    const { view } = process;
    if (view?.id !== gossip.configuration || !process.isMember) {
      if (this.#hasSaid(gossip)) return; // Told once more, to one who stayed behind.
      // Rust members may report late, and are heard by those who are there still.
      const election = this.#elections.get(gossip.configuration);
      if (election !== undefined && gossip.kind === "alerts") noteJoiners(election, gossip);
      return this.#report(4, process, `says ${gossip.kind} in ${gossip.configuration}, where it is not`);
    }
    let election = this.#elections.get(view.id);
    if (election === undefined) {
      election = emptyElection(view);
      this.#elections.set(view.id, election);
    }
    switch (gossip.kind) {
      case "alerts":
        return noteJoiners(election, gossip);
      case "fastAccepted":
        return this.#fast(process, election, gossip);
      case "prepare":
        // Its own copy of it is heard at once, and is a promise then.
        return this.#promise(process, election, gossip.rank);
      case "promise":
        return this.#promise(process, election, gossip.rank);
      case "accept":
        return void this.#ballot(process, election, gossip);
      case "accepted":
        return this.#accepted(process, election, gossip);
    }
  }

  decided(process: Process, from: View, to: View): void {
    if (from.size === 1) return; // It says its one vote to itself only.
    const decided = [
      ...from.members.filter((node) => !to.has(node)),
      ...to.members.filter((node) => !from.has(node)),
    ].sort(compareEndpoints);
    const joiners = decided.filter((node) => !from.has(node)).map((node) => to.recordOf(node) as Joiner);
    const value = keyOf(from.isAllNode ? identified(decided, joiners.map(identityOf)) : decided);
    const election = this.#elections.get(from.id);
    for (const node of decided) {
      if (!from.has(node) && election?.joining.has(node) !== true) {
        this.#report(5, process, `${node} is in ${to.id}, but nobody said that it wants to join`);
      }
    }
    if (election?.chosen.some((ballot) => ballot.value === value) !== true) {
      this.#report(3, process, `went from ${from.id} to ${to.id} without a quorum`);
    }
  }

  /** Whether its sender said the same when it was there. */
  #hasSaid(gossip: Gossip): boolean {
    const election = this.#elections.get(gossip.configuration);
    if (election === undefined) return false;
    switch (gossip.kind) {
      case "alerts":
        return gossip.edges.every(({ node, join }) => join === undefined || election.joining.has(node));
      case "fastAccepted":
        return election.fast.get(gossip.sender) === keyOf(gossip.value);
      case "accepted": {
        const ballot = election.ballots.get(nameOf(gossip.rank));
        return ballot?.value === keyOf(gossip.value) && ballot.acceptors.has(gossip.sender);
      }
      default:
        return false;
    }
  }

  #fast(process: Process, election: Election, { sender, value }: FastAccepted): void {
    const key = keyOf(value);
    this.#checkValue(process, election, value);
    const earlier = election.fast.get(sender);
    if (earlier !== undefined) {
      if (earlier !== key) this.#report(4, process, "two votes in the fast round");
      return;
    }
    if (election.promised.has(sender)) this.#report(4, process, "a vote in the fast round after a promise");
    else election.hasLasting = true;
    election.fast.set(sender, key);
    const ballot = election.fastBallots.get(key) ?? ballotOf(FAST_RANK, key, process);
    election.fastBallots.set(key, ballot);
    ballot.acceptors.add(sender);
    if (ballot.acceptors.size >= fastQuorumOf(election.view)) this.#choose(process, election, ballot);
  }

  #promise(process: Process, election: Election, rank: Rank): void {
    const { promised } = election;
    const earlier = promised.get(process.endpoint);
    if (earlier !== undefined && compareRanks(rank, earlier) < 0) {
      this.#report(4, process, "a promise below an earlier one");
    }
    promised.set(process.endpoint, rank);
  }

  #accepted(process: Process, election: Election, gossip: Accepted): void {
    const { promised } = election;
    const earlier = promised.get(gossip.sender);
    if (earlier !== undefined && compareRanks(gossip.rank, earlier) < 0) {
      this.#report(4, process, "an acceptance below a promise");
    }
    promised.set(gossip.sender, gossip.rank);
    const ballot = this.#ballot(process, election, gossip);
    ballot.acceptors.add(gossip.sender);
    if (ballot.acceptors.size >= majorityOf(election.view)) this.#choose(process, election, ballot);
  }

  #ballot(process: Process, election: Election, { rank, value }: Accept | Accepted): Ballot {
    this.#checkValue(process, election, value);
    const name = nameOf(rank);
    const key = keyOf(value);
    let ballot = election.ballots.get(name);
    if (ballot === undefined) {
      ballot = ballotOf(rank, key, process);
      election.ballots.set(name, ballot);
      for (const chosen of election.chosen) this.#compare(election, chosen, ballot);
    } else if (ballot.value !== key) this.#report(4, process, `two values in round ${name}`);
    return ballot;
  }

  #choose(process: Process, election: Election, ballot: Ballot): void {
    if (ballot.isChosen) return;
    ballot.isChosen = true;
    for (const chosen of election.chosen) {
      if (chosen.value !== ballot.value)
        this.#report(4, process, `two values were chosen in ${election.view.id}`);
    }
    for (const other of election.ballots.values()) this.#compare(election, ballot, other);
    election.chosen.push(ballot);
  }

  /** Once a value is chosen, no later round may propose another. */
  #compare({ view }: Election, chosen: Ballot, other: Ballot): void {
    if (compareRanks(other.rank, chosen.rank) <= 0 || other.value === chosen.value) return;
    const { round } = chosen.rank;
    const what = `round ${other.rank.round} proposes another value than round ${round} chose`;
    this.#report(4, other.by, what, view.id);
  }

  #checkValue(process: Process, { view, joining }: Election, value: Proposal): void {
    if (!isProposal(value)) {
      this.#report(5, process, `a vote for something that is no proposal: ${keyOf(value)}`);
    }
    if (process.model !== "node") return;
    for (const node of value) {
      if (view.has(node) || joining.has(node)) continue;
      this.#report(5, process, `a vote to admit ${node}, of whom nobody said that it wants to join`);
    }
  }
}

function noteJoiners({ joining }: Election, { edges }: Alerts): void {
  for (const { node, join } of edges) if (join !== undefined) joining.add(node);
}

function emptyElection(view: View): Election {
  return {
    view,
    fast: new Map(),
    fastBallots: new Map(),
    promised: new Map(),
    ballots: new Map(),
    chosen: [],
    joining: new Set(),
    hasLasting: false,
  };
}

function nameOf({ round, nodeIndex }: Rank): string {
  return `${round} ${nodeIndex}`;
}

function ballotOf(rank: Rank, value: string, by: Process): Ballot {
  return { rank, value, by, acceptors: new Set(), isChosen: false };
}

function fastQuorumOf({ members }: View): number {
  return members.length - Math.floor(members.length / 4);
}

function majorityOf({ members }: View): number {
  return (members.length - (members.length % 2)) / 2 + 1;
}
