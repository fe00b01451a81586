/** grpcurl, built from the Go module proxy when a test wants it and it is not there. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const MODULE = "github.com/fullstorydev/grpcurl/cmd/grpcurl@latest";
/** It is built once for each machine, and some machines are busy. */
const BUILD_MS = 15 * 60_000;

const run = promisify(execFile);

/** The path of the program, or why there is none. */
export async function grpcurl(): Promise<{ readonly path: string } | { readonly missing: string }> {
  if (await succeeds("grpcurl", "-version")) return { path: "grpcurl" };
  const folder = join(tmpdir(), `blip-grpcurl-${process.getuid?.() ?? 0}`);
  const path = join(folder, "grpcurl");
  if (existsSync(path)) return { path };
  if (!(await succeeds("go", "version"))) {
    return { missing: "neither grpcurl nor go (https://go.dev) is installed" };
  }
  try {
    await run("go", ["install", MODULE], { env: { ...process.env, GOBIN: folder }, timeout: BUILD_MS });
    return { path };
  } catch (error) {
    const { message } = error as Error;
    return { missing: `go install ${MODULE} did not work: ${message.trim().split("\n").at(-1)}` };
  }
}

async function succeeds(program: string, ...words: readonly string[]): Promise<boolean> {
  try {
    await run(program, words);
    return true;
  } catch {
    return false;
  }
}
