// What a command needs of the process that it runs in: lines out, a log, and to be told when to end.

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the command should come to an end: by a signal, or since nobody reads any more. */
  readonly stop: AbortSignal;
  /**
   * Prints a line and resolves when it is on its way. Waiting for that makes the next cut the newest one for a
   * reader that is slow, instead of a queue.
   */
  line(text: string): Promise<void>;
  warn(line: string): void;
  /** Calls `run` when the process is told to read its files again (SIGHUP); the answer ends that. */
  onReload(run: () => void): () => void;
}

/** npm, timeout and terminals signal a whole process group, and may so deliver one signal twice. */
const SAME_SIGNAL_MS = 100;

/** The first signal asks for a graceful end, the second ends the process at once. */
export function surroundingsOf(process: NodeJS.Process): Surroundings {
  const stop = new AbortController();
  let firstAt = 0;
  const onSignal = (): void => {
    if (firstAt === 0) firstAt = performance.now();
    else if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(0);
    stop.abort();
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  let isRead = true;
  process.stdout.on("error", () => {
    isRead = false;
    stop.abort();
  });
  // Nobody reads the log any more; that is no reason to end.
  process.stderr.on("error", () => {});
  return {
    env: process.env,
    stop: stop.signal,
    line: (text) =>
      new Promise((resolve) => {
        if (isRead) process.stdout.write(`${text}\n`, () => resolve());
        else resolve();
      }),
    warn: (line) => void process.stderr.write(`${line}\n`),
    onReload: (run) => {
      process.on("SIGHUP", run);
      return () => void process.off("SIGHUP", run);
    },
  };
}
