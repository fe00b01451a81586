/** The member processes of the demo. They read nothing from their stdin but its end, and end with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("member.ts", import.meta.url));

export class Processes {
  /** Rejects where one of them ends that was not told to. */
  readonly died: Promise<never>;
  readonly #seed: string;
  readonly #children = new Map<string, ChildProcess>();
  #fail = (_error: Error): void => {};

  constructor(seed: string) {
    this.#seed = seed;
    this.died = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // It may happen while nobody waits; whoever waits later is told all the same.
    this.died.catch(() => {});
  }

  start(name: string, zone: string): void {
    const child = spawn(process.execPath, [...process.execArgv, program, this.#seed, name, zone], {
      stdio: ["pipe", "inherit", "inherit"],
      // In a group of its own, a Ctrl-C reaches the driver alone, which then ends the others.
      detached: true,
    });
    this.#children.set(name, child);
    child.once("error", this.#fail);
    child.once("exit", (code, signal) => {
      if (this.#children.delete(name)) this.#fail(new Error(`${name} ended by itself: ${signal ?? code}`));
    });
  }

  /** Kills this one as a crash would: without a word to anybody. */
  kill(name: string): void {
    const child = this.#children.get(name);
    this.#children.delete(name);
    child?.kill("SIGKILL");
  }

  /** Ends all of them, and settles when they are gone. */
  async end(): Promise<void> {
    const children = [...this.#children.values()];
    this.#children.clear();
    await Promise.all(
      children.map((child) => {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        child.stdin?.end();
        return gone;
      }),
    );
  }
}
