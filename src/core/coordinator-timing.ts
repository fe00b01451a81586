// When a member begins a classic round. All may; if several do at once, the highest rank wins, and the others have cost
// a broadcast each and as many promises. When to begin is each member's own choice.
//
// Where the fast round cannot decide any more and all members are Node, they take turns, the one whose rank wins
// first: as a rule one member coordinates, at once, however large the mesh is.

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import { nodeIndexOf } from "./hash.ts";
import type { Random } from "./random.ts";
import type { View } from "./view.ts";

/** Votes that are under way may still split less than it looks. */
const FIRST_MS = 50;
/** Within it a Prepare has reached all, as a rule. */
const TURN_MS = 100;
/** Those with later turns draw their time at random after these. */
const TURNS = 5;

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;

/** How long the fast round is given: the crate's delay (PROTOCOL §14). */
export function patienceMs(view: View, random: Random): Millis {
  const most = Math.floor(4000 * Math.log2(view.size + 1));
  return RETRY_MIN_MS + random.below(Math.max(1, most - RETRY_MIN_MS));
}

/** How long a classic round is given. Doubles with every round that was tried, by whomever, so that duels end. */
export function retryMs(highestRound: number, random: Random): Millis {
  const base = Math.min(RETRY_MAX_MS / 2, RETRY_MIN_MS * 2 ** Math.max(0, highestRound - 2));
  return base + random.below(base);
}

/** How long to wait where the fast round is hopeless; those in `silent` are expected to say nothing any more. */
export function turnMs(view: View, self: Endpoint, silent: ReadonlySet<Endpoint>, random: Random): Millis {
  const spread = Math.min(1000, 30 * view.size);
  if (!view.isAllNode) return FIRST_MS + random.below(spread);
  const own = nodeIndexOf(self);
  let before = 0;
  for (const member of view.members) {
    if (!silent.has(member) && nodeIndexOf(member) > own) before += 1;
  }
  return FIRST_MS + TURN_MS * Math.min(before, TURNS) + (before < TURNS ? 0 : random.below(spread));
}
