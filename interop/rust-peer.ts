/** Builds the Rust member from the published crate, with the toolchain that is at hand. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("peer", import.meta.url));

/** What has to be installed before the peer can be built; undefined where all is there. */
export function missingTool(): string | undefined {
  if (!runs("cargo")) return "cargo is not installed (Rust, https://rustup.rs)";
  if (!runs("protoc")) return "protoc is not installed (Debian: apt-get install protobuf-compiler)";
  return undefined;
}

/** Whether the peer is built; cargo itself tells why not. */
export function buildPeer(): boolean {
  const { status } = spawnSync("cargo", ["build", "--release", "--locked", "--target-dir", "target"], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
    // Without this the crate's build compiles a C++ protobuf of its own, which takes far longer than the crate.
    env: { ...process.env, PROTOC_NO_VENDOR: "1" },
  });
  return status === 0;
}

function runs(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}
