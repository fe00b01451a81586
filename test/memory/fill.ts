/** Has a process of its own fill a cache, and answers what that took. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface Load {
  readonly maxBytes: number;
  /** So many different ones are asked for, once each. */
  readonly keys: number;
  /** Lengths of values, each as frequent as the others. */
  readonly valueBytes: readonly number[];
}

export interface Filled {
  readonly held: number;
  /** As `stats()` says. */
  readonly bytes: number;
  readonly evictions: number;
  /** Memory beyond that of the same process with a tiny cache: alive in the end, resident in the end and at most. */
  readonly usedBytes: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  readonly beforeRssBytes: number;
  readonly ms: number;
}

const filler = fileURLToPath(new URL("filler.mjs", import.meta.url));

export async function fill(load: Load): Promise<Filled> {
  const args = ["--expose-gc", filler, JSON.stringify(load)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}
