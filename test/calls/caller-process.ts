/** The processes of caller.mjs, as whoever tries them out holds them. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What such a process is told; see caller.mjs. */
export interface CallerOptions {
  readonly listen?: string;
  readonly seeds?: readonly string[];
  readonly serves?: boolean;
  readonly handlerMs?: number;
  readonly timeoutMs: number;
  readonly idempotent?: boolean;
  /** Addresses that a client of grpc-js alone calls, without a mesh. */
  readonly plain?: readonly string[];
}

export interface FailedCall {
  readonly startedMs: number;
  readonly tookMs: number;
  readonly code: string | number;
  readonly status?: number;
  readonly address?: string;
  readonly message: string;
}

/** What it saw of its calls. */
export interface CallsSeen {
  readonly made: number;
  /** Calls that succeeded after more than half a second. */
  readonly slow: readonly { readonly startedMs: number; readonly tookMs: number }[];
  readonly failures: readonly FailedCall[];
}

interface CutLine {
  readonly time: number;
  readonly members: readonly string[];
}

const program = fileURLToPath(new URL("caller.mjs", import.meta.url));
const patienceMs = 60_000;

export class CallerProcess {
  readonly options: CallerOptions;
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #isReady = false;
  #isGone = false;
  #cut: CutLine | undefined;
  #seen: CallsSeen | undefined;
  #log = "";

  constructor(options: CallerOptions) {
    this.options = options;
    const child = spawn(process.execPath, [program, JSON.stringify(options)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    running.add(this);
    child.stdin.on("error", () => {});
    child.stderr.on("data", (text) => {
      this.#log = `${this.#log}${text}`.slice(-2000);
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.#read(line));
    this.exited = new Promise((resolve) => child.once("close", () => resolve()));
    void this.exited.then(() => {
      running.delete(this);
      this.#isGone = true;
      this.#tell();
    });
    this.ready = this.#until("it was ready", () => this.#isReady);
    this.ready.catch(() => {});
  }

  /** Makes so many calls a second from now on. */
  call(perSecond: number): void {
    this.#child.stdin?.write(`${perSecond}\n`);
  }

  /** Waits until its newest cut is as wanted; answers when it came to that. */
  async untilMembers(isWanted: (members: readonly string[]) => boolean, timeoutMs?: number): Promise<number> {
    const isSo = (): boolean => this.#cut !== undefined && isWanted(this.#cut.members);
    await this.#until("its cut was as wanted", isSo, timeoutMs);
    return this.#cut!.time;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it as a deploy would, and answers what it saw of its calls. */
  leave(): Promise<CallsSeen> {
    this.signal("SIGTERM");
    return this.#end();
  }

  /** Lets its calls end, and it with them. */
  end(): Promise<CallsSeen> {
    this.#child.stdin?.end();
    return this.#end();
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
  }

  async #end(): Promise<CallsSeen> {
    await this.#until("it told of its calls", () => this.#seen !== undefined);
    await this.exited;
    return this.#seen!;
  }

  #read(line: string): void {
    const told = JSON.parse(line) as { readonly event: string };
    if (told.event === "ready") this.#isReady = true;
    if (told.event === "cut") this.#cut = told as unknown as CutLine;
    if (told.event === "calls") this.#seen = told as unknown as CallsSeen;
    this.#tell();
  }

  #tell(): void {
    for (const look of [...this.#waiting]) look();
  }

  #until(what: string, isSo: () => boolean, timeoutMs: number = patienceMs): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        run();
      };
      const fail = (why: string): void =>
        settle(() =>
          reject(new Error(`${this.options.listen ?? "outside"}: ${why} before ${what}: ${this.#log}`)),
        );
      const look = (): void => {
        if (isSo()) settle(resolve);
        else if (this.#isGone) fail("it ended");
      };
      const timer = setTimeout(() => fail(`${timeoutMs} ms were over`), timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }
}

// No such process may outlive the one that started it.
const running = new Set<CallerProcess>();
process.once("exit", () => {
  for (const caller of running) caller.signal("SIGKILL");
});
