// `blip cache get KEY`: one value, asked for from outside of the mesh.

import { Cache, textCodec } from "../cache/index.ts";
import { getFromOutside } from "../cache/outside.ts";
import type { Mesh } from "../index.ts";
import { parseHostPort } from "../mesh/address.ts";
import { type FlagSpec, type Flags, parseFlags, UsageError, wrong } from "./flags.ts";
import type { Surroundings } from "./surroundings.ts";

export const CACHE_FLAGS: readonly FlagSpec[] = [
  { name: "at", value: "HOST:PORT", help: "the member to ask (default 127.0.0.1:7946)" },
  { name: "name", value: "SERVICE", help: "the cache's full gRPC name (default blip.cache.Cache)" },
];

const DEFAULT_AT = "127.0.0.1:7946";

/** `blip cache get KEY [flags]`, its words after "cache". */
export async function cacheGet(args: readonly string[], around: Surroundings): Promise<number> {
  const [verb, key, ...rest] = args;
  if (verb !== "get") throw new UsageError(`cache ${verb ?? ""}: expected cache get KEY`);
  if (key === undefined || key.startsWith("--")) {
    throw new UsageError(
      `cache get: expected a key before the flags${key === undefined ? "" : `, got ${key}`}`,
    );
  }
  return ask(key, parseFlags(CACHE_FLAGS, rest, around.env), around);
}

async function ask(key: string, flags: Flags, { stop, line, warn }: Surroundings): Promise<number> {
  const given = flags.one("at") ?? { from: "--at", text: DEFAULT_AT };
  const at = parseHostPort(given.text);
  if (at === undefined || at.port === 0) throw wrong(given, "HOST:PORT of a member");
  const name = flags.one("name")?.text;
  try {
    const options = { signal: stop, ...(name !== undefined && { name }) };
    const value = await getFromOutside(given.text, Buffer.from(key, "utf8"), options);
    await line(textCodec.decode(value));
    return 0;
  } catch (error) {
    if (stop.aborted) return 0;
    const why = error instanceof Error && "details" in error ? error.details : error;
    warn(`blip: ${given.text}: ${why}`);
    return 1;
  }
}

/** What `blip agent --cache` serves: a source for trying things out, whose values say who loaded them. */
export function demonstrationCache(maxKeys: number, member: () => Promise<Mesh>): Cache<string> {
  return new Cache({
    maxKeys,
    clients: "anyone",
    codec: textCodec,
    source: async (_, { text }) => `${text}@${(await member()).localAddress}`,
  });
}
