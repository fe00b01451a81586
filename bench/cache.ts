/**
 * What a get costs: this library's cache beside that of the crate and groupcache, three processes each, all there from
 * the beginning and measured in turn. CPU is that of all three processes of a kind; keys of remote hits are asked for
 * once, so that no copy can answer, and their owners have them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { buildCrateMember, buildGroupcacheMember } from "./cache/peers.ts";
import { ratio, spread } from "./figures.ts";
import { load, secondsBetween, threadSeconds } from "./machine.ts";
import { table } from "./table.ts";

type Kind = "blip" | "crate" | "groupcache";

const names: Readonly<Record<Kind, string>> = {
  blip: "blip for Node",
  crate: "blip 0.3.0 (Rust)",
  groupcache: "groupcache (Go)",
};

interface What {
  readonly what: "local hit" | "hot hit" | "remote hit";
  readonly bytes: number;
  readonly inFlight: number;
}

interface Sample extends What {
  readonly kind: Kind;
  readonly round: number;
  readonly ops: number;
  readonly ms: number;
  readonly cpuUs: number;
}

interface Herd {
  readonly kind: Kind;
  readonly loads: number;
  readonly ms: number;
}

const SIZES = [100, 10 * 1024];
const WHATS: readonly What[] = SIZES.flatMap((bytes) => [
  { what: "local hit", bytes, inFlight: 1 } as const,
  { what: "hot hit", bytes, inFlight: 16 } as const,
  ...[1, 16, 64].map((inFlight) => ({ what: "remote hit", bytes, inFlight }) as const),
]);
const HERD = 1000;

export const cache: Benchmark = {
  summary: "gets of the cache, beside the crate's and groupcache: local, hot, remote, and a herd",
  run,
};

async function run({ quick, runs }: BenchmarkOptions): Promise<BenchmarkResult> {
  const rounds = runs ?? (quick ? 1 : 5);
  const groups: Group[] = [];
  const samples: Sample[] = [];
  const herds: Herd[] = [];
  const loadBefore = load();
  try {
    for (const [kind, program] of programs()) groups.push(await Group.start(kind, program));
    for (let round = 1; round <= rounds; round++) {
      for (const wish of WHATS) {
        for (const group of groups) samples.push({ ...wish, ...(await group.measure(wish, round, quick)) });
      }
      for (const group of groups) herds.push(await group.herd(round));
      process.stderr.write(`cache: round ${round} of ${rounds}\n`);
      groups.push(groups.shift()!);
    }
  } finally {
    for (const group of groups) group.end();
  }
  console.log(report(samples, herds, loadBefore));
  const isOne = herds.filter(({ kind }) => kind === "blip").every(({ loads }) => loads === 1);
  return { passed: isOne, data: { samples, herds } };
}

function programs(): Map<Kind, readonly string[]> {
  const member = fileURLToPath(new URL("cache/member.mjs", import.meta.url));
  const found = new Map<Kind, readonly string[]>([["blip", [process.execPath, member]]]);
  const crate = buildCrateMember();
  if (crate !== undefined) found.set("crate", [crate]);
  const groupcache = buildGroupcacheMember();
  if (groupcache !== undefined) found.set("groupcache", [groupcache]);
  return found;
}

/** Three processes of one kind that are one cache together. */
class Group {
  readonly kind: Kind;
  readonly #members: readonly Member[];
  #lastName = 0;

  private constructor(kind: Kind, members: readonly Member[]) {
    this.kind = kind;
    this.#members = members;
  }

  static async start(kind: Kind, program: readonly string[]): Promise<Group> {
    const addresses = await freeAddresses(3);
    const members: Member[] = [];
    for (const [i, address] of addresses.entries()) {
      const others = kind === "groupcache" ? addresses : i === 0 ? [] : [addresses[0]!];
      members.push(new Member([...program, address, ...others]));
      // A founder has to be there before the others ask it.
      await members[i]!.sees(1);
    }
    for (const member of members) await member.sees(3);
    return new Group(kind, members);
  }

  async measure(wish: What, round: number, quick: boolean): Promise<Omit<Sample, keyof What>> {
    const { what, bytes, inFlight } = wish;
    const few = this.#newKeys(bytes, what !== "remote hit" ? 1500 : quick ? 600 : 6000);
    const owners = await this.#owners(few);
    const by = (member: number): string[] => few.filter((_, i) => owners[i] === member);
    // Placement may be very uneven: who owns the most asks for what is local, and who owns the least, of those that have
    // not asked for these keys before, for the rest.
    const shares = [0, 1, 2].map((member) => by(member).length);
    const most = shares.indexOf(Math.max(...shares));
    const least = shares[1]! <= shares[2]! ? 1 : 2;
    const isLocal = what === "local hit";
    const asker = this.#members[isLocal ? most : least]!;
    const foreign = few.filter((_, i) => owners[i] !== least);
    const keys = isLocal ? by(most).slice(0, 200) : what === "hot hit" ? foreign.slice(0, 200) : foreign;
    let passes = 1;
    if (what !== "remote hit") {
      // Until they are where they are to be found, and the code is warm.
      await asker.ask({ keys, inFlight, passes: quick ? 20 : 100 });
      passes = Math.ceil((quick ? 20_000 : isLocal ? 400_000 : 200_000) / keys.length);
    }
    const before = this.#cpuSeconds();
    const { ops, ms } = (await asker.ask({ keys, inFlight, passes })) as { ops: number; ms: number };
    const cpuSeconds = secondsBetween(before, this.#cpuSeconds()) ?? 0;
    return { kind: this.kind, round, ops, ms, cpuUs: cpuSeconds * 1e6 };
  }

  async herd(round: number): Promise<Herd> {
    await this.#loaded();
    const key = `100:herd-${round}`;
    const callers = [334, 333, 333];
    const answers = await Promise.all(
      this.#members.map((member, i) =>
        member.ask({ keys: Array(callers[i]).fill(key), inFlight: callers[i]!, passes: 1 }),
      ),
    );
    const loads = (await this.#loaded()).flat().filter((one) => one === key).length;
    return { kind: this.kind, loads, ms: Math.max(...(answers as { ms: number }[]).map(({ ms }) => ms)) };
  }

  end(): void {
    for (const member of this.#members) member.end();
  }

  #newKeys(bytes: number, count: number): string[] {
    const from = this.#lastName;
    this.#lastName += count;
    return Array.from({ length: count }, (_, i) => `${bytes}:key-${from + i}`);
  }

  /** Which member owns each key, as it turns out when somebody asks for it; afterwards its owner has it. */
  async #owners(keys: readonly string[]): Promise<number[]> {
    await this.#loaded();
    // Whoever asks keeps copies of some, so its remote hits are not measured.
    await this.#members[0]!.ask({ keys, inFlight: 64, passes: 1 });
    const owner = new Map<string, number>();
    for (const [member, loaded] of (await this.#loaded()).entries()) {
      for (const key of loaded) owner.set(key, member);
    }
    return keys.map((key) => owner.get(key) ?? -1);
  }

  #loaded(): Promise<string[][]> {
    return Promise.all(
      this.#members.map(async (member) => ((await member.ask({})) as { loaded: string[] }).loaded),
    );
  }

  /** Of each member, of each of its threads. */
  #cpuSeconds(): (ReadonlyMap<string, number> | undefined)[] {
    return this.#members.map(({ pid }) => threadSeconds(pid));
  }
}

class Member {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #seen = 0;

  constructor([program, ...args]: readonly string[]) {
    this.#child = spawn(program!, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin!.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    running.add(this);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until it is one of so many. */
  async sees(count: number): Promise<void> {
    while (this.#seen < count) this.#seen = ((await this.#line()) as { members: number }).members;
  }

  async ask(order: { keys?: readonly string[]; inFlight?: number; passes?: number }): Promise<object> {
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`);
    for (;;) {
      const answer = await this.#line();
      if (!("members" in answer)) return answer;
    }
  }

  end(): void {
    running.delete(this);
    this.#child.kill("SIGKILL");
  }

  async #line(): Promise<object> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.#child.spawnargs.join(" ")} ended`);
    return JSON.parse(value as string);
  }
}

async function freeAddresses(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) await once(server.listen(0, "127.0.0.1"), "listening");
  const addresses = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return addresses;
}

// No program may outlive the benchmark.
const running = new Set<Member>();
process.once("exit", () => {
  for (const member of running) member.end();
});

function report(samples: readonly Sample[], herds: readonly Herd[], loadBefore: number): string {
  const of = (kind: Kind, wish: What): readonly Sample[] =>
    samples.filter(
      (sample) =>
        sample.kind === kind &&
        sample.what === wish.what &&
        sample.bytes === wish.bytes &&
        sample.inFlight === wish.inFlight,
    );
  const perSecond = (kind: Kind, wish: What): number[] =>
    of(kind, wish).map(({ ops, ms }) => (1000 * ops) / ms);
  const perCpuSecond = (kind: Kind, wish: What): number[] =>
    of(kind, wish).map(({ ops, cpuUs }) => (1e6 * ops) / cpuUs);
  const kinds = (Object.keys(names) as Kind[]).filter((kind) => samples.some((one) => one.kind === kind));
  const rows = WHATS.flatMap((wish) =>
    kinds.map((kind) => [
      kind === kinds[0] ? `${wish.what}, ${wish.bytes} B, ${wish.inFlight} in flight` : "",
      names[kind],
      spread(perSecond(kind, wish)),
      kind === "blip" ? "" : ratio(perSecond("blip", wish), perSecond(kind, wish)),
      spread(perCpuSecond(kind, wish)),
      kind === "blip" ? "" : ratio(perCpuSecond("blip", wish), perCpuSecond(kind, wish)),
    ]),
  );
  const herdLine = kinds.map((kind) => {
    const own = herds.filter((herd) => herd.kind === kind);
    return `${names[kind]} ${own.map(({ loads }) => loads).join(", ")} (${spread(own.map(({ ms }) => ms))} ms)`;
  });
  return `${table(["get", "by", "gets/s", "blip ÷ it", "gets/CPU s", "blip ÷ it"], rows)}

Loads for a herd of ${HERD} callers on three members, a cold key that takes 200 ms to load: ${herdLine.join("; ")}.
Medians (and ranges) of the rounds; CPU of all three processes; load average before: ${loadBefore.toFixed(1)}.`;
}
