/** A key-value store in three parts: each key lives at one member, which all members find without asking anybody. */
import assert from "node:assert/strict";
import { client, createMesh, service } from "blip-mesh";
import { unary } from "./definition.ts";

interface Pair {
  readonly key: string;
  readonly value?: string;
}
const Store = {
  put: unary<Pair, { readonly at: string }>("/examples.Store/Put"),
  get: unary<Pair, Pair & { readonly at: string }>("/examples.Store/Get"),
};

const start = (name: string, seeds: string[]) => {
  const pairs = new Map<string, string>();
  const store = service(Store, {
    put: ({ request: { key, value = "" } }, answer) => {
      pairs.set(key, value);
      answer(null, { at: name });
    },
    get: ({ request: { key } }, answer) => answer(null, { key, value: pairs.get(key) ?? "", at: name }),
  });
  return createMesh({ listen: "127.0.0.1:0", seeds, services: [store] });
};

const a = await start("a", []);
const members = [a, await start("b", [a.localAddress]), await start("c", [a.localAddress])];
await Promise.all(members.map((mesh) => mesh.waitFor((cut) => cut.members.length === 3)));

// The same on every member: what one has put, the other gets.
const byKey = { policy: "byKey", key: ({ key }: Pair) => key, maxLoad: Infinity } as const;
const [writer, reader] = [
  client(members[1]!, Store, { balance: byKey }),
  client(members[2]!, Store, { balance: byKey }),
];
for (const key of ["apple", "birch", "cedar", "dogwood", "elder"]) {
  const { at } = await writer.put({ key, value: `a tree or a fruit: ${key}` });
  const found = await reader.get({ key });
  assert.equal(found.at, at);
  console.log(`${key} is at ${at}: ${found.value}`);
}
for (const mesh of members) await mesh.leave();
