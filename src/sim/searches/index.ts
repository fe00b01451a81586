// All searches.

import { messageOrders } from "./message-orders.ts";
import { quorumEdge } from "./quorum-edge.ts";
import { reportOrders } from "./report-orders.ts";
import type { Search } from "./search.ts";
import { splitRounds } from "./split-rounds.ts";
import { twoStories } from "./two-stories.ts";
import { voteSchedules } from "./vote-schedules.ts";

export const SEARCHES: readonly Search[] = [
  messageOrders,
  voteSchedules,
  splitRounds,
  reportOrders,
  quorumEdge,
  twoStories,
];

export function searchOf(name: string): Search | undefined {
  return SEARCHES.find((search) => search.name === name.toLowerCase());
}
