/** The processes of member.mjs, as whoever drives a herd through them holds them. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What the callers of one process saw. */
export interface Got {
  readonly key: string;
  readonly callers: number;
  readonly failures: readonly string[];
  readonly slowestMs: number;
}

export interface HerdOrder {
  readonly key: string;
  readonly callers: number;
  readonly timeoutMs: number;
}

const program = fileURLToPath(new URL("member.mjs", import.meta.url));
const patienceMs = 60_000;

export class HerdProcess {
  readonly address: string;
  readonly exited: Promise<void>;
  /** The keys that it began to load, in order. */
  readonly loads: string[] = [];
  readonly got: Got[] = [];
  /** The addresses in its newest cut. */
  members: readonly string[] = [];
  readonly #child: ChildProcess;
  readonly #changed: () => void;
  #log = "";

  /** @param changed is called after each line that it prints, and when it has ended. */
  constructor(address: string, loadMs: number, changed: () => void) {
    this.address = address;
    this.#changed = changed;
    const told = JSON.stringify({ listen: address, loadMs });
    const child = spawn(process.execPath, [program, told], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    running.add(this);
    // Whoever is killed cannot read any more.
    child.stdin.on("error", () => {});
    child.stderr.on("data", (text) => {
      this.#log = `${this.#log}${text}`.slice(-2000);
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.#read(JSON.parse(line)));
    this.exited = new Promise((resolve) => child.once("close", () => resolve()));
    void this.exited.then(() => {
      running.delete(this);
      changed();
    });
  }

  join(seeds: readonly string[]): void {
    this.#order({ order: "join", seeds });
  }

  get(herd: HerdOrder): void {
    this.#order({ order: "get", ...herd });
  }

  kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    return this.exited;
  }

  toString(): string {
    return `${this.address}, which sees ${this.members.length}: ${this.#log}`;
  }

  #order(order: object): void {
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
  }

  #read(line: { readonly event: string } & Record<string, unknown>): void {
    if (line.event === "load") this.loads.push(line.key as string);
    if (line.event === "cut") this.members = line.members as string[];
    if (line.event === "got") this.got.push(line as unknown as Got);
    this.#changed();
  }
}

/** Conditions on several processes, looked at whenever one of them has said something. */
export class Conditions {
  readonly #looks = new Set<() => void>();

  readonly changed = (): void => {
    for (const look of [...this.#looks]) look();
  };

  until(what: string, isSo: () => boolean, state: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (isSo()) settle(resolve);
      };
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.#looks.delete(look);
        end();
      };
      const late = (): void =>
        settle(() => reject(new Error(`waited ${patienceMs} ms until ${what}\n${state()}`)));
      const timer = setTimeout(late, patienceMs);
      this.#looks.add(look);
      look();
    });
  }
}

// No such process may outlive the one that started it.
const running = new Set<HerdProcess>();
process.once("exit", () => {
  for (const member of running) void member.kill();
});
