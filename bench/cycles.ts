/**
 * `npm run cycles [-- --cycles N]`: in one process, N times over, a member joins, is called, and leaves or is closed.
 * Prints sockets, timers and heap (after collecting garbage) on the way; ends with status 1 where a socket is left or
 * the heap of the second half has grown by more than 1 KiB for each cycle.
 */
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { client, createMesh, service } from "../src/index.ts";
import { Echo } from "../src/mesh/greeter.test.ts";

const KEPT_BYTES_MAX = 1024;
const { values } = parseArgs({ options: { cycles: { type: "string", default: "1000" } } });
const cycles = Number(values.cycles);
if (!Number.isInteger(cycles) || cycles < 20) {
  console.error(`--cycles ${values.cycles}: expected a whole number, 20 or more`);
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

const middle = samples[Math.floor(samples.length / 2)]!;
const end = samples.at(-1)!;
const kept = (end.heap - middle.heap) / (end.cycle - middle.cycle);
console.log(`second half: ${kept.toFixed(0)} bytes for each cycle, ${end.sockets - middle.sockets} sockets`);
await other.leave();
await founder.leave();
process.exitCode = kept <= KEPT_BYTES_MAX && end.sockets <= middle.sockets ? 0 : 1;
