/** What Linux tells of this machine and of processes. Where it is not Linux, nothing is known. */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, type } from "node:os";

/** The kernel counts CPU time in these on every platform that Node runs on. */
const ticksPerSecond = 100;

export function cpuSeconds(pid: number): number | undefined {
  // The name of the program is in parentheses and may hold anything, so that fields count from its end.
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields && (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/**
 * The same from the scheduler's own books, which count in nanoseconds, of each thread that the process has now. What
 * little a member does at rest is less than a tick in seconds.
 */
export function threadSeconds(pid: number): ReadonlyMap<string, number> | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return new Map(
      threads.map((thread) => {
        const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
        return [thread, Number(nanoseconds) / 1e9];
      }),
    );
  } catch {
    return undefined;
  }
}

/** What processes took between two looks at each. A thread that ended meanwhile took its books along. */
export function secondsBetween(
  before: readonly (ReadonlyMap<string, number> | undefined)[],
  after: readonly (ReadonlyMap<string, number> | undefined)[],
): number | undefined {
  let sum = 0;
  for (const [process, threads] of after.entries()) {
    const first = before[process];
    if (threads === undefined || first === undefined) return undefined;
    for (const [thread, seconds] of threads) sum += seconds - (first.get(thread) ?? 0);
  }
  return sum;
}

export interface Memory {
  /** What is resident of it. */
  readonly rssMib: number;
  /** The part of that which is no page of a file; those are shared by all that use the file. */
  readonly ownMib: number;
}

export function memoryOf(pid: number): Memory | undefined {
  const status = read(`/proc/${pid}/status`) ?? "";
  const mib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1024;
  const [rssMib, ownMib] = [mib("VmRSS"), mib("RssAnon")];
  return Number.isNaN(rssMib + ownMib) ? undefined : { rssMib, ownMib };
}

/** TCP connections opened so far by all processes of this network namespace. */
export function tcpOpens(): number | undefined {
  const [names, values] = (read("/proc/net/snmp") ?? "")
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"));
  const index = names?.split(" ").indexOf("ActiveOpens") ?? -1;
  return index < 0 ? undefined : Number(values?.split(" ")[index]);
}

/** Processes that wanted to run, averaged over the last minute. */
export function load(): number {
  return loadavg()[0]!;
}

export function describeMachine(): Readonly<Record<string, string | number>> {
  return {
    cpus: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    system: `${type()} ${release()}`,
    node: process.version,
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
