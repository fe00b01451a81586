// One member with a cache, of this library: gets what it is told to get, and says what it loaded.

import { setTimeout as sleep } from "node:timers/promises";
import { createMesh } from "blip-mesh";
import { Cache } from "blip-mesh/cache";
import { obey, print } from "../rpc/work.mjs";

const [listen, seed] = process.argv.slice(2);
let loaded = [];

/** A key is "SIZE:NAME"; one whose name begins with "herd" takes a while to load. */
const cache = new Cache({
  // A cache in use is full, and one that grows measures the kernel: owners keep all that a round asks for, and what is
  // kept of others' keys is full after the first. The other kinds hold as much.
  maxKeys: 30_000,
  source: async (_key, { text }) => {
    loaded.push(text);
    const [size, name] = text.split(":");
    if (name.startsWith("herd")) await sleep(200);
    return Buffer.alloc(Number(size), 7);
  },
});
const mesh = await createMesh({ listen, ...(seed !== undefined && { seeds: [seed] }), services: [cache] });
mesh.on("cut", ({ members }) => print({ members: members.length }));
print({ members: mesh.cut.members.length });

async function get({ keys, inFlight, passes }) {
  const count = keys.length * passes;
  const began = performance.now();
  let next = 0;
  const work = async () => {
    while (next < count) {
      const value = await cache.get(keys[next++ % keys.length]);
      if (value.length === 0) throw new Error("an empty value");
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return { ops: count, ms: performance.now() - began };
}

obey(async (order) => {
  if (order.keys !== undefined) return print(await get(order));
  print({ loaded });
  loaded = [];
});
