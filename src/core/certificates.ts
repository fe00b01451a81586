// What ended a configuration, kept as evidence for those who missed it: the value, the joiners that it names, and the
// members that voted for it (PITFALLS B4). Nothing is signed, so evidence proves as much as the votes themselves did;
// it is checked like votes, against the members of the configuration that it ends.

import type { ClassicPaxos } from "./classic-paxos.ts";
import { type Endpoint, isProposal, type NodeId } from "./endpoint.ts";
import type { FastPaxos } from "./fast-paxos.ts";
import { nodeIndexOf } from "./hash.ts";
import {
  type Accepted,
  type Alerts,
  type Certificate,
  compareRanks,
  type Edge,
  FAST_RANK,
  type FastAccepted,
  type Joiner,
  type Proposal,
  type Rank,
} from "./messages.ts";
import type { View } from "./view.ts";

export function certify(
  view: View,
  value: Proposal,
  joiners: ReadonlyMap<Endpoint, Joiner>,
  fast: FastPaxos,
  classic: ClassicPaxos,
): Certificate {
  const votes = fast.votersFor(value);
  const byVotes = votes !== undefined && votes.size >= view.fastQuorum;
  const { rank, members } = byVotes
    ? { rank: FAST_RANK, members: votes }
    : (classic.acceptorsOf(value) ?? { rank: FAST_RANK, members: votes });
  const voters = view.members.filter((_, member) => members?.has(member));
  return { configuration: view.id, value, joiners, rank, voters };
}

/** The view that this certificate leads to, or `undefined` where it does not prove that. */
export function viewAfter(view: View, certificate: Certificate): View | undefined {
  const { configuration, value, joiners, rank, voters } = certificate;
  if (configuration !== view.id || !isProposal(value)) return undefined;
  const quorum = compareRanks(rank, FAST_RANK) === 0 ? view.fastQuorum : view.majority;
  if (compareRanks(rank, FAST_RANK) < 0) return undefined;
  if (new Set(voters).size < quorum || !voters.every((voter) => view.has(voter))) return undefined;
  const uuids = new Set<NodeId>();
  for (const node of value) {
    if (view.has(node)) continue;
    const joiner = joiners.get(node);
    if (joiner === undefined || view.knows(joiner.uuid) || uuids.has(joiner.uuid)) return undefined;
    uuids.add(joiner.uuid);
  }
  return view.next(value, joiners);
}

/** The same decision, with the joiners as this view has them. */
export function asAppliedIn(view: View, by: Certificate): Certificate {
  const joiners = [...by.joiners].map(([node, joiner]): [Endpoint, Joiner] => {
    const { uuid = joiner.uuid, metadata } = view.recordOf(node) ?? joiner;
    return [node, { uuid, metadata }];
  });
  return { ...by, joiners: new Map(joiners) };
}

/** A configuration to take next, and what led there, where that is known. */
export interface Step {
  readonly view: View;
  readonly by?: Certificate;
}

/** The steps that a chain leads through from this view, as far as it proves itself and `self` is still in them. */
export function stepsAlong(view: View, chain: readonly Certificate[], self: Endpoint): readonly Step[] {
  const steps: Step[] = [];
  let from = view;
  for (const by of chain) {
    const next = from.has(self) ? viewAfter(from, by) : undefined;
    if (next === undefined) break;
    steps.push({ view: next, by });
    from = next;
  }
  return steps;
}

/** In which one that cannot follow any more is told that it alone was removed: above any that is likely to have been. */
const EVICTION_ROUND = 9;

/**
 * Others may be told of this decision, and let in by it. Not so where it removed us and joiners were told of in several ways, of
 * which those who stay find the right one (PITFALLS B3); nor where it was said to us alone, to evict us, and nobody voted so.
 */
export function isEvidence(by: Certificate, self: Endpoint, after: View, hasVariants: boolean): boolean {
  return after.has(self) || !(hasVariants || evicts(self, by));
}

function evicts(node: Endpoint, { value, rank }: Certificate): boolean {
  return value.length === 1 && value[0] === node && compareRanks(rank, evictionRank(node)) === 0;
}

export function evictionRank(node: Endpoint): Rank {
  return { round: EVICTION_ROUND, nodeIndex: nodeIndexOf(node) };
}

/** What was said when it was decided, for a peer that knows of no certificates. First all alerts, then the votes. */
export interface Replay {
  readonly alerts: readonly Alerts[];
  readonly votes: readonly (FastAccepted | Accepted)[];
}

export function replayOf(view: View, { value, joiners, rank, voters }: Certificate): Replay {
  const edges = new Map<Endpoint, Edge[]>();
  for (const [node, join] of joiners) {
    for (const [ring, sender] of view.observersOf(node).entries()) {
      edges.set(sender, [...(edges.get(sender) ?? []), { node, ring, join }]);
    }
  }
  const configuration = view.id;
  const isFast = compareRanks(rank, FAST_RANK) === 0;
  return {
    alerts: [...edges].map(([sender, told]) => ({ kind: "alerts", sender, configuration, edges: told })),
    votes: voters.map((sender) =>
      isFast
        ? { kind: "fastAccepted", sender, configuration, value }
        : { kind: "accepted", sender, configuration, rank, value },
    ),
  };
}
