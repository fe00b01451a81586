// Every reason to say no, with its code and its exact words (PROTOCOL §7). Rust members ignore
// "delivery is redundant" by comparing the text, so the words are part of the wire.

import { addressOf, type Endpoint } from "./endpoint.ts";
import type { RefusalCode, Refused } from "./messages.ts";

export function refused(code: RefusalCode, why: string): Refused {
  return { kind: "refused", code, why };
}

export const refuse: {
  readonly invalidEndpoint: Refused;
  readonly invalidProposal: Refused;
  readonly notWhole: Refused;
  readonly hostExists: Refused;
  readonly uuidExists: Refused;
  readonly wrongConfiguration: Refused;
  readonly invalidRing: Refused;
  readonly notMember: (sender: Endpoint) => Refused;
  readonly edgeCannotApply: Refused;
  readonly alreadyAnnounced: Refused;
  readonly alreadyVoted: Refused;
  readonly rankTooLow: Refused;
  readonly notOurRank: Refused;
  readonly roundTooLow: Refused;
  readonly alreadyAccepted: Refused;
  readonly redundant: Refused;
  readonly missingBody: Refused;
  readonly joinPending: Refused;
  readonly degraded: Refused;
  readonly joining: Refused;
  readonly orderPending: Refused;
  readonly tooMany: Refused;
  readonly closed: Refused;
} = {
  invalidEndpoint: refused("invalid_argument", "invalid endpoint"),
  invalidProposal: refused("invalid_argument", "invalid proposal: expected a sorted list without duplicates"),
  notWhole: refused("invalid_argument", "invalid proposal: expected to say as whom its joiners come"),
  hostExists: refused("already_exists", "host already exists"),
  uuidExists: refused("already_exists", "uuid already exists"),
  wrongConfiguration: refused("aborted", "mismatched configuration id"),
  invalidRing: refused("invalid_argument", "invalid ring number"),
  notMember: (sender) => refused("aborted", `${addressOf(sender)} not in configuration`),
  edgeCannotApply: refused("aborted", "edge cannot apply to configuration"),
  alreadyAnnounced: refused("aborted", "already announced fast paxos round"),
  alreadyVoted: refused("already_exists", "sender has already voted"),
  rankTooLow: refused("aborted", "rank is too low"),
  notOurRank: refused("aborted", "rnd is not our crnd"),
  roundTooLow: refused("aborted", "rnd is too low"),
  alreadyAccepted: refused("aborted", "rnd is equal to vrnd"),
  redundant: refused("already_exists", "delivery is redundant"),
  missingBody: refused("invalid_argument", "missing oneof"),
  joinPending: refused("already_exists", "another join request is pending"),
  degraded: refused("unavailable", "degraded"),
  joining: refused("unavailable", "not in a configuration yet"),
  orderPending: refused("unavailable", "another order of an operator is under way"),
  tooMany: refused("resource_exhausted", "too many requests are waiting"),
  closed: refused("unavailable", "closed"),
};
