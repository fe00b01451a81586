// Picks what to do by the first word, and tells what is wrong with the others.

import { readFileSync } from "node:fs";
import { type FlagSpec, type Flags, parseFlags, UsageError } from "./flags.ts";
import { helpOf, overview } from "./help.ts";
import type { Surroundings } from "./surroundings.ts";

interface Command {
  readonly flags: readonly FlagSpec[];
  /** `args` are the words after its name. */
  run(args: readonly string[], around: Surroundings): Promise<number>;
}

/** Loaded when they are asked for: a member must not wait until a simulator is loaded, too. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  agent: async () => {
    const { AGENT_FLAGS, agent } = await import("./agent.ts");
    return withFlags(AGENT_FLAGS, agent);
  },
  members: async () => {
    const { INQUIRY_FLAGS, members } = await import("./inquiry.ts");
    return withFlags(INQUIRY_FLAGS, members);
  },
  watch: async () => {
    const { INQUIRY_FLAGS, watch } = await import("./inquiry.ts");
    return withFlags(INQUIRY_FLAGS, watch);
  },
  sim: async () => {
    const { SIM_FLAGS, sim } = await import("./sim.ts");
    return withFlags(SIM_FLAGS, sim);
  },
  "declare-dead": async () => {
    const { DECLARE_DEAD_FLAGS, declareDead } = await import("./orders.ts");
    return withFlags(DECLARE_DEAD_FLAGS, declareDead);
  },
  "force-new": async () => {
    const { FORCE_NEW_FLAGS, forceNew } = await import("./orders.ts");
    return withFlags(FORCE_NEW_FLAGS, forceNew);
  },
  cache: async () => {
    const { CACHE_FLAGS, cacheGet } = await import("./cache-get.ts");
    return { flags: CACHE_FLAGS, run: cacheGet };
  },
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
  else if (!Object.hasOwn(COMMANDS, name)) {
    throw new UsageError(`${name}: expected one of the commands ${Object.keys(COMMANDS).join(", ")}`);
  } else {
    const command = await COMMANDS[name]!();
    if (!rest.includes("--help") && !rest.includes("-h")) return command.run(rest, around);
    await around.line(helpOf(name, command.flags));
  }
  return 0;
}

function withFlags(
  flags: readonly FlagSpec[],
  run: (flags: Flags, around: Surroundings) => Promise<number>,
): Command {
  return { flags, run: (args, around) => run(parseFlags(flags, args, around.env), around) };
}

function versionOf(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return JSON.parse(manifest).version;
}
