// What fake members say: a view of theirs, and messages in it.

import { type Endpoint, type NodeId, nodeIdOf } from "../../src/core/endpoint.ts";
import { nodeIndexOf } from "../../src/core/hash.ts";
import type {
  Accept,
  Accepted,
  Alerts,
  Edge,
  FastAccepted,
  Join,
  Joiner,
  Metadata,
  Prepare,
  PromiseMessage,
  Rank,
} from "../../src/core/messages.ts";
import { View } from "../../src/core/view.ts";
import type { Dialogue } from "./dialogue.ts";
import { PEER_SETTINGS } from "./stage.ts";

/** A view, or as much of it as messages name. */
export type Within = Pick<View, "id">;

export const K: number = PEER_SETTINGS.cutDetector.observers;
export const EMPTY: Metadata = Object.create(null);

export function uuidOf(number: number): NodeId {
  return nodeIdOf(0n, BigInt(number));
}

export function joinerOf(number: number, metadata: Metadata = EMPTY): Joiner {
  return { uuid: uuidOf(number), metadata };
}

/** Those that were there first, who have uuids from 1 on and no metadata. */
export function viewOf(members: readonly Endpoint[]): View {
  const records = members.map((endpoint) => ({ endpoint, metadata: EMPTY }));
  return View.of(
    K,
    records,
    members.map((_, i) => uuidOf(i + 1)),
  );
}

/** Lets the peer join those that are there, through the first of them; the view that they are in then. */
export async function admit(dialogue: Dialogue, names: readonly string[]): Promise<View> {
  const first = names[0]!;
  const before = viewOf(names.map((name) => dialogue.at(name)));
  const { peer } = dialogue;
  dialogue.scene(`It joins ${names.join(", ")}`);
  await dialogue.waits(dialogue.untilHeard("its PreJoin", ({ kind }) => kind === "preJoin"));
  await dialogue.answers(
    first,
    {
      kind: "contacts",
      sender: dialogue.at(first),
      configuration: before.id,
      observers: before.observersOf(peer),
    },
    dialogue.untilHeard("its Joins", ({ kind }) => kind === "join", K),
  );
  const { uuid, metadata } = dialogue.asked("join");
  const view = before.next([peer], new Map([[peer, { uuid, metadata }]]));
  const observer = names.find((name) => before.observersOf(peer).includes(dialogue.at(name)))!;
  await dialogue.answers(
    observer,
    { kind: "joined", sender: dialogue.at(observer), configuration: view.id, view },
    dialogue.untilCut(),
  );
  return view;
}

/** What an observer says of its subject on one ring. */
export interface Report {
  readonly observer: Endpoint;
  readonly edge: Edge;
}

/** All that this subject's observers but the peer may report, by ring. */
export function reportsOn(
  dialogue: Dialogue,
  view: View,
  subject: Endpoint,
  join?: Joiner,
): readonly Report[] {
  return view
    .observersOf(subject)
    .map((observer, ring) => ({ observer, edge: { node: subject, ring, ...(join && { join }) } }))
    .filter(({ observer }) => observer !== dialogue.peer);
}

/** Makes these reports, each in a broadcast of its own, all at once. */
export async function report(dialogue: Dialogue, view: Within, reports: readonly Report[]): Promise<void> {
  const said = reports.map(({ observer, edge }) => dialogue.broadcast(alerts(view, observer, [edge])));
  await dialogue.says("Observers", said);
}

export function alerts({ id: configuration }: Within, sender: Endpoint, edges: readonly Edge[]): Alerts {
  return { kind: "alerts", sender, configuration, edges };
}

export function vote(
  { id: configuration }: Within,
  sender: Endpoint,
  value: readonly Endpoint[],
): FastAccepted {
  return { kind: "fastAccepted", sender, configuration, value };
}

export function rankOf(round: number, coordinator: Endpoint): Rank {
  return { round, nodeIndex: nodeIndexOf(coordinator) };
}

export function prepare({ id: configuration }: Within, sender: Endpoint, rank: Rank): Prepare {
  return { kind: "prepare", sender, configuration, rank };
}

export function promise(
  { id: configuration }: Within,
  sender: Endpoint,
  rank: Rank,
  before: Pick<PromiseMessage, "voted" | "value">,
): PromiseMessage {
  return { kind: "promise", sender, configuration, rank, ...before };
}

export function accept(
  { id: configuration }: Within,
  sender: Endpoint,
  rank: Rank,
  value: readonly Endpoint[],
): Accept {
  return { kind: "accept", sender, configuration, rank, value };
}

export function accepted(
  { id: configuration }: Within,
  sender: Endpoint,
  rank: Rank,
  value: readonly Endpoint[],
): Accepted {
  return { kind: "accepted", sender, configuration, rank, value };
}

export function join(
  configuration: bigint,
  sender: Endpoint,
  ring: number,
  { uuid, metadata }: Joiner,
): Join {
  return { kind: "join", sender, configuration, ring, uuid, metadata };
}
