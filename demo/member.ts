/**
 * One of the processes that serve WordCount: `member.ts SEED NAME ZONE`. It joins the mesh of the seed and
 * serves until its stdin ends, which it does at the latest when the process that started it does.
 */
import { createMesh, service } from "blip-mesh";
import { WordCount } from "./gen/word_count_pb.ts";
import { readText } from "./text-files.ts";
import { countWords } from "./word-statistics.ts";
import { totalsCache } from "./word-totals.ts";

process.stdin.once("close", () => process.exit(0)).resume();

const [seed, name, zone] = process.argv.slice(2);
if (seed === undefined || name === undefined || zone === undefined) {
  throw new Error("expected a seed, a name and a zone");
}

await createMesh({
  listen: "127.0.0.1:0",
  seeds: [seed],
  metadata: { name, zone },
  services: [
    service(WordCount, {
      async countFile({ path }) {
        const occurrences = countWords(await readText(path));
        return { words: [...occurrences.keys()], times: [...occurrences.values()] };
      },
    }),
    totalsCache(name),
  ],
});
