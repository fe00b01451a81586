// docs/cache.md names every option, with the default that the code has.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { type CacheOptions, checkOptions } from "./options.ts";

/** The rows of the table of options: name, then default. */
function documented(): Map<string, string> {
  const page = readFileSync(new URL("../../docs/cache.md", import.meta.url), "utf8");
  const [, options] = page.split("## Options\n");
  const rows = options!.split("\n## ")[0]!.matchAll(/^\| `(\w+)` \| (.*?) \|/gm);
  return new Map(Array.from(rows, ([, name, value]) => [name!, value!]));
}

describe("the table of options", () => {
  it("has all that there are, and no others", () => {
    let known = "";
    try {
      checkOptions({ unknown: 1 } as unknown as CacheOptions);
    } catch (error) {
      known = /one of ([\w, ]+)/.exec(String(error))![1]!;
    }
    assert.deepEqual([...documented().keys()].sort(), known.split(", ").sort());
  });

  it("has their defaults", () => {
    const checked = checkOptions({ maxKeys: 1, source: (key) => key });
    const said = [...documented()].filter(([name]) => name in checked && name !== "codec");
    assert.equal(said.length, 12);
    for (const [name, value] of said) {
      assert.equal(meant(value), checked[name as keyof typeof checked], name);
    }
  });
});

/** `"next"`, 10,000 or 64 KiB, as a value. */
function meant(text: string): string | number {
  const [, quoted] = /^`"(.*)"`$/.exec(text) ?? [];
  if (quoted !== undefined) return quoted;
  const [, number, unit = ""] = /^([\d,]+) ?(\w*)$/.exec(text)!;
  return Number(number!.replaceAll(",", "")) * { "": 1, KiB: 1024, MiB: 1024 ** 2 }[unit]!;
}
