/**
 * `npm run bench [-- NAME…] [--quick] [--runs N] [--members N,…] [--minutes N] [--burners N] [--only PART,…] [--write]
 * [--trace FILE]… [--json FILE]`: runs the benchmarks that are named, or all of them; `--list` says which there are.
 * Exit status 1 where one of them did not pass, 2 on wrong flags.
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { acceptance } from "./acceptance.ts";
import type { Benchmark, BenchmarkOptions } from "./benchmark.ts";
import { cache } from "./cache.ts";
import { calls } from "./calls.ts";
import { herd } from "./herd.ts";
import { describeMachine, load } from "./machine.ts";
import { membership } from "./membership.ts";
import { memory } from "./memory.ts";
import { paper } from "./paper.ts";
import { rpc } from "./rpc.ts";
import { scale } from "./scale.ts";
import { soak } from "./soak.ts";
import { openTrace } from "./stores/traces.ts";
import { stores } from "./stores.ts";
import { viewChanges } from "./view-changes.ts";

const benchmarks: Readonly<Record<string, Benchmark>> = {
  membership,
  memory,
  acceptance,
  cache,
  calls,
  herd,
  rpc,
  soak,
  stores,
  "view-changes": viewChanges,
  scale,
  paper,
};

interface Wish {
  readonly names: readonly string[];
  readonly list: boolean;
  readonly json: string | undefined;
  readonly options: BenchmarkOptions;
}

function readFlags(): Wish {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      runs: { type: "string" },
      members: { type: "string" },
      minutes: { type: "string" },
      burners: { type: "string" },
      only: { type: "string" },
      write: { type: "boolean", default: false },
      trace: { type: "string", multiple: true, default: [] },
      json: { type: "string" },
    },
  });
  const known = Object.keys(benchmarks);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`${unknown}: expected one of the benchmarks ${known.join(", ")}`);
  const { list, quick, runs, members, minutes, burners, trace, only, write, json } = values;
  const names = positionals.length > 0 ? [...new Set(positionals)] : known;
  const count = (flag: string, text: string | undefined, least: number): number | undefined =>
    text === undefined ? undefined : wholeNumber(flag, text, least);
  return {
    names,
    list,
    json,
    options: {
      quick,
      runs: count("--runs", runs, 1),
      sizes: members?.split(",").map((size) => wholeNumber("--members", size, 3)),
      minutes: count("--minutes", minutes, 1),
      burners: count("--burners", burners, 1),
      only: only === undefined ? undefined : partsOf(names, only),
      writes: write,
      traces: trace.map(openTrace),
    },
  };
}

function partsOf(names: readonly string[], only: string): readonly string[] {
  const parts = only.split(",");
  for (const name of names) {
    const known = benchmarks[name]!.parts;
    if (known === undefined) throw new Error(`--only: ${name} has no parts`);
    const unknown = parts.find((part) => !known.includes(part));
    if (unknown !== undefined)
      throw new Error(`--only ${unknown}: expected parts of ${name}: ${known.join(", ")}`);
  }
  return parts;
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < least) {
    throw new Error(`${flag} ${text}: expected a whole number, ${least} or more`);
  }
  return number;
}

async function main({ names, list, json, options }: Wish): Promise<void> {
  if (list) {
    for (const [name, { summary }] of Object.entries(benchmarks))
      console.log(`${name.padEnd(12)} ${summary}`);
    return;
  }
  const machine = describeMachine();
  const { cpus, cpu, system, node } = machine;
  console.log(`${cpus} CPUs (${cpu}), ${system}, Node ${node}, load average ${load().toFixed(1)}\n`);
  const written: Record<string, unknown> = { time: new Date().toISOString(), machine };
  for (const name of names) {
    const { passed, data } = await benchmarks[name]!.run(options);
    written[name] = data;
    if (!passed) process.exitCode = 1;
  }
  if (json !== undefined) await writeFile(json, `${JSON.stringify(written, null, 2)}\n`);
}

let wish: Wish | undefined;
try {
  wish = readFlags();
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message.split("\n")[0]}\n`);
  process.exitCode = 2;
}
if (wish !== undefined) await main(wish);
