// All dialogues.

import type { Script } from "../dialogue.ts";
import { broadcasts } from "./broadcasts.ts";
import { founder } from "./founder.ts";
import { impliedReports, unimpliedReports } from "./implied-reports.ts";
import { joiner } from "./joiner.ts";
import { leftWaiting } from "./left-waiting.ts";
import { panic } from "./panic.ts";
import { reportsAndVotes } from "./reports-and-votes.ts";
import { rounds } from "./rounds.ts";
import { silence } from "./silence.ts";
import { twoUuids } from "./two-uuids.ts";

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
];
