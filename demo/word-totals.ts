/** The cache that all processes of the demo share: how many words a file has, counted once in the whole mesh. */
import { Cache, jsonCodec } from "blip-mesh/cache";
import { readText } from "./text-files.ts";
import { countWords } from "./word-statistics.ts";

export interface Total {
  readonly words: number;
  /** Who counted them. */
  readonly by: string;
  /** How many files it had counted by then: no other count is the same. */
  readonly turn: number;
}

export function totalsCache(by: string): Cache<Total> {
  let turn = 0;
  return new Cache({
    name: "demo.WordTotals",
    maxKeys: 20_000,
    // However long the demo takes, whoever joins takes over what others have counted.
    handoffMs: 3_600_000,
    codec: jsonCodec<Total>(),
    source: async (_, { text: path }) => {
      const occurrences = countWords(await readText(path));
      turn += 1;
      return { words: [...occurrences.values()].reduce((sum, times) => sum + times, 0), by, turn };
    },
  });
}

/** How many counts these come from, those that nobody was given included. */
export function loadsOf(totals: readonly Total[]): number {
  const last = new Map<string, number>();
  for (const { by, turn } of totals) last.set(by, Math.max(turn, last.get(by) ?? 0));
  return [...last.values()].reduce((sum, turns) => sum + turns, 0);
}
