/** Who asked for what, in order: recorded in files of others' making, or drawn here. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";

export interface Trace {
  readonly name: string;
  readonly keys: readonly string[];
  /** How many different ones there are. */
  readonly footprint: number;
}

/** No more of a trace is read: what a store does in millions of accesses it does in more as well. */
const ACCESSES_MAX = 2_000_000;
const UNPACKED_MAX = 1024 ** 3;

const unpackers: Readonly<Record<string, string>> = { ".xz": "xz", ".zst": "zstd" };

/** How keys are written in a file. */
const forms: Readonly<Record<string, (file: Buffer) => readonly string[]>> = {
  lines: (file) => linesOf(file).slice(0, ACCESSES_MAX),
  arc: (file) => linesOf(file).reduce(addBlocks, []),
  int32: (file) => numbers(file, 4, (at) => file.readUInt32BE(at)),
  int64: (file) => numbers(file, 8, (at) => file.readBigUInt64BE(at)),
};

/**
 * `[FORM:]PATH`. Forms: `lines`, a key on each; `arc`, "start count ignored request" on each, as in the traces of the
 * ARC paper; `int32` and `int64`, big-endian. Packed files are unpacked by gzip, xz or zstd.
 *
 * @throws Error that names the file; so does what it answers, which reads it.
 */
export function openTrace(spec: string): () => Trace {
  const [, form = spec.includes(".lis") ? "arc" : "lines", path = spec] = /^(\w+):(.+)$/.exec(spec) ?? [];
  const read = forms[form];
  if (read === undefined) {
    throw new Error(`--trace ${spec}: expected one of ${Object.keys(forms).join(", ")} before the colon`);
  }
  if (!existsSync(path)) throw new Error(`--trace ${spec}: there is no such file`);
  return () => {
    try {
      const keys = read(unpacked(path));
      if (keys.length === 0) throw new Error("there is no key in it");
      return traceOf(basename(path).split(".")[0]!, keys);
    } catch (error) {
      throw new Error(`--trace ${spec}: ${(error as Error).message}`);
    }
  };
}

function unpacked(path: string): Buffer {
  if (path.endsWith(".gz")) return gunzipSync(readFileSync(path));
  const ending = Object.keys(unpackers).find((one) => path.endsWith(one));
  if (ending === undefined) return readFileSync(path);
  const { status, stdout, stderr, error } = spawnSync(unpackers[ending]!, ["-dc", path], {
    maxBuffer: UNPACKED_MAX,
  });
  if (status !== 0) throw error ?? new Error(stderr.toString().trim());
  return stdout;
}

function linesOf(file: Buffer): readonly string[] {
  return file
    .toString("latin1")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "*");
}

function addBlocks(keys: string[], line: string): string[] {
  const [start, count] = line.split(" ").map(Number);
  for (let i = 0; i < count! && keys.length < ACCESSES_MAX; i++) keys.push(String(start! + i));
  return keys;
}

function numbers(file: Buffer, width: number, at: (offset: number) => number | bigint): readonly string[] {
  const length = Math.min(ACCESSES_MAX, Math.floor(file.length / width));
  return Array.from({ length }, (_, i) => String(at(i * width)));
}

function traceOf(name: string, keys: readonly string[]): Trace {
  return { name, keys, footprint: new Set(keys).size };
}

/** Three that anybody can repeat. */
export function drawnTraces(accesses: number): readonly Trace[] {
  const keys = Math.floor(accesses / 10);
  const next = numbersFrom(20_231_023);
  const favourite = zipf(keys, 0.9);
  let scanned = 0;
  return [
    traceOf(
      "Zipf 0.9",
      Array.from({ length: accesses }, () => favourite(next())),
    ),
    // In every ten thousand, one third is a scan of what nobody asks for again.
    traceOf(
      "Zipf 0.9 + scans",
      Array.from({ length: accesses }, (_, i) =>
        i % 10_000 < 3333 ? `scanned:${scanned++}` : favourite(next()),
      ),
    ),
    traceOf(
      "loop",
      Array.from({ length: accesses }, (_, i) => String(i % (keys / 10))),
    ),
  ];
}

/** Draws from keys of which the one of rank r is asked for in proportion to r ** -skew. */
function zipf(keys: number, skew: number): (random: number) => string {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let i = 0; i < keys; i++) {
    sum += (i + 1) ** -skew;
    sums[i] = sum;
  }
  return (random) => {
    let [low, high] = [0, keys - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle]! < random * sum) low = middle + 1;
      else high = middle;
    }
    return String(low);
  };
}

/** xorshift32 (Marsaglia, 2003): the same numbers everywhere. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
