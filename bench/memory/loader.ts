/** A process that has loaded a part of what a member needs, and does nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Each loads what the one before does, and more. */
export const STAGES = ["node", "http2", "grpc-js", "protobuf", "blip"] as const;
export type Stage = (typeof STAGES)[number];

const program = fileURLToPath(new URL("load.mjs", import.meta.url));

export class Loader {
  readonly stage: Stage;
  readonly #child: ChildProcess;

  private constructor(stage: Stage) {
    this.stage = stage;
    // It ends with its stdin, and so with the benchmark.
    this.#child = spawn(process.execPath, [program, stage], { stdio: ["pipe", "pipe", "inherit"] });
  }

  /**
   * Settles when all is loaded.
   * @throws Error where it could not be.
   */
  static async start(stage: Stage): Promise<Loader> {
    const loader = new Loader(stage);
    const ended = once(loader.#child, "exit").then(() => {
      throw new Error(`the process that loads ${stage} ended before it had`);
    });
    await Promise.race([once(loader.#child.stdout!, "data"), ended]);
    ended.catch(() => {});
    return loader;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}
