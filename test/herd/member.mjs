// A process of its own with a cache whose source takes its time. Lines of JSON on stdin say what to do: `join` a mesh,
// or let so many callers `get` a key. It prints one line of JSON for each load that it begins, each cut, and what its
// callers saw. It ends when its stdin does.

import { createInterface } from "node:readline";
import { createMesh } from "blip-mesh";
import { Cache, textCodec } from "blip-mesh/cache";

const { listen, loadMs } = JSON.parse(process.argv[2]);

function tell(event, more) {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
}

const cache = new Cache({
  maxKeys: 10_000,
  codec: textCodec,
  source: async (_, { text }) => {
    tell("load", { key: text });
    await new Promise((resolve) => setTimeout(resolve, loadMs));
    return `value of ${text}`;
  },
});

async function join({ seeds }) {
  const mesh = await createMesh({ listen, seeds, services: [cache] });
  for await (const { members } of mesh.cuts())
    tell("cut", { members: members.map(({ address }) => address) });
}

async function get({ key, callers, timeoutMs }) {
  const startedMs = performance.now();
  let slowestMs = 0;
  const one = async () => {
    try {
      const value = await cache.get(key, { timeoutMs });
      return value === `value of ${key}` ? undefined : `got ${value}`;
    } catch (error) {
      return `${error.code ?? error.name}: ${error.message}`;
    } finally {
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
  };
  const failures = (await Promise.all(Array.from({ length: callers }, one))).filter(
    (why) => why !== undefined,
  );
  tell("got", { key, callers, failures, slowestMs: Math.round(slowestMs) });
}

const orders = { join, get };
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { order, ...more } = JSON.parse(line);
    void orders[order](more);
  })
  .once("close", () => process.exit());
