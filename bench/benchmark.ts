/** What bench/main.ts runs: the options that every benchmark is given, and what it answers. */
import type { Trace } from "./stores/traces.ts";

export interface BenchmarkOptions {
  /** Little of everything, to see that it works. */
  readonly quick: boolean;
  /** How often each thing is done; absent: as the benchmark thinks right. */
  readonly runs: number | undefined;
  /** Sizes of meshes; absent: as the benchmark thinks right. */
  readonly sizes: readonly number[] | undefined;
  /** How long what goes on for long goes on; absent: as the benchmark thinks right. */
  readonly minutes: number | undefined;
  /** Processes that take CPU time beside it; absent: as the benchmark thinks right. */
  readonly burners: number | undefined;
  /** Parts to run; absent: all. */
  readonly only: readonly string[] | undefined;
  /** Put what was found into the documentation, where the benchmark has a page there. */
  readonly writes: boolean;
  /** What was asked of a cache once, recorded; each is read when it is called. */
  readonly traces: readonly (() => Trace)[];
}

export interface BenchmarkResult {
  /** Whether everything went as it has to; figures alone never make this false. */
  readonly passed: boolean;
  /** What `--json` writes of it. */
  readonly data: object;
}

export interface Benchmark {
  readonly summary: string;
  /** What `--only` chooses among; absent where it is one whole. */
  readonly parts?: readonly string[];
  /** Prints its progress to stderr and its table to stdout. */
  run(options: BenchmarkOptions): Promise<BenchmarkResult>;
}
