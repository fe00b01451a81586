// `blip cache get KEY`: one value, asked for from outside of the mesh.

import { Cache, type CacheOptions, textCodec } from "../cache/index.ts";
import { getFromOutside } from "../cache/outside.ts";
import { Channels } from "../grpc/index.ts";
import type { Mesh } from "../index.ts";
import { type FlagSpec, type Flags, parseFlags, UsageError } from "./flags.ts";
import { AT_FLAGS, asking } from "./inquiry.ts";
import type { Surroundings } from "./surroundings.ts";

export const CACHE_FLAGS: readonly FlagSpec[] = [
  ...AT_FLAGS,
  { name: "name", value: "SERVICE", help: "the cache's full gRPC name (default blip.cache.Cache)" },
];

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

async function ask(key: string, flags: Flags, around: Surroundings): Promise<number> {
  const name = flags.one("name")?.text;
  return asking(flags, around, async (at, identity) => {
    const channels = new Channels({ identity });
    try {
      const options = { signal: around.stop, ...(name !== undefined && { name }) };
      const value = await getFromOutside(channels.to(at), Buffer.from(key, "utf8"), options);
      await around.line(textCodec.decode(value));
    } finally {
      channels.closeAll();
    }
  });
}

/** What `blip agent --cache` serves: a source for trying things out, whose values say who loaded them. */
export function demonstrationCache(
  options: Pick<CacheOptions<string>, "maxKeys" | "rustLayout">,
  member: () => Promise<Mesh>,
): Cache<string> {
  return new Cache({
    ...options,
    clients: "anyone",
    codec: textCodec,
    source: async (_, { text }) => `${text}@${(await member()).localAddress}`,
  });
}
