/**
 * A thousand callers on three processes ask for one key that nobody has: in a calm mesh, while a fourth member joins,
 * and while one is killed.
 */
import { freeAddresses } from "../member-process.ts";
import { Conditions, type Got, HerdProcess } from "./herd-process.ts";

export type HerdEvent = "calm" | "join" | "kill";

/** What came of one herd. */
export interface HerdSeen {
  /** How often the source was asked, in all processes. */
  readonly loads: number;
  readonly callers: number;
  readonly failures: readonly string[];
  readonly slowestMs: number;
  /** Whether the view changed while callers waited. */
  readonly inTheMiddle: boolean;
  /** Whether the one that was killed was loading. */
  readonly hitsLoader: boolean;
}

export const TIMEOUT_MS = 10_000;
const CALLERS = 1000;
/** Who comes once the view has changed: so many at each member. */
const LATE_CALLERS = 50;
const SIZE = 3;
/** Long enough for a view change to fall into it. */
const LOAD_MS = 1000;

export class Herds {
  readonly #conditions = new Conditions();
  #members: HerdProcess[] = [];
  /** Started, and told to join when it is wanted. */
  #next: HerdProcess | undefined;
  #runs = 0;

  static async open(): Promise<Herds> {
    const herds = new Herds();
    try {
      while (herds.#members.length < SIZE) await herds.#add();
      return herds;
    } catch (error) {
      await herds.close();
      throw error;
    }
  }

  async run(event: HerdEvent): Promise<HerdSeen> {
    this.#runs += 1;
    const key = `${this.#runs}-cold`;
    const callers = [...this.#members];
    const all = [...this.#members];
    if (event === "join") all.push(this.#standBy());
    for (const [i, member] of callers.entries()) {
      const share = Math.floor(CALLERS / SIZE) + (i < CALLERS % SIZE ? 1 : 0);
      member.get({ key, callers: share, timeoutMs: TIMEOUT_MS });
    }
    await this.#until("somebody loads", () => callers.some(({ loads }) => loads.includes(key)));

    let hitsLoader = false;
    let alive: readonly HerdProcess[] = callers;
    if (event === "kill") {
      const loader = callers.find(({ loads }) => loads.includes(key))!;
      // Every other time it is the one that loads.
      const victim = this.#runs % 2 === 0 ? loader : callers.find((member) => member !== loader)!;
      hitsLoader = victim === loader;
      this.#members = callers.filter((member) => member !== victim);
      alive = this.#members;
      await victim.kill();
    }
    if (event === "join") alive = await this.#join();
    const isAnswered = (member: HerdProcess, times: number): boolean =>
      member.got.filter((got) => got.key === key).length >= times;
    const isOver = (): boolean => callers.every((member) => !alive.includes(member) || isAnswered(member, 1));
    let inTheMiddle = false;
    if (event !== "calm") {
      await this.#agree();
      inTheMiddle = !isOver();
      for (const member of alive) member.get({ key, callers: LATE_CALLERS, timeoutMs: TIMEOUT_MS });
    }
    await this.#until("all callers have their answers", () =>
      alive.every((member) => isAnswered(member, event === "calm" ? 1 : callers.includes(member) ? 2 : 1)),
    );
    const seen = summary(all, alive, key);
    await this.#restore();
    return { ...seen, inTheMiddle, hitsLoader };
  }

  async close(): Promise<void> {
    const all = [...this.#members, ...(this.#next === undefined ? [] : [this.#next])];
    await Promise.all(all.map((member) => member.kill()));
  }

  #standBy(): HerdProcess {
    if (this.#next === undefined) throw new Error("nobody stands by");
    return this.#next;
  }

  async #prepare(): Promise<void> {
    const [address] = await freeAddresses(1);
    this.#next = new HerdProcess(address!, LOAD_MS, this.#conditions.changed);
  }

  /** The one that stands by is told to join; answers who is there then. */
  async #join(): Promise<readonly HerdProcess[]> {
    const joiner = this.#standBy();
    joiner.join(this.#members.map(({ address }) => address));
    this.#members = [...this.#members, joiner];
    await this.#prepare();
    return this.#members;
  }

  async #add(): Promise<void> {
    if (this.#next === undefined) await this.#prepare();
    await this.#join();
    await this.#agree();
  }

  /** Three again: one goes, or another comes. */
  async #restore(): Promise<void> {
    if (this.#members.length > SIZE) {
      const gone = this.#members.shift()!;
      await gone.kill();
      await this.#agree();
    }
    while (this.#members.length < SIZE) await this.#add();
  }

  #agree(): Promise<void> {
    const addresses = this.#members.map(({ address }) => address).sort();
    return this.#until(`${addresses.length} see each other`, () =>
      this.#members.every(({ members }) => [...members].sort().join() === addresses.join()),
    );
  }

  #until(what: string, isSo: () => boolean): Promise<void> {
    return this.#conditions.until(what, isSo, () => this.#members.join("\n"));
  }
}

function summary(
  all: readonly HerdProcess[],
  alive: readonly HerdProcess[],
  key: string,
): Omit<HerdSeen, "inTheMiddle" | "hitsLoader"> {
  const count = (keys: readonly string[]): number => keys.filter((one) => one === key).length;
  const got: Got[] = alive.flatMap((member) => member.got.filter((one) => one.key === key));
  return {
    loads: all.reduce((sum, { loads }) => sum + count(loads), 0),
    callers: got.reduce((sum, { callers }) => sum + callers, 0),
    failures: got.flatMap(({ failures }) => failures),
    slowestMs: Math.max(...got.map(({ slowestMs }) => slowestMs)),
  };
}
