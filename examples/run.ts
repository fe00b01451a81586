/** `npm run examples [-- NAME…]`: runs each example as a process of its own; each has to end well and by itself. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const LINES_MAX = 60;
const PATIENCE_MS = 120_000;
const folder = fileURLToPath(new URL(".", import.meta.url));
const wanted = process.argv.slice(2);
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && !["run.ts", "definition.ts"].includes(file))
  .filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(name)))
  .sort();
if (names.length === 0) {
  console.error(`no example's name contains ${wanted.join(" or ")}`);
  process.exit(2);
}

let failed = 0;
for (const name of names) {
  const path = join(folder, name);
  const lines = readFileSync(path, "utf8").split("\n").length - 1;
  console.log(`== ${name}, ${lines} lines`);
  const { status, signal } = spawnSync(process.execPath, ["--import", "tsx", path], {
    stdio: "inherit",
    timeout: PATIENCE_MS,
  });
  if (status === 0 && lines <= LINES_MAX) continue;
  failed += 1;
  console.log(
    `FAILED: ${status === 0 ? `more than ${LINES_MAX} lines` : (signal ?? `exit status ${status}`)}`,
  );
}
console.log(`${names.length - failed} of ${names.length} examples ended well`);
process.exit(failed === 0 ? 0 : 1);
