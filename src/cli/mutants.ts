// `blip sim --mutants`: hands over to the mutants of the source checkout, which the package does not carry.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Given, UsageError } from "./flags.ts";
import type { Surroundings } from "./surroundings.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = fileURLToPath(new URL("../../mutants/main.ts", import.meta.url));

/** Resolves with its exit status. */
export function goThroughMutants({ from, text }: Given, { stop }: Surroundings): Promise<number> {
  if (!existsSync(MAIN)) {
    throw new UsageError(`${from}: needs a checkout of the source, where npm run sim -- --mutants does it`);
  }
  const args = ["--import", "tsx", MAIN, ...(text === "" ? [] : [text])];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  const end = (): void => void child.kill();
  stop.addEventListener("abort", end, { once: true });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      stop.removeEventListener("abort", end);
      resolve(code ?? 1);
    });
  });
}
