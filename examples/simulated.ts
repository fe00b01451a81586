/** A service on a simulated mesh: a partition, a crash and half an hour go by, and no time passes. */
import assert from "node:assert/strict";
import { client, service } from "blip-mesh";
import { simulateMesh } from "blip-mesh/sim";
import { unary } from "./definition.ts";

const Counter = { add: unary<{ by: number }, { sum: number }>("/examples.Counter/Add") };

function counting() {
  let sum = 0;
  return {
    services: [
      service(Counter, {
        add: (call, answer) => {
          sum += call.request.by;
          setTimeout(() => answer(null, { sum }), 1000);
        },
      }),
    ],
  };
}

const tookMs = await simulateMesh({ seed: 42 }, async (sim) => {
  const [a, b, c] = await sim.startAll(3, counting);
  const elsewhere = client(a!, Counter, {
    where: ({ address }) => address !== a!.localAddress,
    balance: { policy: "byKey", key: () => "visits", maxLoad: Infinity },
  });
  const add = (by: number) => elsewhere.add({ by });
  assert.equal((await add(1)).sum, 1);
  assert.equal((await add(2)).sum, 3); // the same key, the same member

  sim.partition([a!, b!], [c!]);
  await a!.waitFor((cut) => cut.members.length === 2);
  sim.heal();
  await a!.waitFor((cut) => cut.members.length === 3);
  console.log(`c was cut off and came back within ${sim.elapsedMs} virtual ms`);

  await sim.crash(b!);
  await a!.waitFor((cut) => cut.members.length === 2);
  console.log(`b crashed; c counts ${(await add(4)).sum}`);
  await sim.sleep(1_800_000);
  return sim.elapsedMs;
});
console.log(`${Math.round(tookMs / 60_000)} virtual minutes in ${Math.round(performance.now())} ms`);
