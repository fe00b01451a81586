/** Processes that do nothing but take CPU time. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpuSeconds } from "./machine.ts";

export class Burners {
  readonly #children: readonly ChildProcess[];
  readonly #startedMs = performance.now();

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
    for (const child of children) running.add(child);
  }

  static async light(count: number): Promise<Burners> {
    const program = "process.stdout.write('x'); for (;;);";
    const children = Array.from({ length: count }, () =>
      spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] }),
    );
    const burners = new Burners(children);
    await Promise.all(children.map((child) => once(child.stdout!, "data")));
    return burners;
  }

  get count(): number {
    return this.#children.length;
  }

  /** How many cores they have had, on average, since they were lit. */
  get cores(): number {
    const seconds = this.#children.map(({ pid }) => cpuSeconds(pid!) ?? Number.NaN);
    return (seconds.reduce((sum, one) => sum + one, 0) * 1000) / (performance.now() - this.#startedMs);
  }

  quench(): void {
    for (const child of this.#children) {
      child.kill("SIGKILL");
      running.delete(child);
    }
  }
}

// None may outlive the benchmark.
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
