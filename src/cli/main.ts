#!/usr/bin/env node
// The command `blip`: picks what to do by the first word. Exit status: 0 where it did that, 1 where the world did
// not let it, 2 where the command line says something wrong.

import { readFileSync } from "node:fs";
import { agent } from "./agent.ts";
import { type Flags, parseFlags, UsageError } from "./flags.ts";
import { FLAGS, helpOf, overview } from "./help.ts";
import { members, watch } from "./inquiry.ts";
import { type Output, outputTo } from "./output.ts";

type Command = (flags: Flags, out: Output, warn: (line: string) => void) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = { agent, members, watch };
const LATER: readonly string[] = ["cache", "sim"];

/** Something may hold the process although all is done; nobody should have to wait for that. */
const LINGER_MS = 2000;

async function run(args: readonly string[], out: Output, warn: (line: string) => void): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    warn(overview());
    return 2;
  }
  if (name === "--version" || name === "-V") await out.line(versionOf());
  else if (name === "--help" || name === "-h" || name === "help") await out.line(overview());
  else if (LATER.includes(name)) throw new UsageError(`${name}: this version does not offer it yet`);
  else if (!Object.hasOwn(COMMANDS, name)) {
    throw new UsageError(`${name}: expected one of the commands ${Object.keys(COMMANDS).join(", ")}`);
  } else if (rest.includes("--help") || rest.includes("-h")) await out.line(helpOf(name));
  else return COMMANDS[name]!(parseFlags(FLAGS[name]!, rest, process.env), out, warn);
  return 0;
}

function versionOf(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return JSON.parse(manifest).version;
}

function warn(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<void> {
  // Nobody reads the log any more; that is no reason to end.
  process.stderr.on("error", () => {});
  try {
    process.exitCode = await run(process.argv.slice(2), outputTo(process.stdout), warn);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    warn(`blip: ${error.message.replaceAll(/\s*\n\s*/g, " ")}`);
    process.exitCode = 2;
  }
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

await main();
