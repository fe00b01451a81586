// The map of the house, kept true: who may import whom, that the core is pure, and the few rules of style that a
// formatter does not know. The table of arrows below is the one that ARCHITECTURE.md describes.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";

/** Room → rooms whose files it may import. `name/index` allows that one file only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  host: ["core"],
  grpc: ["core"],
  sim: ["core", "grpc/codec", "grpc/peer-codec", "mesh"],
  mesh: ["core", "host", "grpc/index"],
  index: ["mesh"],
  "grpc-js": ["index", "core", "mesh"],
  // As any user's service, but for what the library has once: hashes, addresses, errors and the abort of many.
  cache: ["index", "core/hash", "core/endpoint", "host/abort-fan", "mesh/errors"],
  cli: ["index", "core", "grpc/index", "mesh", "cache/index", "cache/outside", "sim/index"],
};

/** Packages, and the files that may import them. */
const MAY_USE: readonly { readonly name: RegExp; readonly where: RegExp }[] = [
  {
    name: /^@grpc\/grpc-js$/,
    where:
      /^src\/(grpc\/|grpc-js\/|sim\/mesh\/|mesh\/(service|client|bridge)|cache\/(failures|guests|outside|serving|wire)|index)/,
  },
  { name: /^@bufbuild\/protobuf/, where: /^src\/(grpc\/|mesh\/(service|client|bridge)|cache\/wire|index)/ },
  { name: /^node:/, where: /^src\/(?!core\/)/ },
];

/** Within the core: a part may import files of lower floors only, so that parts do not know each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["endpoint", "bitset", "settings"],
  ["hash", "random", "uuid-set"],
  ["messages", "rings"],
  ["view", "refusals", "identity"],
  ["doorway", "certificates", "inquiry"],
  ["arrivals", "candidates", "company", "join-calls", "joiner-uuid"],
  [
    "alert-batch",
    "classic-paxos",
    "coordinator-timing",
    "conclusion",
    "crash-check",
    "configuration-check",
    "crossroads",
    "cut-detector",
    "departed",
    "edge-monitor",
    "fast-paxos",
    "former",
    "gatekeeper",
    "gossip-filter",
    "held-messages",
    "history",
    "joiner-ledger",
    "joining",
    "leaving",
    "origins",
    "outgoing",
    "repair",
    "drive",
  ],
  [
    "condition",
    "coordinator-choice",
    "dissemination",
    "laggards",
    "last-resort",
    "parting",
    "reinforcement",
    "turns",
    "way-back",
  ],
  ["entrance", "exit", "failure-detector", "healing", "round"],
  ["member"],
];

/** What a pure, synchronous machine has no use for. */
const IMPURE = [
  /\bDate\b/,
  /\bMath\.random\b/,
  /\bperformance\b/,
  /\bset(Timeout|Interval|Immediate)\b/,
  /\bqueueMicrotask\b/,
  /\bcrypto\b/,
  /\basync\b/,
  /\bawait\b/,
  /\bPromise\s*[.<(]/,
  /\bEventEmitter\b/,
  /\bconsole\b/,
  /\bprocess\b/,
];

const BANNED_NAMES = /(^|[-.])(utils?|helpers?|common|manager|misc|types)([-.]|$)/;
const LINES_MAX = 300;
/** Files that are longer than they should be. The list may only get shorter. */
const LONGER: Readonly<Record<string, number>> = { "src/core/member.ts": 374 };

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
  /** Without comments and strings, for searching words of the language. */
  readonly code: string;
}

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((file) => join("src", file))
  .filter((path) => path.endsWith(".ts") && !path.includes("/gen/"))
  .map(read);
const shipped = sources.filter(({ path }) => !path.endsWith(".test.ts"));

function read(path: string): Source {
  const text = readFileSync(path, "utf8");
  const imports = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\s(?:[^;]*?from\s+)?"([^"]+)"/g),
    ...text.matchAll(/\bimport\("([^"]+)"\)/g),
  ].map((match) => match[1]!);
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "").replace(/"(?:[^"\\\n]|\\.)*"|`[^`]*`/g, '""');
  return { path, text, imports, code };
}

/** The room of a file below src: its folder, or its own name where it lies in src itself. */
function roomOf(path: string): string {
  return relative("src", path).split("/").length === 1
    ? relative("src", path).replace(/\.ts$/, "")
    : relative("src", path).split("/")[0]!;
}

function targetsOf({ path, imports }: Source): readonly string[] {
  return imports.filter((name) => name.startsWith(".")).map((name) => join(dirname(path), name));
}

describe("architecture", () => {
  it("has arrows in one direction only", () => {
    const wrong = shipped.flatMap((source) =>
      targetsOf(source)
        .filter((target) => {
          const [from, to] = [roomOf(source.path), roomOf(target)];
          const inner = relative("src", target).replace(/\.ts$/, "");
          return from !== to && !MAY_IMPORT[from]?.some((room) => room === to || room === inner);
        })
        .map(
          (target) =>
            `${source.path} imports ${target}: see MAY_IMPORT for what ${roomOf(source.path)} may import`,
        ),
    );
    assert.deepEqual(wrong, []);
  });

  it("keeps packages in the rooms that are there for them", () => {
    const wrong = shipped.flatMap(({ path, imports }) =>
      imports
        .filter((name) => !name.startsWith("."))
        .filter((name) => !MAY_USE.some((rule) => rule.name.test(name) && rule.where.test(path)))
        .map((name) => `${path} imports ${name}: see MAY_USE`),
    );
    assert.deepEqual(wrong, []);
  });

  it("keeps the floors of the core: parts do not import each other", () => {
    const floorOf = (path: string): number =>
      FLOORS.findIndex((floor) => floor.includes(relative("src/core", path).replace(/\.ts$/, "")));
    const wrong = shipped
      .filter(({ path }) => roomOf(path) === "core")
      .flatMap((source) => {
        if (floorOf(source.path) < 0) return [`${source.path}: name its floor in FLOORS`];
        const isType = (target: string): boolean =>
          new RegExp(`import type [^;]*"\\./${relative("src/core", target)}"`).test(source.text);
        return targetsOf(source)
          .filter((target) => floorOf(target) >= floorOf(source.path) && !isType(target))
          .map((target) => `${source.path} imports ${target}, which is not on a lower floor`);
      });
    assert.deepEqual(wrong, []);
  });

  it("has a pure core: no clock, dice, timers, I/O or promises", () => {
    const wrong = shipped
      .filter(({ path }) => roomOf(path) === "core")
      .flatMap(({ path, code }) =>
        IMPURE.filter((word) => word.test(code)).map(
          (word) => `${path} uses ${word}: let the World bring it`,
        ),
      );
    assert.deepEqual(wrong, []);
  });

  it("names files for what they are", () => {
    const wrong = sources
      .map(({ path }) => path.split("/").at(-1)!)
      .filter((name) => BANNED_NAMES.test(name.replace(/\.ts$/, "")) || !/^[a-z0-9.-]+$/.test(name));
    assert.deepEqual(wrong, []);
  });

  it("opens every file with a charter and keeps it short", () => {
    const wrong = shipped.flatMap(({ path, text }) => {
      const lines = text.split("\n").length - 1;
      const faults: string[] = [];
      if (!/^(#!.*\n)?\/[/*]/.test(text)) faults.push(`${path}: say in a comment on top what lives here`);
      if (lines > (LONGER[path] ?? LINES_MAX)) faults.push(`${path}: ${lines} lines; split it by ideas`);
      return faults;
    });
    assert.deepEqual(wrong, []);
  });

  it("has no dead files and no notes for later", () => {
    const imported = new Set(sources.flatMap(targetsOf));
    const entries = /^src\/(index|(cache|grpc-js|sim)\/index|cli\/main)\.ts$/;
    const dead = shipped.map(({ path }) => path).filter((path) => !imported.has(path) && !entries.test(path));
    const notes = sources.filter(({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text)).map(({ path }) => path);
    assert.deepEqual({ dead, notes }, { dead: [], notes: [] });
  });
});
