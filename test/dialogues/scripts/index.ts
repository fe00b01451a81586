// All dialogues.

import type { Script } from "../performance.ts";
import { broadcasts } from "./broadcasts.ts";
import { emptiedFounder, emptiedMember } from "./emptied.ts";
import { founder } from "./founder.ts";
import { impliedReports, unimpliedReports } from "./implied-reports.ts";
import { joiner } from "./joiner.ts";
import { leftWaiting } from "./left-waiting.ts";
import { panic } from "./panic.ts";
import { reportsAndVotes } from "./reports-and-votes.ts";
import { rounds } from "./rounds.ts";
import { silence } from "./silence.ts";
import { twoUuids } from "./two-uuids.ts";
import { usedUuid } from "./used-uuid.ts";

export const SCRIPTS: readonly Script[] = [
  founder,
  reportsAndVotes,
  rounds,
  joiner,
  silence,
  impliedReports,
  unimpliedReports,
  panic,
  twoUuids,
  broadcasts,
  leftWaiting,
  emptiedFounder,
  emptiedMember,
  usedUuid,
];
