/**
 * A member as a process that is started first and joins when it is told to, so that what a process needs to
 * start is not counted as joining. A Node member is `blip agent --json` with hold.mjs before it; a Rust
 * member is the peer built from interop/peer with its flag `--hold`. Both print each cut with the time at
 * which they came to it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { MemberKind, PrintedCut } from "../test/member-process.ts";

const programs: Record<MemberKind, readonly string[]> = {
  node: [
    process.execPath,
    ...["--import", new URL("hold.mjs", import.meta.url).href],
    fileURLToPath(new URL("../dist/cli/main.js", import.meta.url)),
    "agent",
  ],
  rust: [fileURLToPath(new URL("../interop/peer/target/release/blip-peer", import.meta.url)), "--hold"],
};

const logLinesMax = 5000;

export interface Sent {
  readonly requests: number;
  /** One for each request with one message, and those on streams that stay open. */
  readonly messages: number;
}

export class HeldMember {
  readonly kind: MemberKind;
  readonly address: string;
  /** Every cut that it printed, oldest first. */
  readonly cuts: PrintedCut[] = [];
  /** Where a Rust member panicked, one entry for each panic. */
  readonly panics: string[] = [];
  /** The last lines that it wrote to stderr. */
  readonly log: string[] = [];
  /** Settles when it is up and waits to be told to join. */
  readonly holding: Promise<void>;
  readonly exited: Promise<void>;

  readonly #child: ChildProcess;
  readonly #changed: () => void;
  #isGone = false;
  #held = (): void => {};
  #failed = (_error: Error): void => {};
  #counted = (_sent: Sent): void => {};

  /** `more` are flags that both kinds know; `changed` is called after each cut, panic and end. */
  constructor(
    kind: MemberKind,
    address: string,
    seed: string | undefined,
    more: readonly string[],
    changed: () => void,
  ) {
    this.kind = kind;
    this.address = address;
    this.#changed = changed;
    this.holding = new Promise((held, failed) => {
      this.#held = held;
      this.#failed = failed;
    });

    const [program, ...words] = programs[kind];
    const flags = ["--listen", address, "--json", ...(seed === undefined ? [] : ["--seed", seed]), ...more];
    const child = spawn(program!, [...words, ...flags], { stdio: ["pipe", "pipe", "pipe"], env: ownEnv() });
    this.#child = child;
    running.add(this);

    createInterface({ input: child.stdout }).on("line", (line) => this.#readCut(line));
    createInterface({ input: child.stderr }).on("line", (line) => this.#readLog(line));
    // One that is killed cannot read what it is told; its end is reported below.
    child.stdin.on("error", () => {});
    child.once("error", (error) => this.#failed(error));
    this.exited = new Promise((resolve) => child.once("close", () => resolve()));
    void this.exited.then(() => {
      running.delete(this);
      this.#isGone = true;
      this.#failed(
        new Error(`${this} ended before it was told to join: ${this.log.at(-1) ?? "no reason given"}`),
      );
      changed();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get cut(): PrintedCut | undefined {
    return this.cuts.at(-1);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Tells it to join. */
  release(): void {
    this.#child.stdin?.write("\n");
  }

  /** What a Node member has sent so far. */
  async sent(): Promise<Sent> {
    const counted = new Promise<Sent>((resolve) => {
      this.#counted = resolve;
    });
    this.#child.stdin?.write("\n");
    return counted;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  toString(): string {
    return `${this.kind} member ${this.address}`;
  }

  #readCut(line: string): void {
    try {
      const cut = JSON.parse(line) as PrintedCut;
      if (cut.event !== "cut") return;
      this.cuts.push(cut);
      this.#changed();
    } catch {
      this.log.push(`stray on stdout: ${line}`);
    }
  }

  #readLog(line: string): void {
    if (line === "holding") this.#held();
    else if (sentLine.test(line)) this.#counted(toSent(line));
    else this.log.push(line);
    if (this.log.length > logLinesMax) this.log.shift();

    // Where a registry lies on this machine tells nobody anything.
    const panic = /panicked at (?:.*\/registry\/src\/[^/]+\/)?(.*)/.exec(line)?.[1];
    if (panic !== undefined) this.panics.push(panic.replace(/:$/, ""));
  }
}

const sentLine = /^sent (\d+) (\d+)$/;

function toSent(line: string): Sent {
  const [requests, messages] = (sentLine.exec(line) ?? []).slice(1).map(Number);
  return { requests: requests!, messages: messages! };
}

/** The agent reads BLIP_… too, and what is set outside must not change what is measured. */
function ownEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("BLIP_")));
}

// No member may outlive the benchmark; where it cannot run this, their stdin ends and so do they.
const running = new Set<HeldMember>();
process.once("exit", () => {
  for (const member of running) member.kill();
});
