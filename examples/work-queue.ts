/** A queue at a leader that needs no election: in one configuration all see the same members, so the first one leads. */
import { type Cut, client, createMesh, service } from "blip-mesh";
import { unary } from "./definition.ts";

const Queue = { take: unary<{ by: string }, { job?: number }>("/examples.Queue/Take") };
const leaderOf = (cut: Cut): string => cut.members[0]!.address;

const start = (seeds: string[]) => {
  let next = 1;
  const queue = service(Queue, { take: (_call, answer) => answer(null, next <= 6 ? { job: next++ } : {}) });
  return createMesh({ listen: "127.0.0.1:0", seeds, services: [queue] });
};

const first = await start([]);
const members = [first, await start([first.localAddress]), await start([first.localAddress])];
await Promise.all(members.map((mesh) => mesh.waitFor((cut) => cut.members.length === 3)));
console.log(`all agree on the leader: ${new Set(members.map((mesh) => leaderOf(mesh.cut))).size === 1}`);

const done: number[] = [];
await Promise.all(
  members.map(async (mesh) => {
    const queue = client(mesh, Queue);
    for (;;) {
      const { job } = await queue.on(leaderOf(mesh.cut)).take({ by: mesh.localAddress });
      if (job === undefined) return;
      done.push(job);
    }
  }),
);
console.log(`jobs done, each once: ${done.sort((x, y) => x - y)}`);

// When the leader goes, the next view says who leads. What it had in its queue is the application's to hand over.
const leader = members.find((mesh) => mesh.localAddress === leaderOf(mesh.cut))!;
const [other] = members.filter((mesh) => mesh !== leader);
const before = leaderOf(other!.cut);
await leader.leave();
const after = await other!.waitFor((cut) => leaderOf(cut) !== before);
console.log(`another one leads: ${leaderOf(after) !== before}`);
for (const mesh of members) await mesh.leave();
