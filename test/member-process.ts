/**
 * Members of a mesh as processes of their own, watched through the lines that they print. A Node member is
 * `blip agent --json`; a Rust member is the peer built from interop/peer, which prints the same lines.
 * Whoever uses this awaits conditions on cuts, each with a bound, and never sleeps.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { constants } from "node:os";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

export type MemberKind = "node" | "rust";

/** What both kinds of member are told on their command line; what is absent stays at their default. */
export interface MemberFlags {
  readonly listen: string;
  readonly seeds?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Most keys that its cache holds; absent, it serves none. */
  readonly cache?: number;
  readonly detection?: Detection;
  readonly cutDetector?: { readonly observers: number; readonly high: number; readonly low: number };
  /** The network namespace that it lives in; absent, that of its parent. */
  readonly namespace?: string;
  /** Flags that only one kind knows, word by word. */
  readonly more?: readonly string[];
}

export type Detection = "lowLatency" | { readonly faultTimeoutMs: number; readonly faultStrikes: number };

export type MetadataValue = string | { readonly base64: string };

export interface PrintedMember {
  readonly address: string;
  readonly tls: boolean;
  readonly metadata: Readonly<Record<string, MetadataValue>>;
}

/** A view change as a member printed it. */
export interface PrintedCut {
  readonly event: "cut";
  readonly time: number;
  readonly confId: string;
  readonly local: string;
  readonly degraded: boolean;
  readonly skipped: number;
  readonly members: readonly PrintedMember[];
  readonly joined: readonly string[];
  readonly kicked: readonly string[];
}

export interface RecordedCut extends PrintedCut {
  /** When its line was read, on the clock of `performance.now()`. */
  readonly arrivedMs: number;
}

export interface Bound {
  readonly timeoutMs: number;
  /** What is awaited, as it reads after "waited for". */
  readonly what: string;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const programs: Record<MemberKind, readonly [string, ...string[]]> = {
  node: [process.execPath, fileURLToPath(new URL("../dist/cli/main.js", import.meta.url)), "agent"],
  rust: [fileURLToPath(new URL("../interop/peer/target/release/blip-peer", import.meta.url))],
};

const logLinesKept = 1000;

export class MemberProcess {
  readonly kind: MemberKind;
  readonly address: string;
  /** Every cut that it printed, oldest first. */
  readonly cuts: readonly RecordedCut[];
  /** What it wrote to stdout that is not a cut. */
  readonly stray: readonly string[];
  /** Where a Rust member panicked and why, one entry for each panic. */
  readonly panics: readonly string[];
  /** Settles once it has ended and everything that it wrote has been read. */
  readonly exited: Promise<ExitStatus>;

  readonly #child: ChildProcess;
  readonly #log: string[] = [];
  readonly #listeners = new Set<() => void>();
  #status: ExitStatus | undefined;

  constructor(kind: MemberKind, flags: MemberFlags) {
    this.kind = kind;
    this.address = flags.listen;

    const inNamespace = flags.namespace === undefined ? [] : ["ip", "netns", "exec", flags.namespace];
    const [program, ...words] = [...inNamespace, ...programs[kind]];
    this.#child = spawn(program!, [...words, ...toArguments(flags)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: withoutAgentSettings(process.env),
    });
    running.add(this);

    const cuts: RecordedCut[] = [];
    const stray: string[] = [];
    const panics: string[] = [];
    this.cuts = cuts;
    this.stray = stray;
    this.panics = panics;

    onLine(this.#child.stdout, (line) => {
      const cut = parseCut(line);
      if (cut === undefined) {
        stray.push(line);
      } else {
        cuts.push(cut);
      }
      this.#tell();
    });

    // Rust prints where it panicked on one line and why on the next. Where its registry lies tells nobody anything.
    let panickedAt: string | undefined;
    onLine(this.#child.stderr, (line) => {
      this.#log.push(line);
      if (this.#log.length > logLinesKept) this.#log.shift();

      if (panickedAt !== undefined) panics.push(`${panickedAt} ${line}`);
      panickedAt = /panicked at (?:.*\/registry\/src\/[^/]+\/)?(.*)/.exec(line)?.[1];
      this.#tell();
    });

    this.exited = new Promise((resolve) => {
      this.#child.once("error", (error) => this.#log.push(`could not be run: ${error.message}`));
      this.#child.once("close", (code, signal) => {
        running.delete(this);
        if (panickedAt !== undefined) panics.push(panickedAt);
        this.#status = { code, signal };
        this.#tell();
        resolve(this.#status);
      });
    });
  }

  get cut(): RecordedCut | undefined {
    return this.cuts.at(-1);
  }

  get panicked(): boolean {
    return this.panics.length > 0;
  }

  /** How it ended; undefined while it runs. */
  get status(): ExitStatus | undefined {
    return this.#status;
  }

  /** The last lines that it wrote to stderr. */
  get log(): readonly string[] {
    return this.#log;
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#child.kill(signal);
  }

  /** Ends it at once, frozen or not, and settles when it is gone. */
  async stop(): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
  }

  /** The newest cut as soon as it satisfies `predicate`. */
  until(predicate: (cut: RecordedCut) => boolean, bound: Bound): Promise<RecordedCut> {
    return awaitChange([this], bound, () => {
      const cut = this.cut;
      return cut !== undefined && predicate(cut) ? cut : undefined;
    });
  }

  /** How it ended, as soon as it has. */
  untilExit(bound: Bound): Promise<ExitStatus> {
    return awaitChange([this], bound, () => this.#status);
  }

  /** The first line on stderr that matches, as soon as there is one. */
  untilLogged(pattern: RegExp, bound: Bound): Promise<string> {
    return awaitChange([this], bound, () => this.#log.find((line) => pattern.test(line)));
  }

  /** Calls `listener` after each line that it prints and at the end; the answer stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What is known of it, for whoever has to find out why a wait was in vain. */
  describe(): string {
    const lines = [`${this}: ${describeStatus(this.#status, this.#child.pid)}`];
    const cut = this.cut;
    if (cut === undefined) {
      lines.push("  it printed no cut");
    } else {
      const { arrivedMs, ...printed } = cut;
      const ageSeconds = ((performance.now() - arrivedMs) / 1000).toFixed(1);
      lines.push(`  last of ${this.cuts.length} cuts, ${ageSeconds} s ago: ${JSON.stringify(printed)}`);
    }
    for (const panic of this.panics) lines.push(`  panicked at ${panic}`);
    for (const line of this.stray) lines.push(`  stray on stdout: ${line}`);
    lines.push("  stderr ends with:", indent(this.#log.slice(-30).join("\n") || "(nothing)", 4));
    return lines.join("\n");
  }

  toString(): string {
    return `${this.kind} member ${this.address}`;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export interface Agreement {
  readonly cut: RecordedCut;
  /** Which of them came to it last, and when, on the clock of `performance.now()`. */
  readonly last: MemberProcess;
  readonly reachedMs: number;
}

/**
 * Settles when the newest cut of each of these members is one and the same (configuration id, members and
 * their metadata) and satisfies `predicate`.
 */
export function agree(
  members: readonly MemberProcess[],
  predicate: (cut: RecordedCut) => boolean,
  bound: Bound,
): Promise<Agreement> {
  return awaitChange(members, bound, () => {
    const held = members.flatMap((member) => (member.cut === undefined ? [] : { member, cut: member.cut }));
    const [first] = held;
    if (first === undefined || held.length < members.length) return undefined;

    const view = viewOf(first.cut);
    if (!held.every(({ cut }) => predicate(cut) && viewOf(cut) === view)) return undefined;
    const last = held.reduce((a, b) => (b.cut.arrivedMs > a.cut.arrivedMs ? b : a));
    return { cut: first.cut, last: last.member, reachedMs: last.cut.arrivedMs };
  });
}

/** Everything about a cut that members of one configuration must have in common, as text to compare. */
export function viewOf(cut: PrintedCut): string {
  const members = cut.members.map(({ address, tls, metadata }) => [
    address,
    tls,
    Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
  return JSON.stringify([cut.confId, members]);
}

/** Whether a cut lists just these members, in any order. */
export function listsJust(cut: PrintedCut, addresses: readonly string[]): boolean {
  const listed = new Set(cut.members.map((member) => member.address));
  return listed.size === addresses.length && addresses.every((address) => listed.has(address));
}

// Ports that are handed out stay below 32768, where the kernel begins to take ports for outgoing connections:
// a member that is restarted at its address would otherwise find it taken now and then.
const lowestPort = 20_000;
const highestPort = 32_000;
const handedOut = new Set<number>();

/** Addresses on the loopback that nobody listens on, each given once in the life of this process. */
export async function freeAddresses(count: number): Promise<string[]> {
  const addresses: string[] = [];
  // The start is random because other processes look for ports in the same range.
  let port = randomInt(lowestPort, highestPort);
  for (let tries = 0; addresses.length < count; tries++) {
    if (tries > highestPort - lowestPort) throw new Error(`no ${count} free ports from ${lowestPort} on`);
    port = port < highestPort ? port + 1 : lowestPort;
    if (handedOut.has(port) || !(await canBind(port))) continue;
    handedOut.add(port);
    addresses.push(`127.0.0.1:${port}`);
  }
  return addresses;
}

/** Nobody listens at this port of the loopback interface. */
export function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Looks now and after each change of these members, until `look` has an answer. */
function awaitChange<T>(
  members: readonly MemberProcess[],
  { timeoutMs, what }: Bound,
  look: () => T | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const unsubscribe: (() => void)[] = [];
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      for (const stop of unsubscribe) stop();
      end();
    };
    const fail = (why: string): void =>
      settle(() => reject(new Error([why, ...members.map((m) => m.describe())].join("\n"))));
    const check = (): void => {
      const found = look();
      if (found !== undefined) {
        settle(() => resolve(found));
        return;
      }
      const gone = members.find((member) => member.status !== undefined);
      if (gone !== undefined) fail(`${gone} ended while the test waited for ${what}`);
    };

    const timer = setTimeout(() => fail(`waited ${timeoutMs} ms for ${what}`), timeoutMs);
    for (const member of members) unsubscribe.push(member.onChange(check));
    check();
  });
}

function toArguments(flags: MemberFlags): string[] {
  const words = ["--listen", flags.listen, "--json"];
  for (const seed of flags.seeds ?? []) words.push("--seed", seed);
  for (const [key, value] of Object.entries(flags.metadata ?? {})) words.push("--meta", `${key}=${value}`);
  if (flags.cache !== undefined) words.push("--cache", String(flags.cache));
  if (flags.detection === "lowLatency") {
    words.push("--low-latency");
  } else if (flags.detection !== undefined) {
    const { faultTimeoutMs, faultStrikes } = flags.detection;
    words.push("--fault-timeout-ms", String(faultTimeoutMs), "--fault-strikes", String(faultStrikes));
  }
  if (flags.cutDetector !== undefined) {
    const { observers, high, low } = flags.cutDetector;
    words.push("--cut", [observers, high, low].join());
  }
  return [...words, ...(flags.more ?? [])];
}

/** The agent reads BLIP_… too, and what is set outside must not change what a test asked for. */
function withoutAgentSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("BLIP_")));
}

function onLine(stream: Readable | null, listener: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on("line", listener);
}

function parseCut(line: string): RecordedCut | undefined {
  const arrivedMs = performance.now();
  try {
    const parsed: unknown = JSON.parse(line);
    return isCut(parsed) ? { ...parsed, arrivedMs } : undefined;
  } catch {
    return undefined;
  }
}

function isCut(parsed: unknown): parsed is PrintedCut {
  if (typeof parsed !== "object" || parsed === null) return false;
  const cut = parsed as Partial<Record<keyof PrintedCut, unknown>>;
  return (
    cut.event === "cut" &&
    typeof cut.time === "number" &&
    typeof cut.confId === "string" &&
    /^\d+$/.test(cut.confId) &&
    typeof cut.local === "string" &&
    typeof cut.degraded === "boolean" &&
    typeof cut.skipped === "number" &&
    [cut.members, cut.joined, cut.kicked].every(Array.isArray)
  );
}

function describeStatus(status: ExitStatus | undefined, pid: number | undefined): string {
  if (status === undefined) return `running as process ${pid}`;
  return status.signal === null ? `ended with status ${status.code}` : `ended by ${status.signal}`;
}

function indent(text: string, by: number): string {
  return text.replace(/^/gm, " ".repeat(by));
}

// No member may outlive the process that started it, whichever way that one ends.
const running = new Set<MemberProcess>();
process.once("exit", () => {
  for (const member of running) member.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
