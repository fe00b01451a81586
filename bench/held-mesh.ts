/**
 * A mesh of members of one kind, each a process: joined all at once, killed in part, and watched until all
 * agree.
 */
import { randomInt } from "node:crypto";
import { freeAddresses, listsJust, type MemberKind } from "../test/member-process.ts";
import { explain } from "./disagreement.ts";
import { HeldMember } from "./held-member.ts";
import { cpuSeconds } from "./machine.ts";

/** What came of waiting until all members that are alive list just each other, in one configuration. */
export interface Outcome {
  /**
   * From the step that was taken until the last member came to it; absent where they did not agree in time.
   */
  readonly tookMs?: number;
  /** Why they did not agree. */
  readonly why?: string;
  /** View changes since the step before, at the member that saw most of them. */
  readonly cuts: number;
  /** Members that were removed since then though nothing had happened to them. */
  readonly wronglyRemoved: readonly string[];
}

/** What it took until all processes were up and waited to be told to join. */
export interface StartUp {
  readonly wallMs: number;
  /** Mean over the processes. */
  readonly cpuMsEach: number | undefined;
}

const startTimeoutMs = 120_000;

export class HeldMesh {
  readonly kind: MemberKind;
  readonly members: readonly HeldMember[];
  readonly #alive: Set<HeldMember>;
  /** How many cuts of each member were looked at when the last step was over. */
  readonly #judged = new Map<HeldMember, number>();
  #startUp: StartUp = { wallMs: 0, cpuMsEach: undefined };
  #changed = (): void => {};

  private constructor(kind: MemberKind, addresses: readonly string[], flags: readonly string[]) {
    this.kind = kind;
    const [founder] = addresses;
    this.members = addresses.map((address) => {
      const seed = address === founder ? undefined : founder;
      return new HeldMember(kind, address, seed, flags, () => this.#changed());
    });
    this.#alive = new Set(this.members);
  }

  /** Starts the processes, and settles when all of them wait to be told to join. */
  static async start(kind: MemberKind, size: number, flags: readonly string[] = []): Promise<HeldMesh> {
    const addresses = await freeAddresses(size);
    const startedMs = performance.now();
    const mesh = new HeldMesh(kind, addresses, flags);
    try {
      await within(startTimeoutMs, Promise.all(mesh.members.map((member) => member.holding)));
    } catch (error) {
      await mesh.stop();
      throw error;
    }
    const wallMs = performance.now() - startedMs;
    const cpu = mesh.members.map((member) => cpuSeconds(member.pid) ?? Number.NaN);
    const mean = (cpu.reduce((sum, one) => sum + one, 0) * 1000) / size;
    mesh.#startUp = { wallMs, cpuMsEach: Number.isNaN(mean) ? undefined : mean };
    return mesh;
  }

  get startUp(): StartUp {
    return this.#startUp;
  }

  get alive(): readonly HeldMember[] {
    return [...this.#alive];
  }

  /** Lets all members join at once. */
  join(timeoutMs: number): Promise<Outcome> {
    for (const member of this.members) member.release();
    return this.#agreement(timeoutMs);
  }

  /** Kills this many, chosen at random, at once. */
  kill(count: number, timeoutMs: number): Promise<Outcome> {
    for (const victim of this.#lose(count)) victim.kill();
    return this.#agreement(timeoutMs);
  }

  /** Stops this many, chosen at random, at once and for good. */
  freeze(count: number, timeoutMs: number): Promise<Outcome> {
    for (const victim of this.#lose(count)) victim.freeze();
    return this.#agreement(timeoutMs);
  }

  /** Lets it be for so long, and then waits as long again at most until all agree, where they do not. */
  async watch(ms: number): Promise<Outcome> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.#agreement(ms);
  }

  async stop(): Promise<void> {
    this.#changed = () => {};
    for (const member of this.members) member.kill();
    await Promise.all(this.members.map((member) => member.exited));
  }

  /** Those that the others will have to do without. */
  #lose(count: number): readonly HeldMember[] {
    const left = [...this.#alive];
    const victims = Array.from({ length: count }, () => left.splice(randomInt(left.length), 1)[0]!);
    for (const victim of victims) this.#alive.delete(victim);
    return victims;
  }

  async #agreement(timeoutMs: number): Promise<Outcome> {
    const startedMs = Date.now();
    const agreed = await this.#until(() => this.#isAgreed(), timeoutMs);

    const alive = this.alive;
    const healthy = new Set(alive.map((member) => member.address));
    const news = alive.map((member) => member.cuts.slice(this.#judged.get(member) ?? 0));
    const kicked = news.flat().flatMap((cut) => cut.kicked);
    const wronglyRemoved = [...new Set(kicked.filter((address) => healthy.has(address)))];
    const cuts = Math.max(...news.map(({ length }) => length));
    for (const member of alive) this.#judged.set(member, member.cuts.length);

    const seen = { cuts, wronglyRemoved };
    if (!agreed) return { why: explain(alive), ...seen };
    return { tookMs: Math.max(...alive.map((member) => member.cut!.time)) - startedMs, ...seen };
  }

  /** Compares ids first: this is asked after each cut of each member, and must not cost what is measured. */
  #isAgreed(): boolean {
    const alive = this.alive;
    const confId = alive[0]?.cut?.confId;
    if (confId === undefined || alive.some((member) => member.cut?.confId !== confId)) return false;
    const addresses = alive.map((member) => member.address);
    return alive.every(({ cut }) => cut !== undefined && !cut.degraded && listsJust(cut, addresses));
  }

  /** Whether `isSo` holds in time; it is asked now and after each change of a member. */
  #until(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (answer: boolean): void => {
        clearTimeout(timer);
        this.#changed = () => {};
        resolve(answer);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      this.#changed = () => {
        if (isSo()) end(true);
        // One that has ended by itself will never agree.
        else if (this.alive.some((member) => member.isGone)) end(false);
      };
      this.#changed();
    });
  }
}

async function within<T>(timeoutMs: number, awaited: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not all members were up after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}
