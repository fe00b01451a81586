/**
 * One view change of a large simulated mesh, in a process of its own so that its memory can be told:
 * `node large-world.ts MEMBERS all|needed` prints what it took as JSON.
 */
import { LARGE_MESH, World } from "../src/sim/index.ts";

/** `all`: every copy of a broadcast is delivered; `needed`: not those to members that have been given one. */
export type Copies = "all" | "needed";

export interface Cost {
  /** From the start until all members agree for the first time. */
  readonly growSeconds: number;
  /** From the crash until all survivors have agreed that it is gone, and from there until nothing is under way. */
  readonly changeSeconds: number;
  readonly restSeconds: number;
  /** Of the change alone, as are messages and steps. */
  readonly virtualMs: number;
  readonly messages: number;
  readonly steps: number;
  readonly peakMib: number;
  readonly violations: number;
}

/** How long broadcasts go on at most when all have agreed. */
const FLOOD_MS = 100;

function measure(members: number, copies: Copies): Cost {
  const world = new World({ seed: 1, ...(copies === "needed" && LARGE_MESH) });
  const growSeconds = cpuSecondsOf(() => world.grow(members));
  world.run(3000);
  const victim = world.living[Math.floor(members / 2)]!;
  const { steps, now } = world;
  const { messages } = world.network;
  world.crash(victim);
  const survivors = world.living;
  const changeSeconds = cpuSecondsOf(() => world.until("the survivors agree", () => world.agree(survivors)));
  const until = {
    virtualMs: world.now - now,
    messages: world.network.messages - messages,
    steps: world.steps - steps,
  };
  return {
    growSeconds,
    changeSeconds,
    ...until,
    restSeconds: cpuSecondsOf(() => world.run(FLOOD_MS)),
    peakMib: process.resourceUsage().maxRSS / 1024,
    violations: world.violations.length,
  };
}

/** Of all threads of this process, the garbage collector's too. */
function cpuSecondsOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const [members, copies] = process.argv.slice(2);
console.log(JSON.stringify(measure(Number(members), copies as Copies)));
