/**
 * What a mesh in which nothing happens costs: CPU and memory of each member, and traffic of the whole mesh.
 */
import { setTimeout as pass } from "node:timers/promises";
import type { HeldMesh } from "./held-mesh.ts";
import { memoryOf, secondsBetween, tcpOpens, threadSeconds } from "./machine.ts";

export interface AtRest {
  /** Of one core, mean over the members. */
  readonly cpuPercentEach: number | undefined;
  /** Mean over the members. */
  readonly rssMibEach: number | undefined;
  /** By all processes of this network namespace. */
  readonly tcpOpensPerSecond: number | undefined;
  /** Begun by all members. */
  readonly rpcsPerSecond: number | undefined;
  /** Sent by all members, answers not counted. */
  readonly messagesPerSecond: number | undefined;
}

export interface Window {
  /**
   * How long what the last view change set off may die away. In a Node process V8 finds some time later that little goes on,
   * and collects all garbage twice to give memory back: that is once, and as much work as rest is in half a minute. With ten
   * members on two cores it happened 25 to 106 s after they had started.
   */
  readonly settleMs: number;
  readonly windowMs: number;
}

export async function measureAtRest(mesh: HeldMesh, { settleMs, windowMs }: Window): Promise<AtRest> {
  await pass(settleMs);
  const before = await look(mesh);
  await pass(windowMs);
  const after = await look(mesh);

  const seconds = (after.atMs - before.atMs) / 1000;
  const size = mesh.alive.length;
  const perSecond = (of: (look: Look) => number | undefined): number | undefined => {
    const [first, last] = [of(before), of(after)];
    return first === undefined || last === undefined ? undefined : (last - first) / seconds;
  };
  const used = secondsBetween(before.cpuSeconds, after.cpuSeconds);
  const tcpOpensPerSecond = perSecond((look) => look.tcpOpens);
  return {
    cpuPercentEach: used && (used * 100) / seconds / size,
    rssMibEach: after.rssMib && after.rssMib / size,
    tcpOpensPerSecond,
    // The crate cannot be asked; it opens a connection for each message.
    rpcsPerSecond: mesh.kind === "node" ? perSecond((look) => look.requests) : tcpOpensPerSecond,
    messagesPerSecond: mesh.kind === "node" ? perSecond((look) => look.messages) : tcpOpensPerSecond,
  };
}

interface Look {
  readonly atMs: number;
  /** Of each member, of each of its threads. */
  readonly cpuSeconds: readonly (ReadonlyMap<string, number> | undefined)[];
  readonly rssMib: number | undefined;
  readonly tcpOpens: number | undefined;
  readonly requests?: number | undefined;
  readonly messages?: number | undefined;
}

async function look(mesh: HeldMesh): Promise<Look> {
  const pids = mesh.alive.map((member) => member.pid);
  const usage = {
    atMs: performance.now(),
    cpuSeconds: pids.map(threadSeconds),
    rssMib: sum(pids.map((pid) => memoryOf(pid)?.rssMib)),
    tcpOpens: tcpOpens(),
  };
  if (mesh.kind !== "node") return usage;
  const sent = await Promise.all(mesh.alive.map((member) => member.sent()));
  return {
    ...usage,
    requests: sum(sent.map(({ requests }) => requests)),
    messages: sum(sent.map(({ messages }) => messages)),
  };
}

/** Undefined where one of them is unknown. */
function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce((a, b) => (a === undefined || b === undefined ? undefined : a + b), 0);
}
