/**
 * `npm run sim -- --mutants [NAME]`: puts one deliberate bug after the other into the core, and shows what catches it.
 * Exit status 1 where one survives, and 2 where there is none of that name.
 */
import { availableParallelism } from "node:os";
import type { Finding } from "./hunter.ts";
import { goAfter } from "./hunting.ts";
import { MUTANTS } from "./list.ts";
import type { Mutant } from "./mutant.ts";

function wanted(name: string | undefined): readonly Mutant[] {
  if (name === undefined) return MUTANTS;
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant !== undefined) return [mutant];
  throw new RangeError(`${name}: expected one of the mutants ${MUTANTS.map((one) => one.name).join(", ")}`);
}

function row({ name, breaks }: Mutant, { hunt, invariant, what, steps, hunts }: Finding): string {
  const caught =
    hunt === undefined
      ? `SURVIVED ${hunts} hunts`
      : `${hunt.padEnd(20)} ${invariant === 0 ? "outcome" : `invariant ${invariant}`}`;
  return `${name.padEnd(30)} ${caught.padEnd(34)} ${String(steps).padStart(9)} steps  ${breaks}${what === undefined ? "" : `\n${" ".repeat(31)}${what}`}`;
}

async function main(mutants: readonly Mutant[]): Promise<number> {
  const began = performance.now();
  const queue = [...mutants];
  let survivors = 0;
  const work = async (): Promise<void> => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const finding = await goAfter(mutant).catch((error: unknown) => error as Error);
      if (finding instanceof Error || finding.hunt === undefined) survivors += 1;
      console.log(finding instanceof Error ? finding.message : row(mutant, finding));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${mutants.length} mutants, ${survivors} survived, ${seconds} s`);
  return survivors === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(wanted(process.argv[2]));
} catch (error) {
  console.error(`mutants: ${error instanceof Error ? error.message : error}`);
  process.exitCode = error instanceof RangeError ? 2 : 1;
}
