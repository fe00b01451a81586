// A user's own services on a simulated mesh: members made by the same code as in production, on virtual time, in a world
// that can be broken at will. The same seed gives the same run, as long as the user's code waits for nothing but calls,
// cuts and timers.

import { invalid } from "../../mesh/errors.ts";
import { createMeshOn, type Mesh } from "../../mesh/mesh.ts";
import type { MeshOptions } from "../../mesh/options.ts";
import type { Process } from "../process.ts";
import { storyOf } from "../story.ts";
import { World } from "../world.ts";
import { Ground } from "./footing.ts";
import { home, installVirtualGlobals } from "./virtual-globals.ts";

/** What a simulated mesh is drawn from. */
export interface SimulateMeshOptions {
  /** The same seed, the same run. Default 1. */
  readonly seed?: bigint | number;
  /** Virtual milliseconds after which a play that is not over has failed. Default one hour. */
  readonly limitMs?: number;
}

/** A play on a simulated mesh failed; `cause` is why. */
export class SimulationFailed extends Error {
  override readonly name = "SimulationFailed";
  readonly seed: bigint;
  /** What the members did last, as prose. */
  readonly transcript: string;

  constructor(seed: bigint, transcript: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`with seed ${seed}: ${why}`, { cause });
    this.seed = seed;
    this.transcript = transcript;
  }
}

const LIMIT_MS = 3_600_000;
const PORT = 7946;
const TRANSCRIPT_LINES = 200;

/** Timers as they were: the virtual ones need something that really lets other code run. */
const { setImmediate: soon } = globalThis;
let isPlaying = false;

/** Members, and what may happen to them. */
export class SimulatedMesh {
  readonly #world: World;
  readonly #ground: Ground;
  #started = 0;

  constructor(world: World, ground: Ground) {
    this.#world = world;
    this.#ground = ground;
  }

  /** Virtual milliseconds since the play began. */
  get elapsedMs(): number {
    return this.#world.elapsed;
  }

  /**
   * Starts a member, as `createMesh` does, with the same options but for `tls`. It listens at 10.0.0.1:7946, the next
   * one at 10.0.0.2, and so on; its seed is the first one. What is given wins.
   * @throws BlipError as `createMesh`
   */
  async start(options: MeshOptions = {}): Promise<Mesh> {
    this.#started += 1;
    const listen = addressOfNth(this.#started);
    const seeds = this.#started === 1 ? {} : { seeds: [addressOfNth(1)] };
    return createMeshOn(this.#ground.makeFooting, { listen, ...seeds, ...options });
  }

  /** Starts so many at once; resolves when they see each other. */
  async startAll(count: number, options: (i: number) => MeshOptions = () => ({})): Promise<Mesh[]> {
    if (!Number.isInteger(count) || count < 1) throw invalid("count", "a whole number, 1 or more", count);
    const before = this.#world.living.length;
    const first = await this.start(options(0));
    const others = Array.from({ length: count - 1 }, (_, i) => this.start(options(i + 1)));
    const meshes = [first, ...(await Promise.all(others))];
    await Promise.all(meshes.map((mesh) => mesh.waitFor((cut) => cut.members.length >= before + count)));
    return meshes;
  }

  /** Its process dies, as by SIGKILL: its host refuses connections from now on. */
  async crash(...meshes: readonly Mesh[]): Promise<void> {
    this.#world.crash(...this.#processesOf(meshes));
    await Promise.all(meshes.map((mesh) => mesh.close()));
  }

  /** Its machine goes dark: nobody is left to refuse anything. */
  async powerOff(...meshes: readonly Mesh[]): Promise<void> {
    this.#world.powerOff(...this.#processesOf(meshes));
    await Promise.all(meshes.map((mesh) => mesh.close()));
  }

  /** Its process stands still, as by SIGSTOP, until it is thawed. */
  freeze(...meshes: readonly Mesh[]): void {
    this.#world.freeze(...this.#processesOf(meshes));
  }

  thaw(...meshes: readonly Mesh[]): void {
    this.#world.thaw(...this.#processesOf(meshes));
  }

  /** Nothing gets from one group to the other, in either direction, until the network is healed. */
  partition(some: readonly Mesh[], others: readonly Mesh[]): void {
    this.#world.partition(this.#processesOf(some), this.#processesOf(others));
  }

  /** The share of all packets that is lost, from 0 up to 1; and how long they take, in milliseconds. */
  weather({
    loss,
    latencyMs,
  }: {
    readonly loss?: number;
    readonly latencyMs?: readonly [number, number];
  }): void {
    if (loss !== undefined && !(loss >= 0 && loss < 1)) throw invalid("loss", "a share from 0 up to 1", loss);
    if (latencyMs !== undefined && !(latencyMs[0] >= 0 && latencyMs[1] >= latencyMs[0])) {
      throw invalid("latencyMs", "[least, most], in milliseconds", latencyMs);
    }
    this.#world.harmAll();
    Object.assign(this.#world.network.conditions, {
      ...(loss !== undefined && { loss }),
      ...(latencyMs !== undefined && { latencyMs }),
    });
  }

  /** The network is well again: no partition, no loss. */
  heal(): void {
    this.#world.heal();
  }

  /** Lets virtual time pass. */
  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(resolve, ms));
  }

  #processesOf(meshes: readonly Mesh[]): readonly Process[] {
    return meshes.map((mesh) => {
      const process = this.#ground.processOf(mesh.localAddress);
      if (process === undefined) throw invalid("mesh", "a member of this simulation that runs", mesh);
      return process;
    });
  }
}

/**
 * Plays on a simulated mesh, and answers what the play does. Time is virtual while it plays: nothing waits for real, and
 * the global timers, `Date`, `performance.now` and `Math.random` are those of the simulation. One play at a time in a
 * process. What the play leaves running is ended with it.
 *
 * @throws SimulationFailed where the play throws, where an error in it or its services is caught by nobody, where a rule
 * of the protocol is broken, or where it waits for something that does not come; with the seed.
 */
export async function simulateMesh<T>(
  options: SimulateMeshOptions,
  play: (mesh: SimulatedMesh) => Promise<T>,
): Promise<T> {
  const { seed = 1, limitMs = LIMIT_MS } = options;
  if (typeof seed !== "bigint" && !Number.isSafeInteger(seed)) throw invalid("seed", "a whole number", seed);
  if (!(limitMs > 0)) throw invalid("limitMs", "milliseconds, more than 0", limitMs);
  if (isPlaying) throw new Error("simulateMesh: expected one play at a time, and another one is not over");
  isPlaying = true;
  const ended: ((process: Process) => void)[] = [];
  const world = new World({
    seed,
    checkers: [{ ended: (process) => ended.forEach((tell) => void tell(process)) }],
    stopsAtViolation: true,
  });
  const ground = new Ground(world);
  ended.push((process) => ground.ended(process));
  const restore = installVirtualGlobals(world);
  let uncaught: { readonly error: unknown } | undefined;
  const onUncaught = (error: unknown): void => {
    uncaught ??= { error };
  };
  // Whoever else listens would take it for something that happened outside of the play.
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", onUncaught);
  try {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    home
      .run(undefined, () => play(new SimulatedMesh(world, ground)))
      .then(
        (value) => {
          outcome = { value };
        },
        (error: unknown) => {
          outcome = { error };
        },
      );
    for (;;) {
      // All that can go on without time passing does.
      await new Promise((resolve) => soon(resolve));
      if (uncaught !== undefined) throw uncaught.error;
      if (outcome !== undefined) break;
      if (world.elapsed > limitMs) throw new Error(`it was not over after ${limitMs} virtual ms`);
      if (!world.runNext()) throw new Error("it waits for something, and nothing is left to happen");
    }
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  } catch (error) {
    throw new SimulationFailed(BigInt(seed), storyOf(world.transcript.lines.slice(-TRANSCRIPT_LINES)), error);
  } finally {
    for (const one of world.processes) if (one.isUp) world.exit(one);
    restore();
    await new Promise((resolve) => soon(resolve));
    process.off("unhandledRejection", onUncaught);
    for (const listener of listeners) process.on("unhandledRejection", listener);
    isPlaying = false;
  }
}

function addressOfNth(n: number): string {
  return `10.0.${n >> 8}.${n & 255}:${PORT}`;
}
