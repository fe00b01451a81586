// Lines to stdout. Each is waited for, so that a reader that is slow makes the next cut the newest one instead of
// a queue; and a reader that is gone ends the command quietly.

export interface Output {
  /** Resolves when the line is on its way. */
  line(text: string): Promise<void>;
  /** Aborted when nobody reads any more. */
  readonly closed: AbortSignal;
}

export function outputTo(stream: NodeJS.WritableStream): Output {
  const gone = new AbortController();
  stream.on("error", () => gone.abort());
  return {
    closed: gone.signal,
    line: (text) =>
      new Promise((resolve) => {
        if (gone.signal.aborted) resolve();
        else stream.write(`${text}\n`, () => resolve());
      }),
  };
}
