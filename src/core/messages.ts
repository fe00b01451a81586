// What members say to each other, as data (PROTOCOL §2). The codec turns these into bytes and back and refuses
// what is malformed, so that the core only ever sees well-formed endpoints, ranks and lists.

import type { Endpoint, NodeId } from "./endpoint.ts";
import type { View } from "./view.ts";

/** A 64-bit hash that names a configuration; the crate's `conf_id`. */
export type ConfigurationId = bigint;

/** Immutable facts about a member, agreed on with the view. The object has no prototype. */
export interface Metadata {
  readonly [key: string]: Uint8Array;
}

/** What a member brings when it joins. */
export interface Joiner {
  readonly uuid: NodeId;
  readonly metadata: Metadata;
}

/** Orders attempts to decide: by round, then by the coordinator's index. (0,0) means never; (1,1) the fast round. */
export interface Rank {
  readonly round: number;
  readonly nodeIndex: bigint;
}

/** What an observer says of its subject on one ring: it joins, or (without `join`) it is down. */
export interface Edge {
  readonly node: Endpoint;
  readonly ring: number;
  readonly join?: Joiner;
}

/**
 * The members to add and to remove, in ascending Endpoint order. Where all members run this library it says too as whom
 * the joiners among them come (`identityOf`), in the same order; to Rust members it is the list alone. Beside those the
 * coordinator of a classic round says in the same way as whom to take them: advice, by which values do not differ.
 */
export type Proposal = readonly Endpoint[] & {
  readonly identities?: readonly bigint[];
  readonly advice?: readonly bigint[];
};

/** Messages that name the configuration they were written under and the member that wrote them. */
interface Within {
  readonly sender: Endpoint;
  readonly configuration: ConfigurationId;
}

export interface Alerts extends Within {
  readonly kind: "alerts";
  readonly edges: readonly Edge[];
}
export interface FastAccepted extends Within {
  readonly kind: "fastAccepted";
  readonly value: Proposal;
}
export interface Prepare extends Within {
  readonly kind: "prepare";
  readonly rank: Rank;
}
export interface PromiseMessage extends Within {
  readonly kind: "promise";
  readonly rank: Rank;
  readonly voted: Rank;
  readonly value: Proposal;
}
export interface Accept extends Within {
  readonly kind: "accept";
  readonly rank: Rank;
  readonly value: Proposal;
}
export interface Accepted extends Within {
  readonly kind: "accepted";
  readonly rank: Rank;
  readonly value: Proposal;
}

/** What may travel inside a broadcast, or directly. */
export type Gossip = Alerts | FastAccepted | Prepare | PromiseMessage | Accept | Accepted;

export interface PreJoin {
  readonly kind: "preJoin";
  readonly sender: Endpoint;
  readonly uuid: NodeId;
}
export interface Join extends Within, Joiner {
  readonly kind: "join";
  readonly ring: number;
  /** Further rings on which the same observer is asked, so that one call does for all of them. Rust reads `ring` alone. */
  readonly moreRings?: readonly number[];
}
/** A message for everybody, told on by everybody who hears it for the first time. */
export interface Broadcast {
  readonly kind: "broadcast";
  /** When it was first said, in seconds since 1970 by the sender's wall clock. */
  readonly unix: bigint;
  /** A random number that, with `unix`, names this broadcast. */
  readonly unique: bigint;
  readonly gossip: Gossip;
}
export interface Probe {
  readonly kind: "probe";
}
/** "I am leaving: report me on your rings." From a leaving member to its Node observers (PITFALLS E5). */
export interface Leave extends Within {
  readonly kind: "leave";
}

/** What ended a configuration: evidence for those who missed it. */
export interface Certificate {
  /** The one that it ended. */
  readonly configuration: ConfigurationId;
  readonly value: Proposal;
  readonly joiners: ReadonlyMap<Endpoint, Joiner>;
  /** FAST_RANK: by votes of the fast round; above: accepted in that round. */
  readonly rank: Rank;
  readonly voters: readonly Endpoint[];
}
/** "I am in this configuration, or in none where it is 0, and was in those: where are you?" Between Node members (PITFALLS E4). */
export interface Compare extends Within {
  readonly kind: "compare";
  /** Newest first. */
  readonly past: readonly ConfigurationId[];
  /** As whom the asker was admitted, to learn whether that was to the same mesh. */
  readonly uuid?: NodeId;
}

/** "These are dead and will not come back: decide without them." From an operator, to one of the rest (PITFALLS E9). */
export interface DeclareDead {
  readonly kind: "declareDead";
  /** The one that the operator saw. */
  readonly configuration: ConfigurationId;
  readonly dead: readonly Endpoint[];
}
/** "Give these up, all other members of your configuration, and found a new mesh." From an operator. */
export interface ForceNew {
  readonly kind: "forceNew";
  readonly configuration: ConfigurationId;
  readonly abandoned: readonly Endpoint[];
}

export type Request = Gossip | PreJoin | Join | Broadcast | Probe | Leave | Compare | DeclareDead | ForceNew;

/** What a Node member that is probed says of itself along with its answer. */
interface ProbeAnswer {
  /** As whom it answers: another uuid than the one in the view is another process. */
  readonly uuid?: NodeId;
  /** Where it is. Absent where it is in no configuration, and where it does not say. */
  readonly configuration?: ConfigurationId;
}

/** As whom a member answers a probe, where it says so. */
export function uuidIn(reply: Reply): NodeId | undefined {
  return reply.kind === "ack" || reply.kind === "refused" ? reply.uuid : undefined;
}

export interface Ack extends ProbeAnswer {
  readonly kind: "ack";
}
export interface Contacts extends Within {
  readonly kind: "contacts";
  /** The observers of the asker, one per ring, in ring order; empty where the asked has no configuration. */
  readonly observers: readonly Endpoint[];
  /** The rings whose observers run this library and take one Join for several rings. A Rust contact names none. */
  readonly nodeRings?: readonly number[];
}
export interface Joined extends Within {
  readonly kind: "joined";
  /** The configuration with its members. `configuration` is what the sender said its id is. */
  readonly view: View;
}
/** Where the one that was asked is. `configuration` is 0 while it is in none. */
export interface Compared extends Within {
  readonly kind: "compared";
  /** How many members that configuration has. */
  readonly size: number;
  /** The asker's address is among them. */
  readonly isMember: boolean;
  /** It was, in one of the configurations before. */
  readonly wasMember: boolean;
  /** How to get there from where the asker is, or was; the first of several steps, or nothing. */
  readonly chain: readonly Certificate[];
  /** Members of an older mesh for whose sake the one that was asked gave up the mesh that it had founded. */
  readonly contacts: readonly Endpoint[];
  /** Configurations in whose place an operator had the one that was asked found a new mesh. */
  readonly replaced: readonly ConfigurationId[];
  /** The uuid that the asker named was admitted to this mesh. */
  readonly hasAdmitted: boolean;
}
export interface Refused extends ProbeAnswer {
  readonly kind: "refused";
  readonly code: RefusalCode;
  readonly why: string;
}

export type Reply = Ack | Contacts | Joined | Compared | Refused;

/** gRPC's status codes, by name. A call that timed out or never arrived is a refusal too. */
export type RefusalCode =
  | "cancelled"
  | "unknown"
  | "invalid_argument"
  | "deadline_exceeded"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "resource_exhausted"
  | "failed_precondition"
  | "aborted"
  | "out_of_range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "data_loss"
  | "unauthenticated";

export const ack: Ack = { kind: "ack" };

/** The metadata key that every Node member carries, and the name of the service behind which extensions live. */
export const PEER_SERVICE = "blip.ext.v1.Peer";

/** The service behind which an operator's orders are taken. */
export const OPERATOR_SERVICE = "blip.ext.v1.Operator";

/** The metadata key that holds the name of the mesh, on members of a mesh that has one. */
export const MESH_NAME = "blip.mesh";

export const NO_RANK: Rank = { round: 0, nodeIndex: 0n };
export const FAST_RANK: Rank = { round: 1, nodeIndex: 1n };

export function compareRanks(a: Rank, b: Rank): number {
  if (a.round !== b.round) return a.round - b.round;
  return a.nodeIndex < b.nodeIndex ? -1 : a.nodeIndex > b.nodeIndex ? 1 : 0;
}

/** Equal values have equal keys; used wherever votes are grouped by what they are for. */
export function keyOf(value: Proposal): string {
  const nodes = value.join(" ");
  return value.identities === undefined ? nodes : `${nodes} as ${value.identities.join(" ")}`;
}

/** Whether their keys are equal, which takes less time to say than to make them. */
export function sameProposal(a: Proposal, b: Proposal): boolean {
  if (a === b) return true;
  if ((a.identities === undefined) !== (b.identities === undefined)) return false;
  return sameItems(a, b) && sameItems(a.identities ?? [], b.identities ?? []);
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

export function sameMetadata(a: Metadata, b: Metadata): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => {
    const left = a[key]!;
    const right = b[key];
    return right !== undefined && left.length === right.length && left.every((byte, i) => byte === right[i]);
  });
}

export function sameJoiner(a: Joiner, b: Joiner): boolean {
  return a.uuid === b.uuid && sameMetadata(a.metadata, b.metadata);
}
