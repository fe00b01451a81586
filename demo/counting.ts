/** The same computation in two ways: by calls to the members of a mesh, and in this process alone. */
import type { RoutedCalls } from "./routed-calls.ts";
import { readText, type TextFile } from "./text-files.ts";
import { countWords, WordStatistics } from "./word-statistics.ts";

const callsUnderWay = 32;

/** `ended` is told after each call how many have ended by now. */
export async function countByCalls(
  files: readonly TextFile[],
  calls: RoutedCalls,
  ended: (count: number) => void,
): Promise<WordStatistics> {
  const statistics = new WordStatistics();
  const waiting = files.values();
  let count = 0;
  const work = async (): Promise<void> => {
    for (const { path } of waiting) {
      const counted = await calls.countFile(path);
      if (counted !== undefined) statistics.add(counted.words, counted.times);
      count += 1;
      ended(count);
    }
  };
  await Promise.all(Array.from({ length: callsUnderWay }, work));
  return statistics;
}

export async function countAlone(files: readonly TextFile[]): Promise<WordStatistics> {
  const statistics = new WordStatistics();
  for (const { path } of files) {
    const occurrences = countWords(await readText(path));
    statistics.add([...occurrences.keys()], [...occurrences.values()]);
  }
  return statistics;
}
