/**
 * `npm run interop [-- --only TEXT] [-- --repeat N]`: builds the Rust peer and runs meshes of Node and Rust members.
 * `--only` keeps the cases whose name holds TEXT; `--repeat` runs each of them N times and ends with `k of N`.
 */
import { run, test } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildPeer, missingTool } from "./rust-peer.ts";

const { only, repeat } = readFlags();
const missing = missingTool();
if (missing !== undefined) {
  console.log(`skipped: ${missing}`);
  test("meshes of Node and Rust members", { skip: missing }, () => {});
} else if (buildPeer()) {
  runCases();
} else {
  console.error("the Rust peer could not be built, see above");
  process.exitCode = 1;
}

function runCases(): void {
  process.env.INTEROP_ONLY = only;
  process.env.INTEROP_REPEAT = String(repeat);

  // Ended from outside, the tests must end too, and with them their members.
  const ended = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ended.abort());

  const files = only === "" && repeat === 1 ? ["cut-history.test.ts", "cases/index.ts"] : ["cases/index.ts"];
  const events = run({
    files: files.map((file) => fileURLToPath(new URL(file, import.meta.url))),
    // Two meshes at once would starve each other, and a starved member looks dead.
    concurrency: 1,
    signal: ended.signal,
  });

  const tallies = new Map<string, { passed: number; faults: number }>();
  const count = (title: string, result: { passed: number; faults: number }): void => {
    const name = title.replace(/ \(\d+ of \d+\)$/, "");
    const { passed, faults } = tallies.get(name) ?? { passed: 0, faults: 0 };
    tallies.set(name, { passed: passed + result.passed, faults: faults + result.faults });
  };
  events.on("test:pass", ({ name, todo }) =>
    count(name, todo === undefined ? { passed: 1, faults: 0 } : { passed: 0, faults: 1 }),
  );
  events.on("test:fail", ({ name }) => {
    count(name, { passed: 0, faults: 0 });
    process.exitCode = 1;
  });

  const report = events.compose(new spec());
  report.pipe(process.stdout);
  report.once("end", () => {
    if (repeat === 1) return;
    for (const [name, { passed, faults }] of tallies) {
      const also = faults > 0 ? `, and ${faults} with a fault of the crate (named above)` : "";
      console.log(`${name}: ${passed} of ${repeat}${also}`);
    }
  });
}

function readFlags(): { only: string; repeat: number } {
  const { values } = parseArgs({
    options: { only: { type: "string", default: "" }, repeat: { type: "string", default: "1" } },
  });
  const repeat = Number(values.repeat);
  if (!Number.isInteger(repeat) || repeat < 1) {
    console.error(`--repeat ${values.repeat}: a whole number above 0 is expected`);
    process.exit(2);
  }
  return { only: values.only, repeat };
}
