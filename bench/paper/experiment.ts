/** What an experiment of the Rapid paper is here: it runs, and answers with a table and pictures. */

export interface ExperimentOptions {
  /** How many members; absent: as in the paper, or few where it is to be quick. */
  readonly sizes: readonly number[] | undefined;
  readonly runs: number | undefined;
  readonly quick: boolean;
}

export interface Findings {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** By the name of the file, without its ending. */
  readonly pictures: Readonly<Record<string, string>>;
  /** A broken rule, or something that has to come about and did not. */
  readonly faults: readonly string[];
}

export interface Experiment {
  readonly title: string;
  run(options: ExperimentOptions): Findings;
}
