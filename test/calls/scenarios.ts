/**
 * What callers see while members are restarted, killed and frozen: real processes that call each other, members that
 * serve and call, one that only calls, and a client of grpc-js alone that knows their addresses.
 */
import { freeAddresses } from "../member-process.ts";
import { CallerProcess, type CallsSeen, type FailedCall } from "./caller-process.ts";

export interface Seen {
  readonly made: number;
  readonly slow: number;
  readonly slowestMs: number;
  readonly failures: readonly FailedCall[];
}

export interface Load {
  readonly members: number;
  readonly callsPerSecond: number;
}

const handlerMs = 20;

/** What all of the calls at a site go by. */
interface Terms {
  readonly timeoutMs: number;
  readonly idempotent?: boolean;
}

/** Members that serve, and one that only calls. */
class Site {
  readonly #addresses: readonly string[];
  readonly servers: CallerProcess[] = [];
  readonly seen: CallsSeen[] = [];
  readonly #more: Terms;
  #outside: CallerProcess | undefined;
  #plain: CallerProcess | undefined;

  private constructor(addresses: readonly string[], more: Terms) {
    this.#addresses = addresses;
    this.#more = more;
  }

  static async open(size: number, more: Terms): Promise<Site> {
    const site = new Site(await freeAddresses(size + 1), more);
    try {
      for (let i = 0; i < size; i++) {
        site.servers.push(site.start(i, i === 0 ? [] : [site.#addresses[0]!]));
        // One founds, and the others may come together.
        if (i === 0) await site.servers[0]!.ready;
      }
      const own = { listen: site.#addresses[size]!, seeds: [site.#addresses[0]!] };
      site.#outside = new CallerProcess({ ...more, ...own });
      await Promise.all(site.callers.map((caller) => caller.ready));
      const isWhole = (members: readonly string[]): boolean => members.length === size + 1;
      await Promise.all(site.callers.map((caller) => caller.untilMembers(isWhole)));
      return site;
    } catch (error) {
      await site.kill();
      throw error;
    }
  }

  get outside(): CallerProcess {
    return this.#outside!;
  }

  get callers(): readonly CallerProcess[] {
    return [...this.servers, this.#outside!];
  }

  start(index: number, seeds: readonly string[]): CallerProcess {
    const listen = this.#addresses[index]!;
    return new CallerProcess({ ...this.#more, listen, seeds, serves: true, handlerMs });
  }

  /** A client that is no member, and knows where the servers are. */
  async startPlain(): Promise<CallerProcess> {
    const plain = this.#addresses.slice(0, this.servers.length);
    this.#plain = new CallerProcess({ ...this.#more, plain });
    await this.#plain.ready;
    return this.#plain;
  }

  /** Ends all that still run, after their calls have ended, and sums up. */
  async close(
    gone: readonly CallerProcess[] = [],
    fromMs = 0,
  ): Promise<Seen & { readonly slowBefore: number }> {
    const all = [this.#plain, ...this.callers].filter((caller) => caller !== undefined);
    const left = all.filter((caller) => !gone.includes(caller));
    for (const caller of left) caller.call(0);
    // Those that serve end last.
    for (const caller of left.reverse())
      if (caller.options.serves !== true) this.seen.push(await caller.end());
    this.seen.push(
      ...(await Promise.all(this.servers.filter((one) => left.includes(one)).map((one) => one.end()))),
    );
    const everySlow = this.seen.flatMap((seen) => seen.slow);
    const slow = everySlow.filter(({ startedMs }) => startedMs >= fromMs);
    const failures = this.seen.flatMap((seen) => seen.failures);
    return {
      made: this.seen.reduce((sum, { made }) => sum + made, 0),
      slow: slow.length + failures.filter(({ tookMs }) => tookMs > 500).length,
      slowestMs: Math.max(0, ...slow.map(({ tookMs }) => tookMs), ...failures.map(({ tookMs }) => tookMs)),
      failures,
      slowBefore: everySlow.length - slow.length,
    };
  }

  async kill(): Promise<void> {
    const all = [...this.servers, this.#outside, this.#plain];
    await Promise.all(all.map((caller) => caller?.kill()));
  }
}

/** One after the other is told to end, and started again at its address, while all others call. */
export async function rollingRestart({ members, callsPerSecond }: Load): Promise<Seen> {
  const site = await Site.open(members, { timeoutMs: 10_000 });
  try {
    // A third of the calls come from the members themselves, a sixth from outside of the mesh.
    const own = callsPerSecond / 3 / members;
    const plain = await site.startPlain();
    plain.call(callsPerSecond / 6);
    site.outside.call(callsPerSecond / 2);
    for (const server of site.servers) server.call(own);
    for (let i = 0; i < members; i++) {
      site.seen.push(await site.servers[i]!.leave());
      const seed = site.servers[(i + 1) % members]!.options.listen!;
      const again = site.start(i, [seed]);
      site.servers[i] = again;
      await again.ready;
      again.call(own);
      await site.outside.untilMembers((now) => now.includes(again.options.listen!));
    }
    return await site.close();
  } finally {
    await site.kill();
  }
}

export interface KillSeen extends Seen {
  /** Failures of calls that were not under way at the killed member when it was. */
  readonly unexplained: readonly FailedCall[];
}

/** One is killed at once, and the others call until they have agreed that it is gone. */
export async function killOne({ members, callsPerSecond }: Load, idempotent: boolean): Promise<KillSeen> {
  const site = await Site.open(members, { timeoutMs: 10_000, idempotent });
  try {
    site.outside.call(callsPerSecond / 2);
    for (const server of site.servers.slice(1)) server.call(callsPerSecond / 2 / (members - 1));
    await settled();
    const [victim] = site.servers;
    await victim!.kill();
    await site.outside.untilMembers((now) => !now.includes(victim!.options.listen!));
    const seen = await site.close([victim!]);
    // It never came back, so that what broke there was under way on a connection from before.
    const wasUnderWay = ({ address, code }: FailedCall): boolean =>
      address === victim!.options.listen && code === "BLIP_CALL_FAILED";
    return { ...seen, unexplained: seen.failures.filter((failure) => !wasUnderWay(failure)) };
  } finally {
    await site.kill();
  }
}

export interface FreezeSeen extends Seen {
  /** Calls that were slow already before anybody was frozen: what the machine does. They count for nothing else. */
  readonly slowBefore: number;
  /** From the moment at which it was frozen until the member that calls had come to a cut without it. */
  readonly cutAfterMs: number;
}

export interface Freeze {
  readonly idempotent: boolean;
  readonly timeoutMs: number;
  /** For so long, or until it is cut where that takes longer. Default: until it is cut and all calls have ended. */
  readonly frozenMs?: number;
}

/** One stands still for a while, and then goes on. */
export async function freezeOne({ members, callsPerSecond }: Load, freeze: Freeze): Promise<FreezeSeen> {
  const { frozenMs, ...more } = freeze;
  const site = await Site.open(members, more);
  try {
    site.outside.call(callsPerSecond);
    await settled();
    const victim = site.servers.at(-1)!;
    const frozenAtMs = Date.now();
    victim.signal("SIGSTOP");
    const [cutAtMs] = await Promise.all([
      site.outside.untilMembers((now) => !now.includes(victim.options.listen!)),
      delay(frozenMs ?? 0),
    ]);
    const cutAfterMs = cutAtMs - frozenAtMs;
    // Calls under way at that moment count: none lives longer than its limit.
    const fromMs = frozenAtMs - freeze.timeoutMs;
    if (frozenMs === undefined) return { ...(await site.close([victim], fromMs)), cutAfterMs };
    victim.signal("SIGCONT");
    return { ...(await site.close([], fromMs)), cutAfterMs };
  } finally {
    await site.kill();
  }
}

/** Lets the calls run for a moment, so that all connections are there when something happens. */
function settled(): Promise<void> {
  return delay(4000);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
