/**
 * What a call costs: the mesh's client beside a client of grpc-js alone, which calls the same member by the same
 * definition, grpc-js's own round_robin, node:http2 alone as the bound, Moleculer over TCP, and tonic for scale. All
 * processes are there from the beginning and are measured in turn, in another order each round.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { ratio, spread } from "./figures.ts";
import { cpuSeconds, load } from "./machine.ts";
import { buildTonic, tonicProgram } from "./rpc/tonic.ts";
import { table } from "./table.ts";

interface Phase {
  readonly inFlight: number;
  readonly forMs: number;
}

interface Measured {
  readonly calls: number;
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Sample extends Measured {
  readonly kind: string;
  readonly round: number;
  readonly inFlight: number;
  readonly serverCpuUs: number;
}

export const rpc: Benchmark = {
  summary: "CPU and latency per call, beside grpc-js, node:http2, Moleculer and tonic",
  run,
};

/** Each kind of client, and the kind of server that it calls. */
const servers: Readonly<Record<string, string>> = {
  blip: "blip",
  grpc: "blip",
  "grpc deadline": "blip",
  "grpc round_robin": "blip",
  http2: "http2",
  moleculer: "moleculer",
  tonic: "tonic",
};

const names: Readonly<Record<string, string>> = {
  blip: "client(mesh, …), its default deadline",
  grpc: "grpc-js alone",
  "grpc deadline": "grpc-js alone, with a deadline",
  "grpc round_robin": "grpc-js, round_robin",
  http2: "node:http2 alone",
  moleculer: "Moleculer, TCP",
  tonic: "tonic (Rust)",
};

const goal = 1.1;

async function run({ quick, runs }: BenchmarkOptions): Promise<BenchmarkResult> {
  const kinds = Object.keys(servers).filter((kind) => kind !== "tonic" || buildTonic());
  // Many short turns: what else the machine does then falls on all alike.
  const rounds = runs ?? (quick ? 1 : 20);
  const phases: readonly Phase[] = [1, 64].map((inFlight) => ({ inFlight, forMs: quick ? 300 : 500 }));
  const loadBefore = load();
  const samples: Sample[] = [];
  const processes: Program[] = [];
  try {
    const clients = await startAll(kinds, processes);
    for (const { client } of clients) await client.ask({ inFlight: 64, forMs: quick ? 500 : 4000 });
    for (let round = 1; round <= rounds; round++) {
      for (const { kind, client, server } of clients) {
        for (const phase of phases) samples.push({ round, kind, ...(await measure(client, server, phase)) });
      }
      process.stderr.write(`rpc: round ${round} of ${rounds}\n`);
      clients.push(clients.shift()!);
    }
  } finally {
    for (const program of processes) program.end();
  }
  console.log(report(kinds, samples, phases, loadBefore));
  return { passed: true, data: { samples } };
}

interface Pair {
  readonly kind: string;
  readonly client: Program;
  readonly server: Program;
}

async function startAll(kinds: readonly string[], processes: Program[]): Promise<Pair[]> {
  const started = new Map<string, { readonly server: Program; readonly port: unknown }>();
  const pairs: Pair[] = [];
  for (const kind of kinds) {
    const serverKind = servers[kind]!;
    let entry = started.get(serverKind);
    if (entry === undefined) {
      const server = new Program("server", serverKind, []);
      processes.push(server);
      entry = { server, port: ((await server.line()) as { readonly port: unknown }).port };
      started.set(serverKind, entry);
    }
    const client = new Program("client", kind, [JSON.stringify(entry.port)]);
    processes.push(client);
    await client.line();
    pairs.push({ kind, client, server: entry.server });
  }
  return pairs;
}

async function measure(
  client: Program,
  server: Program,
  phase: Phase,
): Promise<Omit<Sample, "kind" | "round">> {
  const before = cpuSeconds(server.pid) ?? 0;
  const measured = (await client.ask(phase)) as Measured;
  const serverCpuUs = ((cpuSeconds(server.pid) ?? 0) - before) * 1e6;
  return { inFlight: phase.inFlight, serverCpuUs, ...measured };
}

class Program {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(role: "server" | "client", kind: string, words: readonly string[]) {
    const own = fileURLToPath(new URL(`rpc/${role}.mjs`, import.meta.url));
    const [program, ...args] = kind === "tonic" ? [tonicProgram, role] : [process.execPath, own, kind];
    this.#child = spawn(program!, [...args, ...words], { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin!.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    running.add(this);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.#child.spawnargs.slice(1).join(" ")} ended`);
    return JSON.parse(value as string);
  }

  ask(phase: Phase): Promise<unknown> {
    this.#child.stdin!.write(`${JSON.stringify(phase)}\n`);
    return this.line();
  }

  end(): void {
    running.delete(this);
    this.#child.kill("SIGKILL");
  }
}

// No program may outlive the benchmark.
const running = new Set<Program>();
process.once("exit", () => {
  for (const program of running) program.end();
});

function report(
  kinds: readonly string[],
  samples: readonly Sample[],
  phases: readonly Phase[],
  loadBefore: number,
): string {
  const of = (kind: string, inFlight: number): readonly Sample[] =>
    samples.filter((sample) => sample.kind === kind && sample.inFlight === inFlight);
  const cpu = (kind: string, inFlight: number): number[] =>
    of(kind, inFlight).map(({ cpuUs, calls }) => cpuUs / calls);
  const total = (kind: string, inFlight: number): number[] =>
    of(kind, inFlight).map(({ cpuUs, serverCpuUs, calls }) => (cpuUs + serverCpuUs) / calls);
  // Rounds are compared with themselves: what disturbs the machine disturbs all of a round.
  const byRound = (kind: string, inFlight: number): number[] => {
    const base = cpu("grpc", inFlight);
    return cpu(kind, inFlight).map((us, round) => us / base[round]!);
  };
  const tables = phases.map(({ inFlight }) => {
    const rows = kinds.map((kind) => [
      names[kind]!,
      spread(cpu(kind, inFlight)),
      spread(byRound(kind, inFlight)),
      ratio(total(kind, inFlight), total("grpc", inFlight)),
      spread(of(kind, inFlight).map(({ p50Ms }) => p50Ms)),
      spread(of(kind, inFlight).map(({ p99Ms }) => p99Ms)),
      spread(of(kind, inFlight).map(({ calls, wallMs }) => (calls * 1000) / wallMs)),
    ]);
    const head = [
      `${inFlight} in flight`,
      "client µs/call",
      "× grpc-js, same round",
      "× with server",
      "p50 ms",
      "p99 ms",
      "calls/s",
    ];
    return table(head, rows);
  });
  const verdicts = phases.map(({ inFlight }) => `${spread(byRound("blip", inFlight))} with ${inFlight}`);
  return `${tables.join("\n\n")}
The mesh's client takes ${verdicts.join(" and ")} in flight times the CPU of grpc-js alone; the goal is ${goal} at most.
Medians (and ranges) of the rounds; load average before: ${loadBefore.toFixed(1)}.`;
}
