// Flags and their environment variables, read the same way for every command. What cannot be read is told in one
// line that names the flag (or the variable), the value, and what is expected.

import { parseArgs } from "node:util";

export interface FlagSpec {
  readonly name: string;
  /** What the value looks like; absent where the flag stands alone. */
  readonly value?: string;
  /** May stand alone all the same. */
  readonly isValueOptional?: true;
  /** May be given several times; comma-separated in the environment. */
  readonly isList?: true;
  readonly help: string;
  /** Announced, but not offered by this version. */
  readonly isLater?: true;
}

/** Something is wrong with what the command line says: exit status 2. */
export class UsageError extends Error {}

/** A value, and where it was found: "--listen", or "BLIP_LISTEN". */
export interface Given {
  readonly from: string;
  readonly text: string;
}

export class Flags {
  readonly #given: ReadonlyMap<string, readonly Given[]>;

  constructor(given: ReadonlyMap<string, readonly Given[]>) {
    this.#given = given;
  }

  all(name: string): readonly Given[] {
    return this.#given.get(name) ?? [];
  }

  one(name: string): Given | undefined {
    return this.all(name)[0];
  }

  has(name: string): boolean {
    return this.all(name).length > 0;
  }

  /** A whole number; how large it may be is for others to say. */
  number(name: string, expected: string): number | undefined {
    const given = this.one(name);
    if (given === undefined) return undefined;
    const value = Number(given.text);
    if (!/^\d+$/.test(given.text) || !Number.isSafeInteger(value)) throw wrong(given, expected);
    return value;
  }
}

export function wrong({ from, text }: Given, expected: string): UsageError {
  return new UsageError(`${from} ${text}: expected ${expected}`);
}

export function variableOf(flag: string): string {
  return `BLIP_${flag.replaceAll("-", "_").toUpperCase()}`;
}

/** @throws UsageError */
export function parseFlags(
  specs: readonly FlagSpec[],
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Flags {
  const given = new Map<string, Given[]>();
  for (const [spec, text] of flagsIn(specs, args)) {
    if (spec.isLater) throw new UsageError(`--${spec.name}: this version does not offer it yet`);
    const earlier = given.get(spec.name) ?? [];
    if (earlier.length > 0 && spec.value !== undefined && !spec.isList) {
      throw new UsageError(`--${spec.name} ${text}: expected only once`);
    }
    given.set(spec.name, [...earlier, { from: `--${spec.name}`, text }]);
  }
  for (const spec of specs) {
    if (given.has(spec.name)) continue;
    const found = fromEnvironment(spec, env[variableOf(spec.name)]);
    if (found.length > 0) given.set(spec.name, found);
  }
  return new Flags(given);
}

function* flagsIn(
  specs: readonly FlagSpec[],
  args: readonly string[],
): Generator<readonly [FlagSpec, string]> {
  const standsAlone = ({ name, value, isValueOptional }: FlagSpec): boolean => {
    if (value === undefined || !isValueOptional) return value === undefined;
    const next = args[args.indexOf(`--${name}`) + 1];
    return args.includes(`--${name}`) && (next === undefined || next.startsWith("-"));
  };
  const options = Object.fromEntries(
    specs.map((spec) => [spec.name, { type: standsAlone(spec) ? "boolean" : "string" } as const]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") throw new UsageError(`${token.value}: expected a flag`);
    if (token.kind === "option-terminator") continue;
    const spec = specs.find(({ name }) => token.rawName === `--${name}`);
    if (spec === undefined) throw new UsageError(`${token.rawName}: no such flag; --help lists them`);
    const { value } = token;
    if (spec.isLater) yield [spec, ""];
    else if (spec.isValueOptional && value === undefined) yield [spec, ""];
    else if (spec.value === undefined) {
      if (value !== undefined) throw new UsageError(`--${spec.name} ${value}: expected no value`);
      yield [spec, "true"];
    } else if (value === undefined || (!token.inlineValue && value.startsWith("-"))) {
      throw new UsageError(`--${spec.name}: expected a value, ${spec.value}`);
    } else yield [spec, value];
  }
}

function fromEnvironment(spec: FlagSpec, text: string | undefined): Given[] {
  const from = variableOf(spec.name);
  // An empty variable is how many tools say that there is none.
  if (text === undefined || text === "") return [];
  if (spec.isLater) throw new UsageError(`${from}: this version does not offer it yet`);
  if (spec.isList) return text.split(",").map((part) => ({ from, text: part.trim() }));
  if (spec.value !== undefined) return [{ from, text }];
  if (/^(1|true|yes|on)$/i.test(text)) return [{ from, text }];
  if (/^(0|false|no|off)$/i.test(text)) return [];
  throw wrong({ from, text }, "true or false");
}
