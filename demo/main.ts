/**
 * `npm run demo [-- --keep]`: five processes form a mesh and count the words of thousands of files for a
 * driver, which is a member itself. One of them is killed and a sixth one joins while calls are under way. Before and
 * after that the driver asks the cache that all of them share how many words each file has.
 * Exit status 1 unless the result equals what one process alone counts, no call was lost, and the cache counted no file
 * twice but those that only the killed one held. `--keep` leaves the mesh up until Ctrl-C.
 */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { createMesh, type Mesh } from "blip-mesh";
import type { Cache } from "blip-mesh/cache";
import { countAlone, countByCalls } from "./counting.ts";
import { CutWatch, nameOf } from "./cut-watch.ts";
import { countMoved, sharesOf } from "./ownership.ts";
import { Processes } from "./processes.ts";
import { RoutedCalls } from "./routed-calls.ts";
import { count, Story } from "./story.ts";
import { findTextFiles, type TextFile } from "./text-files.ts";
import type { WordStatistics } from "./word-statistics.ts";
import { loadsOf, type Total, totalsCache } from "./word-totals.ts";

const firstFive = { alpha: "eu-1", bravo: "eu-1", charlie: "eu-2", delta: "us-1", echo: "us-1" };
const sixth = { name: "foxtrot", zone: "eu-2" };

/**
 * For each change that is awaited. A member that was killed is found after three probes, two seconds apart.
 */
const timeoutMs = 30_000;

/** All that the run is about; each step below takes what it needs of it. */
interface Stage {
  readonly story: Story;
  readonly files: readonly TextFile[];
  readonly mesh: Mesh;
  readonly watch: CutWatch;
  readonly processes: Processes;
  readonly calls: RoutedCalls;
  readonly totals: Cache<Total>;
}

async function main(keep: boolean): Promise<boolean> {
  const story = new Story();
  const files = await findTextFiles();
  const megabytes = (files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1);
  story.title(
    `Members of a mesh count the words of ${count(files.length)} text files in node_modules, ${megabytes} MB`,
  );

  const totals = totalsCache("driver");
  const mesh = await createMesh({ listen: "127.0.0.1:0", metadata: { name: "driver" }, services: [totals] });
  const processes = new Processes(mesh.localAddress);
  const [watch, calls] = [new CutWatch(story), new RoutedCalls(mesh)];
  const stage = { story, files, mesh, processes, watch, calls, totals };
  try {
    return await Promise.race([play(stage, keep), processes.died]);
  } finally {
    await processes.end();
    await mesh.close();
  }
}

async function play(stage: Stage, keep: boolean): Promise<boolean> {
  await startFive(stage);
  const before = await fillCache(stage);
  const counted = await countThroughout(stage);
  const cached = { before, after: await readCache(stage, before) };
  const isWell = await check(stage, counted, cached);
  if (keep) await stayUp(stage);
  return isWell;
}

async function startFive({ story, watch, mesh, processes, calls, files }: Stage): Promise<void> {
  story.tell("start", "a driver, and five processes that join it");
  void watch.follow(mesh);
  for (const [name, zone] of Object.entries(firstFive)) processes.start(name, zone);
  await mesh.waitFor(() => calls.servers.length === Object.keys(firstFive).length, { timeoutMs });
  const shares = sharesOf(pathsOf(files), calls.servers);
  const texts = calls.servers
    .map((member) => `${nameOf(member)} ${count(shares.get(member.address)!)}`)
    .sort();
  story.tell("owners", `of the files, by their paths: ${texts.join(", ")}`);
}

/** Each file is counted by the member that owns its path in the cache. */
async function fillCache({ story, files, totals }: Stage): Promise<Total[]> {
  const found = await totals.getMany(pathsOf(files), { timeoutMs });
  const shares = new Map<string, number>();
  for (const { by } of found) shares.set(by, (shares.get(by) ?? 0) + 1);
  const texts = [...shares].map(([name, share]) => `${name} ${count(share)}`).sort();
  story.tell("cache", `${count(found.length)} loads of how many words a file has, by ${texts.join(", ")}`);
  return found;
}

/** The same again, of who is there now. */
async function readCache({ story, files, totals }: Stage, before: readonly Total[]): Promise<Total[]> {
  const found = await totals.getMany(pathsOf(files), { timeoutMs });
  const loads = found.filter((total, i) => !isSame(total, before[i]!)).length;
  const hits = found.length - loads;
  const percent = ((100 * hits) / found.length).toFixed(1);
  story.tell("cache", `asked again: ${count(hits)} hits (${percent} %), ${count(loads)} loads`);
  return found;
}

/** One and the same count, and not another one with the same result. */
function isSame(a: Total, b: Total): boolean {
  return a.by === b.by && a.turn === b.turn;
}

/** What was counted in each pass over all files, and who was killed meanwhile. */
interface Counted {
  readonly passes: readonly WordStatistics[];
  readonly victim: string;
}

/** Counts all files again and again until everything has happened, and once more after that. */
async function countThroughout(stage: Stage): Promise<Counted> {
  const { story, calls, files } = stage;
  let beginTrouble = (): void => {};
  const untilTrouble = new Promise<void>((resolve) => {
    beginTrouble = resolve;
  });
  let isOver = false;
  const trouble = untilTrouble
    .then(() => killAndReplace(stage))
    .finally(() => {
      isOver = true;
    });
  // Should it fail, that is thrown below, once the pass under way has ended.
  trouble.catch(() => {});

  const passes: WordStatistics[] = [];
  for (let isLast = false; !isLast; ) {
    isLast = isOver;
    const before = calls.tally;
    const pass = await countByCalls(files, calls, (done) => {
      if (done > files.length / 4) beginTrouble();
      if (done % 100 === 0) {
        story.progress(`pass ${passes.length + 1}`, `${count(done)} of ${count(files.length)} files`);
      }
    });
    passes.push(pass);
    const { made, retried } = calls.tally;
    const again =
      retried > before.retried ? `, ${count(retried - before.retried)} again at the next owner` : "";
    story.tell(
      `pass ${passes.length}`,
      `${count(pass.words)} words, by ${count(made - before.made)} calls${again}`,
    );
  }
  return { passes, victim: await trouble };
}

/** Answers the name of the one that was killed: the one with most calls under way. */
async function killAndReplace({ story, watch, mesh, processes, calls, files }: Stage): Promise<string> {
  const paths = pathsOf(files);
  const five = calls.servers;
  const victim = five.reduce((busiest, member) =>
    calls.underWay(member) > calls.underWay(busiest) ? member : busiest,
  );
  watch.expect(nameOf(victim), "the kill");
  processes.kill(nameOf(victim));
  story.tell("SIGKILL", `${nameOf(victim)}, with ${calls.underWay(victim)} calls under way`);
  await mesh.waitFor((cut) => cut.lookup(victim.address) === undefined, { timeoutMs });
  const four = calls.servers;
  const orphaned = countMoved(paths, five, four);
  story.more(`its ${count(orphaned)} files go to their next owners, ${count(files.length - orphaned)} stay`);

  watch.expect(sixth.name, "its start");
  processes.start(sixth.name, sixth.zone);
  story.tell("start", sixth.name);
  await mesh.waitFor(() => calls.servers.length > four.length, { timeoutMs });
  const taken = countMoved(paths, four, calls.servers);
  story.more(`it takes over ${count(taken)} files, ${count(files.length - taken)} stay`);
  return nameOf(victim);
}

/** What the cache said of each file, before and after the trouble. */
interface Cached {
  readonly before: readonly Total[];
  readonly after: readonly Total[];
}

async function check(
  { story, watch, calls, files }: Stage,
  { passes, victim }: Counted,
  { before, after }: Cached,
): Promise<boolean> {
  const alone = await countAlone(files);
  const top = alone
    .top(5)
    .map(([word, times]) => `${word} ${count(times)}`)
    .join(", ");
  story.tell("alone", `${count(alone.words)} words, counted by this process: ${top}, …`);
  console.log();

  const { made, retried, lost } = calls.tally;
  const wordsIn = (totals: readonly Total[]): number => totals.reduce((sum, { words }) => sum + words, 0);
  const lostWithVictim = before.filter(({ by }) => by === victim).length;
  const anew = after.filter((total, i) => !isSame(total, before[i]!)).length;
  const expected = ["driver", ...Object.keys(firstFive), sixth.name].sort();
  const checks: readonly (readonly [boolean, string])[] = [
    [
      passes.every((pass) => pass.equals(alone)),
      `${passes.length} passes, each equal to that: ${count(alone.files)} files, ` +
        `${count(alone.words)} words, ${count(alone.distinctWords)} different ones`,
    ],
    [
      lost.length === 0,
      `${count(made)} calls, ${count(retried)} of them again at the next owner, ${lost.length} lost`,
    ],
    [
      [before, after].every((totals) => wordsIn(totals) === alone.words) &&
        after.every((total, i) => isSame(total, before[i]!) || before[i]!.by === victim) &&
        loadsOf(before) === files.length &&
        loadsOf([...before, ...after]) === files.length + anew,
      `the cache: ${count(2 * files.length)} gets; one load for each file, and ${count(anew)} more, of the ` +
        `${count(lostWithVictim)} that ${victim} had`,
    ],
    [
      [...watch.joined].sort().join() === expected.join() && watch.kicked.join() === victim,
      `joined: ${watch.joined.join(" ")}; killed: ${victim}; removed: ${watch.kicked.join(" ")}`,
    ],
  ];
  for (const [isSo, text] of checks) story.check(isSo, text);
  for (const error of lost.slice(0, 3)) story.more(`${error}`);
  return checks.every(([isSo]) => isSo);
}

async function stayUp({ mesh }: Stage): Promise<void> {
  console.log(
    `\nThe mesh stays up until Ctrl-C. To look at it from another shell:\n
  npx blip watch --at ${mesh.localAddress}\n`,
  );
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
}

function pathsOf(files: readonly TextFile[]): string[] {
  return files.map(({ path }) => path);
}

let keep: boolean | undefined;
try {
  ({ keep } = parseArgs({ options: { keep: { type: "boolean", default: false } } }).values);
} catch (error) {
  console.error(`demo: ${(error as Error).message.split(". ")[0]}; expected --keep or nothing`);
  process.exitCode = 2;
}
try {
  if (keep !== undefined && !(await main(keep))) process.exitCode = 1;
} catch (error) {
  console.error(`the demo failed: ${(error as Error).message}`);
  process.exitCode = 1;
}
