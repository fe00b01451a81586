// What is said in a dialogue, in words. What is said of several rings at once is said once, with the rings.

import type { Edge, Gossip, Joiner, Metadata, Rank, Reply, Request } from "../../src/core/messages.ts";
import type { Names } from "./names.ts";
import type { PublishedCut } from "./stage.ts";

/** Requests that were said at once or to the same, as few sentences; each with how many requests it stands for. */
export function sentencesOf(requests: readonly Request[], names: Names): readonly string[] {
  const rings = new Map<string, number[]>();
  const edges = new Map<string, Edge[]>();
  const sentences = new Map<string, number>();
  for (const request of requests) {
    if (request.kind === "join") {
      const { sender, configuration } = request;
      const words = `Join of ${names.of(sender)} ${joinerIn(request, names)} in ${names.configuration(configuration)}`;
      rings.set(words, [...(rings.get(words) ?? []), request.ring]);
      continue;
    }
    if (request.kind === "broadcast" && request.gossip.kind === "alerts") {
      const heading = `${broadcastIn(request, names)}: ${headingOf(request.gossip, names)}`;
      edges.set(heading, [...(edges.get(heading) ?? []), ...request.gossip.edges]);
      continue;
    }
    const words = wordsOf(request, names);
    sentences.set(words, (sentences.get(words) ?? 0) + 1);
  }
  return [
    ...[...rings].map(([words, on]) => `${words} on ${ringsIn(on)}`),
    ...[...edges].map(([heading, all]) => `${heading}${edgesIn(all, names)}`),
    ...[...sentences].map(([words, count]) => (count === 1 ? words : `${words}, ${count} times`)),
  ];
}

export function replyIn(reply: Reply, names: Names): string {
  switch (reply.kind) {
    case "ack":
      return "ok";
    case "refused":
      // A call of which nothing came but its end: what grpc-js makes of that is not the peer's word.
      if (reply.code === "cancelled") return "the call ends without a status";
      return `no: ${reply.code}, "${names.text(reply.why)}"`;
    case "contacts": {
      const observers = reply.observers.map((observer) => names.of(observer)).join(" ");
      return `${names.of(reply.sender)}, in ${names.configuration(reply.configuration)}: ${observers || "nobody"}`;
    }
    case "joined": {
      const { view } = reply;
      const claimed = names.configuration(reply.configuration);
      const id = reply.configuration === view.id ? claimed : `${claimed}, which is not what it hashes to`;
      const members = membersIn(
        view.members.map((endpoint) => ({ endpoint, metadata: view.recordOf(endpoint)!.metadata })),
        names,
      );
      const uuids = view.uuids.map((uuid) => names.uuid(uuid)).sort();
      return `${names.of(reply.sender)}, in ${id}: ${members}; uuids ${uuids.join(" ")}`;
    }
    default:
      return reply.kind;
  }
}

export function cutIn(
  { configuration, degraded, members, joined, kicked }: PublishedCut,
  names: Names,
): string {
  return [
    `${names.configuration(configuration)}${degraded ? ", degraded" : ""}: ${membersIn(members, names)}`,
    ...(joined.length > 0 ? [`joined ${names.list(joined)}`] : []),
    ...(kicked.length > 0 ? [`kicked ${names.list(kicked)}`] : []),
  ].join("; ");
}

function wordsOf(request: Request, names: Names): string {
  switch (request.kind) {
    case "probe":
      return "Probe";
    case "preJoin":
      return `PreJoin of ${names.of(request.sender)} as ${names.uuid(request.uuid)}`;
    case "broadcast":
      return `${broadcastIn(request, names)}: ${gossipIn(request.gossip, names)}`;
    case "join":
    case "leave":
    case "compare":
    case "declareDead":
    case "forceNew":
      return request.kind;
    default:
      return gossipIn(request, names);
  }
}

function gossipIn(gossip: Gossip, names: Names): string {
  const heading = headingOf(gossip, names);
  switch (gossip.kind) {
    case "alerts":
      return `${heading}${edgesIn(gossip.edges, names)}`;
    case "fastAccepted":
      return `${heading} for ${names.list(gossip.value)}`;
    case "prepare":
      return `${heading} ${rankIn(gossip.rank, names)}`;
    case "promise": {
      const { rank, voted, value } = gossip;
      const before = voted.round === 0 ? "never voted" : `voted ${rankIn(voted, names)}`;
      return `${heading} ${rankIn(rank, names)}, ${before} for ${names.list(value)}`;
    }
    case "accept":
    case "accepted":
      return `${heading} ${rankIn(gossip.rank, names)} for ${names.list(gossip.value)}`;
  }
}

const CALLED: { readonly [kind in Gossip["kind"]]: string } = {
  alerts: "alerts",
  fastAccepted: "vote",
  prepare: "Prepare",
  promise: "Promise",
  accept: "Accept",
  accepted: "Accepted",
};

function headingOf({ kind, sender, configuration }: Gossip, names: Names): string {
  return `${CALLED[kind]} of ${names.of(sender)} in ${names.configuration(configuration)}`;
}

function broadcastIn(broadcast: Extract<Request, { kind: "broadcast" }>, names: Names): string {
  const name = names.broadcast(broadcast);
  return name === undefined ? "broadcast" : `broadcast ${name}`;
}

function edgesIn(edges: readonly Edge[], names: Names): string {
  const rings = new Map<string, number[]>();
  for (const { node, ring, join } of edges) {
    const what = join === undefined ? "is down" : `joins ${joinerIn(join, names)}`;
    const words = `${names.of(node)} ${what}`;
    rings.set(words, [...(rings.get(words) ?? []), ring]);
  }
  return [...rings]
    .map(([words, on]) => `, ${words} on ${ringsIn(on)}`)
    .sort()
    .join("");
}

function joinerIn({ uuid, metadata }: Joiner, names: Names): string {
  return `as ${names.uuid(uuid)}${metadataIn(metadata)}`;
}

function membersIn(members: PublishedCut["members"], names: Names): string {
  return members
    .map(({ endpoint, metadata }) => `${names.of(endpoint)}${metadataIn(metadata)}`)
    .sort()
    .join(" ");
}

function metadataIn(metadata: Metadata): string {
  const pairs = Object.entries(metadata).map(([key, bytes]) => `${key}=${new TextDecoder().decode(bytes)}`);
  return pairs.length === 0 ? "" : `{${pairs.sort().join(" ")}}`;
}

function rankIn({ round, nodeIndex }: Rank, names: Names): string {
  return `(${round}, ${names.index(nodeIndex)})`;
}

function ringsIn(rings: readonly number[]): string {
  const sorted = [...rings].sort((a, b) => a - b);
  return `ring${sorted.length === 1 ? "" : "s"} ${sorted.join(" ")}`;
}
