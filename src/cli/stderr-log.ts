// The log of a command: lines on stderr. What is said again and again, as that a seed does not answer, is printed
// now and then only, with how often it was said meanwhile.

import type { Logger } from "../index.ts";

const AGAIN_AFTER_MS = 10_000;
const REMEMBERED_MAX = 256;

export function logTo(print: (line: string) => void, now: () => number = Date.now): Logger {
  const said = new Map<string, { at: number; times: number }>();

  function say(level: string, text: string): void {
    const time = now();
    const before = said.get(text);
    if (before !== undefined && time - before.at < AGAIN_AFTER_MS) {
      before.times += 1;
      return;
    }
    if (said.size >= REMEMBERED_MAX) said.clear();
    said.set(text, { at: time, times: 0 });
    const meanwhile =
      before !== undefined && before.times > 0 ? ` (${before.times} times more meanwhile)` : "";
    print(`${new Date(time).toISOString()} ${level} ${text}${meanwhile}`);
  }

  return {
    debug: () => {},
    info: (_context, text) => say("info", text),
    warn: (_context, text) => say("warn", text),
    error: (_context, text) => say("error", text),
  };
}
