/** Programs of others that tests call members with, built from the Go module proxy when a test wants one that is not there. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const MODULES = {
  grpcurl: "github.com/fullstorydev/grpcurl/cmd/grpcurl@latest",
  "grpc-health-probe": "github.com/grpc-ecosystem/grpc-health-probe@latest",
};
/** One is built once for each machine, and some machines are busy. */
const BUILD_MS = 15 * 60_000;

const run = promisify(execFile);

/** The path of the program, or why there is none. */
export async function goProgram(
  name: keyof typeof MODULES,
): Promise<{ readonly path: string } | { readonly missing: string }> {
  if (await succeeds(name, "-version")) return { path: name };
  const folder = join(tmpdir(), `blip-go-${process.getuid?.() ?? 0}`);
  const path = join(folder, name);
  if (existsSync(path)) return { path };
  if (!(await succeeds("go", "version"))) {
    return { missing: `neither ${name} nor go (https://go.dev) is installed` };
  }
  const module = MODULES[name];
  try {
    await run("go", ["install", module], { env: { ...process.env, GOBIN: folder }, timeout: BUILD_MS });
    return { path };
  } catch (error) {
    const { message } = error as Error;
    return { missing: `go install ${module} did not work: ${message.trim().split("\n").at(-1)}` };
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
