// "Where are you?", asked of a member of any implementation, and what the answers say (PITFALLS E2).

import type { Finding } from "./configuration-check.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import {
  type Compare,
  type ConfigurationId,
  type Gossip,
  type Join,
  NO_RANK,
  type PromiseMessage,
  type Rank,
  type Refused,
  type Reply,
} from "./messages.ts";
import type { Random } from "./random.ts";
import { refuse } from "./refusals.ts";
import type { View } from "./view.ts";

/** No round can have it, so whoever is asked answers why not, and nothing else happens (PITFALLS E2). */
export const INQUIRY_RANK: Rank = { round: 0xffff_ffff, nodeIndex: 0n };

/** Asks a member of any implementation whether `sender`, as it knows it, is with it in this configuration. */
export function inquiry(sender: Endpoint, configuration: ConfigurationId): PromiseMessage {
  return { kind: "promise", sender, configuration, rank: INQUIRY_RANK, voted: NO_RANK, value: [] };
}

/**
 * In whose name to ask one that does not know us: it may have stayed behind where we had not been let in yet, and knows
 * those who were there before us; or it has followed meanwhile, and knows those who are here still. One that knows none who
 * are both is of another mesh.
 */
export function elderIn(
  oldest: View,
  here: View,
  except: readonly Endpoint[],
  random: Random,
): Endpoint | undefined {
  const elders = oldest.members.filter((member) => here.has(member) && !except.includes(member));
  return elders.length === 0 ? undefined : elders[random.below(elders.length)];
}

/** Configurations before its own that a member names when it asks where others are. */
export const PAST_TOLD = 8;

/** Asks a Node member; `past`: the configurations before, newest first. */
export function comparison(
  sender: Endpoint,
  view: View | undefined,
  uuid: NodeId | undefined,
  past: readonly View[],
): Compare {
  const told = past.slice(0, PAST_TOLD).map(({ id }) => id);
  return {
    kind: "compare",
    sender,
    configuration: view?.id ?? 0n,
    past: told,
    ...(uuid !== undefined && { uuid }),
  };
}

/** "Is it me whom you have as a member, and where?", asked by one that was let in by this uuid. */
export function claim(sender: Endpoint, uuid: NodeId, configuration: ConfigurationId): Join {
  return { kind: "join", sender, ring: 0, uuid, configuration, metadata: {} };
}

/** The configuration that was given for an answer, if it can be. */
export function givenBy(reply: Reply): View | undefined {
  return reply.kind === "joined" && reply.view.id === reply.configuration ? reply.view : undefined;
}

export function isHere(reply: Reply): boolean {
  return reply.kind === "refused" && reply.why === refuse.notOurRank.why;
}

/** The configuration of the one that gave this answer, if it said that. */
export function placeIn(reply: Reply): ConfigurationId | undefined {
  return reply.kind === "compared" && reply.configuration !== 0n ? reply.configuration : undefined;
}

/** Where the one that gave this answer is, seen from our configuration and from those that we have left. */
export function findingOf(
  reply: Reply,
  view: View,
  history: { isPast(id: ConfigurationId): boolean },
): Finding {
  if (reply.kind === "compared") {
    if (reply.configuration === 0n) return "silent";
    if (reply.configuration === view.id) return "same";
    if (history.isPast(reply.configuration)) return "behind";
    return reply.isMember ? "other" : "stranger";
  }
  if (reply.kind !== "refused") return "silent";
  if (isHere(reply)) return "same";
  // We compare with Node members only, so another process, of another implementation, has the address.
  if (reply.code === "unimplemented") return "stranger";
  if (reply.why === refuse.wrongConfiguration.why) return "other";
  return reply.code === "aborted" && reply.why.endsWith(" not in configuration") ? "stranger" : "silent";
}

/** The answer to one who speaks under a configuration that is not ours. */
export function elsewhere(view: View | undefined, { sender }: Gossip): Refused {
  return view?.has(sender) === false ? refuse.notMember(sender) : refuse.wrongConfiguration;
}
