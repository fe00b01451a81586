/**
 * The experiments of the Rapid paper (USENIX ATC'18) in virtual time, each beside the paper's figures. `--only NAME,…`
 * chooses among them; `--write` puts tables and pictures into docs/paper.md.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { agreement } from "./paper/agreement.ts";
import { bootstrap } from "./paper/bootstrap.ts";
import { cost } from "./paper/cost.ts";
import type { Experiment, Findings } from "./paper/experiment.ts";
import { crashes, flipFlop, loss } from "./paper/faults.ts";
import { table } from "./table.ts";

const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  bootstrap,
  crashes,
  "flip-flop": flipFlop,
  loss,
  cost,
  agreement,
};
const PAGE = new URL("../docs/paper.md", import.meta.url);
const PICTURES = new URL("../docs/paper/", import.meta.url);

export const paper: Benchmark = {
  summary: `the experiments of the Rapid paper in virtual time: ${Object.keys(EXPERIMENTS).join(", ")}`,
  parts: Object.keys(EXPERIMENTS),
  run,
};

async function run({ quick, runs, sizes, only, writes }: BenchmarkOptions): Promise<BenchmarkResult> {
  const data: Record<string, unknown> = {};
  let passed = true;
  for (const name of only ?? Object.keys(EXPERIMENTS)) {
    const { title, run: experiment } = EXPERIMENTS[name]!;
    const began = process.cpuUsage();
    const findings = experiment({ quick, runs, sizes });
    const { user, system } = process.cpuUsage(began);
    process.stderr.write(`${name}: ${((user + system) / 1e6).toFixed(1)} s of CPU\n`);
    console.log(`${title}\n${table(findings.head, findings.rows)}\n`);
    for (const fault of findings.faults) console.log(`FAULT: ${fault}`);
    passed &&= findings.faults.length === 0;
    data[name] = { head: findings.head, rows: findings.rows, faults: findings.faults };
    if (writes) await write(name, findings);
  }
  return { passed, data };
}

/** Replaces what the page has between the marks of this experiment. */
async function write(name: string, { head, rows, pictures }: Findings): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  for (const [file, svg] of Object.entries(pictures)) await writeFile(new URL(`${file}.svg`, PICTURES), svg);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const shown = Object.keys(pictures).map((file) => `\n![${file}](paper/${file}.svg)`);
  const block = [line(head), line(head.map(() => "---")), ...rows.map(line), ...shown].join("\n");
  const page = await readFile(PAGE, "utf8");
  const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
  if (!marks.test(page))
    throw new Error(`docs/paper.md: expected the marks <!-- ${name} --> and <!-- /${name} -->`);
  await writeFile(
    PAGE,
    page.replace(marks, (_, begin: string, end: string) => `${begin}\n${block}\n\n${end}`),
  );
}
