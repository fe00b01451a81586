/** The text files that `npm ci` leaves on disk: thousands of files that nobody had to write for this. */
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../node_modules", import.meta.url));

const extensions = new Set([".cjs", ".cts", ".js", ".json", ".md", ".mjs", ".mts", ".proto", ".ts", ".txt"]);

/** A few dozen bundles hold more than all the rest. */
const bytesMax = 128 * 1024;

export interface TextFile {
  /** Relative to the folder; the key by which the file has an owner. */
  readonly path: string;
  readonly bytes: number;
}

/** Sorted by path. */
export async function findTextFiles(): Promise<TextFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isFile() && extensions.has(extname(entry.name)))
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return { path: path.slice(folder.length + 1), bytes: (await stat(path)).size };
      }),
  );
  return found.filter(({ bytes }) => bytes <= bytesMax).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Of a path that somebody else may have come up with. */
export async function readText(path: string): Promise<string> {
  if (normalize(path).startsWith("..")) throw new Error(`${path} is outside of the folder`);
  return readFile(join(folder, path), "utf8");
}
