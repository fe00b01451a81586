// What can be demanded of a mesh once the sky is clear. Where a majority is gone for good nothing moves, and that is right.
// Bugs of Rust members leave some of them behind, and enough of those stop the others too. Whatever else does not come
// about is a fault of the Node members.

import type { Millis } from "../core/doorway.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { View } from "../core/view.ts";
import type { Process } from "./process.ts";
import { NotInTime } from "./timeline.ts";
import type { World } from "./world.ts";

/**
 * Waits until all who live agree, or, where Rust members are among them that do not find back, until all others do.
 * False where nothing can be demanded, since too many are gone. @throws NotInTime
 */
export function waitForAll(world: World, withinMs: Millis): boolean {
  try {
    world.until("all agree", () => world.agree(awaited(world)), withinMs);
    return true;
  } catch (error) {
    if (!(error instanceof NotInTime)) throw error;
    for (const process of stragglers(world)) world.watch.report(16, process, "is not where the others are");
    if (stragglers(world).length > 0 && areOthersWell(world)) return true;
    if (!hasLostMajority(world) && !isLeftToRust(world)) throw error;
    world.tell("no more is to be expected: a majority is gone for good, or nobody but Rust members is left");
    return false;
  }
}

/** Those of the living who can be in: who never was, and whose seeds are all dead, finds nobody to ask. */
export function awaited({ living, hosts }: World): readonly Process[] {
  const isThere = (seed: Endpoint): boolean => hosts.get(seed)?.process?.isLiving === true;
  return living.filter(({ cuts, seeds }) => cuts.length > 0 || seeds.length === 0 || seeds.some(isThere));
}

/** Rust members that are not in the configuration of the others. */
export function stragglers({ living, head }: World): readonly Process[] {
  return living.filter((process) => process.model !== "node" && !isIn(head, process));
}

/** All but stragglers are in one configuration, and those of its members that are not, are stragglers. */
function areOthersWell(world: World): boolean {
  const { head, living, hosts } = world;
  const behind = new Set(stragglers(world));
  return (
    head !== undefined &&
    living.every((process) => behind.has(process) || isIn(head, process)) &&
    head.members.every((node) => hosts.get(node)?.process?.isLiving === true)
  );
}

/** Nobody is there who could help the Rust members out of what their bugs got them into. */
function isLeftToRust({ head, living }: World): boolean {
  return (
    living.some(({ model }) => model !== "node") &&
    !living.some((process) => process.model === "node" && isIn(head, process))
  );
}

/** So many members of the newest configuration are gone for good that the rest cannot decide anything, rightly. */
function hasLostMajority(world: World): boolean {
  const { head } = world;
  return head === undefined || head.members.filter((node) => !isGone(node, world)).length < head.majority;
}

/** Its process is dead, or another one, or a Rust member that cannot help; others that stay away are at fault. */
function isGone(node: Endpoint, world: World): boolean {
  const { head, hosts, watch } = world;
  const process = hosts.get(node)?.process;
  if (process?.isLiving !== true) return true;
  if (process.model !== "node") return !isIn(head, process) || !isHeard(process, world);
  if (isIn(head, process)) return !isTold(process, world) && !watch.votes.hasLasting(head!.id);
  return process.cuts.every(({ degraded }) => degraded) || !watch.joins.wasLetIn(process, head!);
}

/**
 * A Rust member tells its ring successors only; if all of those are dead, nobody hears of it (PITFALLS B14). A process that
 * came back to the address of one of them tells nothing on before it is a member itself.
 */
function isHeard({ view, endpoint }: Process, world: World): boolean {
  return view!.subjectsOf(endpoint).some((node) => node !== endpoint && isThere(node, world));
}

/**
 * For the same reason little is heard by one to whom no chain of living members leads from most of the others. It asks for
 * votes, but of what Rust members only report, and do not agree on, nothing can be asked, nor of what they voted for after a
 * promise.
 */
function isTold({ view, endpoint }: Process, world: World): boolean {
  const living = view!.members.filter((node) => isThere(node, world));
  const heard = new Set([endpoint]);
  // Node members look past the dead, and so tell everybody.
  const reaches = (node: Endpoint): boolean =>
    world.hosts.get(node)?.process?.model === "node" || view!.subjectsOf(node).some((to) => heard.has(to));
  for (let size = 0; size < heard.size; ) {
    size = heard.size;
    for (const node of living) if (reaches(node)) heard.add(node);
  }
  return heard.size >= view!.majority;
}

function isThere(node: Endpoint, { hosts, head }: World): boolean {
  const process = hosts.get(node)?.process;
  return process?.isLiving === true && isIn(head, process);
}

function isIn(view: View | undefined, process: Process): boolean {
  return process.isMember && process.view?.id === view?.id;
}
