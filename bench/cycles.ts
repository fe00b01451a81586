/**
 * `npm run cycles [-- --cycles N]`: in one process, N times over, a member joins, is called, and leaves or is closed.
 * Prints sockets and heap (after collecting garbage) on the way; ends with status 1 where sockets are left, or the heap
 * grows by more than 1 KiB for each cycle: some hundred bytes are the uuid, which no member may ever forget.
 */
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { client, createMesh, service } from "../src/index.ts";
import { Echo } from "../src/mesh/greeter.test.ts";

const KEPT_BYTES_MAX = 1024;
const { values } = parseArgs({ options: { cycles: { type: "string", default: "1000" } } });
const cycles = Number(values.cycles);
if (!Number.isInteger(cycles) || cycles < 500) {
  console.error(
    `--cycles ${values.cycles}: expected a whole number, 500 or more (fewer tell nothing about the heap)`,
  );
  process.exit(2);
}
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const listen = "127.0.0.1:0";
const services = [service(Echo, { say: (call, answer) => answer(null, call.request) })];
const founder = await createMesh({ listen });
const other = await createMesh({ listen, seeds: [founder.localAddress] });
const echo = client(founder, Echo);

const samples: { readonly cycle: number; readonly sockets: number; readonly heap: number }[] = [];
async function sample(cycle: number): Promise<void> {
  await founder.waitFor((cut) => cut.members.length === 2);
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const sockets = process.getActiveResourcesInfo().filter((name) => name.startsWith("TCPSocket")).length;
  const heap = process.memoryUsage().heapUsed;
  samples.push({ cycle, sockets, heap });
  console.log(`${cycle} cycles: ${sockets} sockets, heap ${(heap / 1024 / 1024).toFixed(2)} MiB`);
}

for (let cycle = 0; cycle < cycles; cycle++) {
  if (cycle % Math.floor(cycles / 10) === 0) await sample(cycle);
  const mesh = await createMesh({ listen, seeds: [founder.localAddress], services });
  await founder.waitFor((cut) => cut.lookup(mesh.localAddress) !== undefined);
  await echo.say("x");
  await mesh.leave();
}
await sample(cycles);

// Single samples differ by a megabyte or two; what counts is the line through all of them but the first, which was
// taken before anything was compiled.
const [, warm, ...later] = samples;
const line = [warm!, ...later];
const mean = (of: (one: (typeof line)[number]) => number): number =>
  line.reduce((sum, one) => sum + of(one), 0) / line.length;
const [at, height] = [mean(({ cycle }) => cycle), mean(({ heap }) => heap)];
const slope =
  mean(({ cycle, heap }) => (cycle - at) * (heap - height)) / mean(({ cycle }) => (cycle - at) ** 2);
const moreSockets = line.at(-1)!.sockets - warm!.sockets;
console.log(
  `the heap grows by ${slope.toFixed(0)} bytes for each cycle, and the sockets by ${moreSockets} in all`,
);
await other.leave();
await founder.leave();
process.exitCode = slope <= KEPT_BYTES_MAX && moreSockets <= 0 ? 0 : 1;
