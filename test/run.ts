// Runs every test file of the project with Node's own runner. Node 20 has no globs for --test, so the files are
// listed here; names given on the command line select those whose path contains one of them.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const wanted = process.argv.slice(2);
const files = ["src", "test", "interop"]
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)),
  )
  .filter((file) => file.endsWith(".test.ts"))
  .filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(name)))
  .sort();
if (files.length === 0) {
  console.error(`no test file's path contains ${wanted.join(" or ")}`);
  process.exit(2);
}
const { status } = spawnSync(
  process.execPath,
  [
    "--import",
    "tsx",
    "--import",
    "./test/property-seed.ts",
    "--test",
    "--test-reporter=spec",
    "--test-concurrency=2",
    ...files,
  ],
  { stdio: "inherit" },
);
process.exit(status ?? 1);
