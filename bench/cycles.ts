/**
 * `npm run cycles [-- --cycles N]`: in one process, N times over, a member joins, is called, and leaves. Ends with status
 * 1 where anything is left of it afterwards: sockets, objects of any kind, or more memory than what members may not
 * forget. That is counted in objects, which do not depend on when garbage is collected or code is compiled: text and
 * big integers are none, and ids are all that a member remembers of others that are gone.
 */
import { parseArgs } from "node:util";
import { queryObjects } from "node:v8";
import { client, createMesh, service } from "../src/index.ts";
import { Echo } from "../src/mesh/greeter.test.ts";

/** A leak leaves something in every cycle. What is left by chance (a timer, a connection) does not grow with them. */
const OBJECTS_PER_CYCLE_MAX = 0.1;
/**
 * The ids that two members keep: the uuid of whoever was in, for ever; and of each broadcast for an hour at least, a
 * million at most, some ten in each cycle: 0.1 KB each. About half is code that V8 goes on compiling.
 */
const BYTES_PER_CYCLE_MAX = 5 * 1024;
/** What ends by itself has done so by then: connections linger for 10 s, and rest for 30 s. */
const SETTLED_MS = 60_000;
/**
 * So that all code is compiled, and members remember as much as they ever do: of others that are gone, and may come back,
 * the last 256.
 */
const WARM_UP = 300;

const { values } = parseArgs({ options: { cycles: { type: "string", default: "1000" } } });
const cycles = Number(values.cycles);
if (!Number.isInteger(cycles) || cycles < 100) {
  console.error(`--cycles ${values.cycles}: expected a whole number, 100 or more`);
  process.exit(2);
}

const listen = "127.0.0.1:0";
const services = [service(Echo, { say: (call, answer) => answer(null, call.request) })];
const founder = await createMesh({ listen });
const other = await createMesh({ listen, seeds: [founder.localAddress] });
const echo = client(founder, Echo);

async function run(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const mesh = await createMesh({ listen, seeds: [founder.localAddress], services });
    await founder.waitFor((cut) => cut.lookup(mesh.localAddress) !== undefined);
    await echo.say("x");
    await mesh.leave();
  }
  await founder.waitFor((cut) => cut.members.length === 2);
}

interface Held {
  readonly sockets: number;
  readonly objects: number;
  readonly heap: number;
}

/** Garbage is collected to count objects. */
function held(): Held {
  const objects = queryObjects(Object, { format: "count" });
  const sockets = process.getActiveResourcesInfo().filter((name) => name.startsWith("TCPSocket")).length;
  return { sockets, objects, heap: process.memoryUsage().heapUsed };
}

/** What is held once `isSettled`, or once whatever ends by itself must have done so. */
async function settle(isSettled: (now: Held) => boolean): Promise<Held> {
  const untilMs = performance.now() + SETTLED_MS;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const now = held();
    if (isSettled(now) || performance.now() > untilMs) return now;
  }
}

function show(when: string, { sockets, objects, heap }: Held): void {
  console.log(`${when}: ${sockets} sockets, ${objects} objects, heap ${(heap / 1024 / 1024).toFixed(2)} MiB`);
}

await run(WARM_UP);
const before = await settle(() => false);
show(`after ${WARM_UP} cycles`, before);
await run(cycles);
show(`after ${cycles} more`, held());
const objectsMax = before.objects + cycles * OBJECTS_PER_CYCLE_MAX;
const after = await settle(({ sockets, objects }) => sockets <= before.sockets && objects <= objectsMax);
show("a while later", after);

const perCycle = (of: (held: Held) => number): number => (of(after) - of(before)) / cycles;
const sockets = after.sockets - before.sockets;
const objects = perCycle((held) => held.objects);
const bytes = perCycle((held) => held.heap);
console.log(
  `more: ${sockets} sockets; for each cycle ${objects.toFixed(2)} objects and ${bytes.toFixed(0)} bytes`,
);
await other.leave();
await founder.leave();
const isWell = sockets <= 0 && objects <= OBJECTS_PER_CYCLE_MAX && bytes <= BYTES_PER_CYCLE_MAX;
if (!isWell)
  console.log(
    `something is left: expected 0 sockets, ${OBJECTS_PER_CYCLE_MAX} objects, ${BYTES_PER_CYCLE_MAX} bytes`,
  );
process.exitCode = isWell ? 0 : 1;
