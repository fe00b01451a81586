/** The members of other kinds, where there are toolchains to build them. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The program on the published crate, or nothing, with a line that says why. */
export function buildCrateMember(): string | undefined {
  const args = ["build", "--release", "--locked", "--quiet", "--target-dir", "target"];
  // Without this the crate's build compiles a C++ protobuf of its own, which takes far longer than the crate.
  return build("the crate", pathOf("crate"), "cargo", args, { PROTOC_NO_VENDOR: "1" })
    ? pathOf("crate/target/release/cache-member")
    : undefined;
}

/** The program on golang/groupcache, or nothing, with a line that says why. */
export function buildGroupcacheMember(): string | undefined {
  mkdirSync(pathOf("groupcache/target"), { recursive: true });
  const program = pathOf("groupcache/target/cachemember");
  return build("groupcache", pathOf("groupcache"), "go", ["build", "-o", program, "."], {})
    ? program
    : undefined;
}

function build(
  what: string,
  cwd: string,
  tool: string,
  args: readonly string[],
  more: NodeJS.ProcessEnv,
): boolean {
  const skip = (why: string): boolean => {
    process.stderr.write(`cache: without ${what}: ${why}\n`);
    return false;
  };
  if (spawnSync(tool, [tool === "go" ? "version" : "--version"], { stdio: "ignore" }).status !== 0) {
    return skip(`${tool} is not installed`);
  }
  const stdio = ["ignore", "ignore", "pipe"] as const;
  const built = spawnSync(tool, args, {
    cwd,
    stdio: [...stdio],
    encoding: "utf8",
    env: { ...process.env, ...more },
  });
  return built.status === 0 || skip(`it does not build: ${built.stderr.trim().split("\n").at(-1)}`);
}
