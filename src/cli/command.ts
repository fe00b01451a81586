// Picks what to do by the first word, and tells what is wrong with the others.

import { readFileSync } from "node:fs";
import { agent } from "./agent.ts";
import { cacheGet } from "./cache-get.ts";
import { type Flags, parseFlags, UsageError } from "./flags.ts";
import { FLAGS, helpOf, overview } from "./help.ts";
import { members, watch } from "./inquiry.ts";
import { declareDead, forceNew } from "./orders.ts";
import { sim } from "./sim.ts";
import type { Surroundings } from "./surroundings.ts";

type Command = (flags: Flags, around: Surroundings) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  agent,
  members,
  watch,
  sim,
  "declare-dead": declareDead,
  "force-new": forceNew,
};

/**
 * Resolves with the exit status: 0 where it did what it was told, 1 where the world did not let it, 2 where the
 * command line says something wrong, which is then told in one line.
 */
export async function runCommand(args: readonly string[], around: Surroundings): Promise<number> {
  try {
    return await chosen(args, around);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    around.warn(`blip: ${error.message.replaceAll(/\s*\n\s*/g, " ")}`);
    return 2;
  }
}

async function chosen(args: readonly string[], around: Surroundings): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    around.warn(overview());
    return 2;
  }
  if (name === "--version" || name === "-V") await around.line(versionOf());
  else if (name === "--help" || name === "-h" || name === "help") await around.line(overview());
  else if (!Object.hasOwn(FLAGS, name)) {
    throw new UsageError(`${name}: expected one of the commands ${Object.keys(FLAGS).join(", ")}`);
  } else if (rest.includes("--help") || rest.includes("-h")) await around.line(helpOf(name));
  else if (name === "cache") return cacheGet(rest, around);
  else return COMMANDS[name]!(parseFlags(FLAGS[name]!, rest, around.env), around);
  return 0;
}

function versionOf(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return JSON.parse(manifest).version;
}
