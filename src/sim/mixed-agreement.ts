// What can be demanded of a mesh that has models of Rust members in it. Their bugs leave some of them behind for good, and
// enough of those stop the others too; whatever else does not come about is a fault of the Node members.

import type { Millis } from "../core/doorway.ts";
import type { View } from "../core/view.ts";
import type { Process } from "./process.ts";
import { NotInTime } from "./timeline.ts";
import type { World } from "./world.ts";

/**
 * Waits until all who live agree, or, where Rust members are among them that do not find back, until all others do.
 * False where so many Rust members stayed behind that the rest cannot go on. @throws NotInTime
 */
export function waitForAll(world: World, withinMs: Millis): boolean {
  try {
    world.until("all agree", () => world.agree(), withinMs);
    return true;
  } catch (error) {
    if (!(error instanceof NotInTime) || (stragglers(world).length === 0 && !isLeftToRust(world)))
      throw error;
    for (const process of stragglers(world)) world.watch.report(16, process, "is not where the others are");
    if (areOthersWell(world)) return true;
    if (hasLostMajority(world) || isLeftToRust(world)) return false;
    throw error;
  }
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
  return !living.some((process) => process.model === "node" && isIn(head, process));
}

/** So many members of the newest configuration live elsewhere, or are dead, that the rest cannot decide anything. */
function hasLostMajority(world: World): boolean {
  const { head, hosts } = world;
  if (head === undefined) return true;
  const present = head.members.filter((node) => {
    const process = hosts.get(node)?.process;
    return process?.isLiving === true && isIn(head, process) && isHeard(process, world);
  });
  return present.length < head.majority;
}

/** A Rust member tells its ring successors only; if all of those are dead, nobody hears of it (PITFALLS B14). */
function isHeard({ model, view, endpoint }: Process, { hosts }: World): boolean {
  if (model === "node") return true;
  return view!.subjectsOf(endpoint).some((node) => {
    const subject = node === endpoint ? undefined : hosts.get(node)?.process;
    return subject?.isLiving === true;
  });
}

function isIn(view: View | undefined, process: Process): boolean {
  return process.isMember && process.view?.id === view?.id;
}
