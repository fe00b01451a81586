// All scenarios, in the order of their names.

import type { Scenario } from "../scenario.ts";
import { herd, mutualSeeds, seedDies, seedIsSelf, singleBootstrap, twoThenThree } from "./bootstrap.ts";
import { conflictingProposals, crashLoop, duel, joinsAndCrashes } from "./consensus.ts";
import {
  allButOneCrash,
  cascadingCrash,
  correlatedRings,
  countEqualsLow,
  crashHalf,
  crashKAtOnce,
  threeNodeCrash,
  twoNodeCrash,
} from "./crashes.ts";
import { hostile } from "./hostile.ts";
import { crashDuringJoin, nextViewFirst, responseLost, staleContact } from "./joiners.ts";
import { gracefulLeave, leaveAndCrash } from "./leaving.ts";
import { liars } from "./liars.ts";
import { asymmetricPair, halfTheObservers, lossyOut } from "./links.ts";
import { churnSoak, slowSubscriber } from "./long-run.ts";
import { doubledAndLate, uniformLoss } from "./messages.ts";
import { mixedMesh } from "./mixed.ts";
import { declareDead, forceNew } from "./orders.ts";
import {
  evenSplit,
  flipFlop,
  kickStorm,
  minority,
  nestedPartition,
  shortCut,
  threeWaySplit,
} from "./partitions.ts";
import { slowNode, stallStorm, wrongClocks } from "./pauses.ts";
import { founderRestarts, restartInWindow, rollingRestart, tlsFlip } from "./restarts.ts";

import { uuidChange } from "./stories.ts";

export const SCENARIOS: readonly Scenario[] = [
  singleBootstrap,
  twoThenThree,
  herd,
  crashKAtOnce,
  crashHalf,
  twoNodeCrash,
  threeNodeCrash,
  crashDuringJoin,
  seedDies,
  founderRestarts,
  restartInWindow,
  flipFlop,
  lossyOut,
  asymmetricPair,
  halfTheObservers,
  minority,
  evenSplit,
  threeWaySplit,
  nestedPartition,
  slowNode,
  stallStorm,
  doubledAndLate,
  uniformLoss,
  wrongClocks,
  joinsAndCrashes,
  conflictingProposals,
  duel,
  crashLoop,
  uuidChange,
  responseLost,
  nextViewFirst,
  allButOneCrash,
  cascadingCrash,
  rollingRestart,
  kickStorm,
  correlatedRings,
  staleContact,
  mutualSeeds,
  seedIsSelf,
  mixedMesh,
  hostile,
  gracefulLeave,
  leaveAndCrash,
  tlsFlip,
  slowSubscriber,
  churnSoak,
  countEqualsLow,
  shortCut,
  declareDead,
  forceNew,
  liars,
];

/** By name, slug, or both: "S4", "crash-k-at-once", "S4-crash-k-at-once"; capital or not. */
export function scenarioOf(text: string): Scenario | undefined {
  const wanted = text.toLowerCase();
  return SCENARIOS.find(({ name, slug }) =>
    [name, slug, `${name}-${slug}`].some((known) => known.toLowerCase() === wanted),
  );
}
