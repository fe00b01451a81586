/** The Rust side of the benchmark, where there is a toolchain to build it. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("tonic", import.meta.url));

export const tonicProgram: string = fileURLToPath(
  new URL("tonic/target/release/tonic-work", import.meta.url),
);

/** Whether it is built; says in one line why not. */
export function buildTonic(): boolean {
  const skip = (why: string): boolean => {
    process.stderr.write(`rpc: without tonic: ${why}\n`);
    return false;
  };
  if (spawnSync("cargo", ["--version"], { stdio: "ignore" }).status !== 0) {
    return skip("cargo is not installed (Rust, https://rustup.rs)");
  }
  const built = spawnSync("cargo", ["build", "--release", "--locked", "--quiet", "--target-dir", "target"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  return built.status === 0 || skip(`it does not build: ${built.stderr.trim().split("\n").at(-1)}`);
}
