// Starts the process in which one mutant lives and is hunted.

import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Finding } from "./hunter.ts";
import { type Mutant, mutate } from "./mutant.ts";

/** Time for hunts to begin; one that has begun is let go on for half as long again. */
const PATIENCE_MS = 25_000;

/** What a mutant comes to that names what has moved away since. */
const NOT_THERE = /^broke: .* is not defined$/;

const CORE = new URL("../src/core/", import.meta.url);
const REGISTER = new URL("./register.mjs", import.meta.url).href;
const HUNTER = fileURLToPath(new URL("./hunter.ts", import.meta.url));

/** Text of the core with this bug in it. */
export function textOf(mutant: Mutant): string {
  return mutate(readFileSync(new URL(mutant.file, CORE), "utf8"), mutant);
}

/** Hunts one mutant in a process of its own. @throws Error where that ends without a finding. */
export function goAfter(mutant: Mutant, patienceMs: number = PATIENCE_MS): Promise<Finding> {
  const env = { ...process.env, BLIP_MUTANT: JSON.stringify({ file: mutant.file, text: textOf(mutant) }) };
  const execArgv = ["--import", REGISTER, "--import", "tsx"];
  const hunter = fork(HUNTER, [mutant.first, String(patienceMs)], { env, execArgv });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => hunter.kill("SIGKILL"), 1.5 * patienceMs);
    let finding: Finding | undefined;
    hunter.on("message", (message) => {
      finding = message as Finding;
    });
    hunter.on("error", reject);
    hunter.on("exit", (code, signal) => {
      clearTimeout(timer);
      const isBroken = finding?.what !== undefined && NOT_THERE.test(finding.what);
      if (isBroken) reject(new Error(`mutant ${mutant.name} is no bug but a mistake: ${finding!.what}`));
      else if (finding !== undefined) resolve(finding);
      else reject(new Error(`mutant ${mutant.name}: its process ended with ${code ?? signal}`));
    });
  });
}
