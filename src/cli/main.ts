#!/usr/bin/env node
// The command `blip` as a process.

import { runCommand } from "./command.ts";
import { surroundingsOf } from "./surroundings.ts";

/** Something may hold the process although all is done; nobody should have to wait for that. */
const LINGER_MS = 2000;

process.exitCode = await runCommand(process.argv.slice(2), surroundingsOf(process));
setTimeout(() => process.exit(), LINGER_MS).unref();
