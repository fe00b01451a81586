// What must be so once the sky is clear: everybody who lives is in one configuration, the dead are out, newcomers get in,
// and then nothing stirs but probes. Invariants 16 to 19, 22 and 23 of PITFALLS §3.1; 21 is asked of its checker here.

import type { Millis } from "../core/doorway.ts";
import type { Process } from "./process.ts";
import { awaited, stragglers, waitForAll } from "./recovery.ts";
import { NotInTime } from "./timeline.ts";
import { nameOf } from "./transcript.ts";
import type { World } from "./world.ts";

/** How long an idle mesh is watched. */
const IDLE_MS = 20_000;
const LAST_JOIN_MS = 60_000;
const LAST_PORT = 65_000;

/** How long a mesh may take to recover from anything: detection three times over, and a minute. */
function recoveryMs({ settings, hosts }: World): Millis {
  return 3 * settings.faultStrikes * settings.faultTimeoutMs + 60_000 + 100 * hosts.size;
}

/** Twice the time after which observers reinforce what others of them reported. */
function reinforcementMs({ settings }: World): Millis {
  return 4 * settings.faultStrikes * settings.faultTimeoutMs + 1000;
}

/** Lets the mesh recover, and reports where it did not. The sky is clear already. */
export function checkAftermath(world: World): void {
  try {
    if (!waitForAll(world, recoveryMs(world))) return;
    // What was reported in bad weather holds for as long as the configuration does, and may be reinforced once more.
    world.run(reinforcementMs(world));
    if (!waitForAll(world, recoveryMs(world))) return;
  } catch (error) {
    if (!(error instanceof NotInTime)) throw error;
    return reportDiscord(world);
  }
  // Whoever is left behind is told so again and again; and a decision may still be on its way, in a classic round, about
  // what was reported in bad weather.
  const { head, watch } = world;
  const isDeciding = head !== undefined && watch.votes.isUnderWay(head.id);
  if (!isDeciding) world.forgiveAll();
  if (stragglers(world).length === 0 && !isDeciding) watch.bounds.beginIdle(world.now);
  world.run(IDLE_MS);
  watch.bounds.endIdle(world.now, world.living);
  watch.settled();
  letSomebodyIn(world);
}

/** A mesh that is well admits a newcomer: if it does not, something is left over that blocks it. */
function letSomebodyIn(world: World): void {
  const { head } = world;
  const seeds = world.living.filter((p) => p.view?.id === head?.id).map(({ endpoint }) => endpoint);
  if (head === undefined || seeds.length === 0) return;
  // One that was left behind cannot vouch for anybody, and may have to.
  if (stragglers(world).some(({ endpoint }) => head.has(endpoint))) return;
  const newcomer = world.start(LAST_PORT, { seeds });
  try {
    waitForAll(world, LAST_JOIN_MS);
  } catch (error) {
    if (!(error instanceof NotInTime)) throw error;
    const stuck = world.watch.edges.unstable(head.id);
    if (stuck.length > 0) {
      world.watch.report(
        22,
        undefined,
        `${stuck.map(nameOf).join(" ")} unstable without end: nobody gets in`,
      );
    } else if (newcomer.isMember) reportDiscord(world);
    else world.watch.report(17, newcomer, "cannot join a mesh that is well");
  }
}

function reportDiscord(world: World): void {
  const { head, watch } = world;
  if (head === undefined) return watch.report(16, undefined, "there is no configuration");
  const after = `${Math.round(recoveryMs(world) / 1000)} s after the sky cleared`;
  for (const process of awaited(world)) {
    const fault = faultOf(process, world);
    if (fault !== undefined) watch.report(fault.invariant, process, `${fault.what}, ${after}`);
  }
  const dead = head.members.filter((endpoint) => world.hosts.get(endpoint)?.process?.isLiving !== true);
  if (dead.length > 0) watch.report(16, undefined, `${dead.map(nameOf).join(" ")} still members, ${after}`);
  if (watch.votes.hasBegun(head.id)) {
    watch.report(18, undefined, `there are votes in ${head.id}, and no decision, ${after}`);
  }
}

function faultOf(process: Process, { head, watch }: World): { invariant: number; what: string } | undefined {
  const { view } = process;
  if (!process.isMember || view === undefined) {
    const isKnown = head!.has(process.endpoint);
    return isKnown
      ? { invariant: 16, what: "the others have it as a member, but it has no configuration" }
      : { invariant: 17, what: "it is in no configuration" };
  }
  if (view.id === head!.id) return undefined;
  return watch.history.isPast(view.id)
    ? { invariant: 19, what: `it is in ${view.id}, which the others have left` }
    : { invariant: 16, what: `it is in ${view.id}, the others are not` };
}
