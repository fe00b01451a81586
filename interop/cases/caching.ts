import assert from "node:assert/strict";
import { Client, credentials } from "@grpc/grpc-js";
import { keyOf } from "../../src/cache/key.ts";
import { RustRing } from "../../src/cache/rust-ring.ts";
import { crateService } from "../../src/cache/wire.ts";
import type { MemberProcess } from "../../test/member-process.ts";
import { type MixedMesh, mixedTest, standard } from "../mixed-mesh.ts";

const keyCount = 1000;
/** Questions to one member at a time. */
const lanes = 16;

const { get } = crateService("blip.cache.Cache");

mixedTest("one cache of Node and Rust members", standard, caching, () => ["--cache", "100000"]);

async function caching(mesh: MixedMesh): Promise<void> {
  const { founder, node, rust } = await mesh.boot("node", { node: 1, rust: 2 });
  const [first, second, third] = [founder, node[0]!, rust[0]!];
  await assertSameValues([first, second, ...rust], "boot");

  mesh.remove("SIGKILL", rust[1]!);
  await mesh.agreement("the other three agree");
  await assertSameValues([first, second, third], "death");

  const [newRust, newNode] = await mesh.join({ node: 1, rust: 1 }, founder);
  await mesh.agreement("the three and two new ones agree");
  await assertSameValues([first, second, third, newRust!, newNode!], "join");
}

/** Every member gives each key the value that its owner has loaded: the owner by the crate's own placement. */
async function assertSameValues(members: readonly MemberProcess[], epoch: string): Promise<void> {
  const keys = Array.from({ length: keyCount }, (_, i) => `${epoch}-${i}`);
  const addresses = members[0]!.cuts.at(-1)!.members.map(({ address }) => address);
  const ring = new RustRing(addresses, "std-new");
  const expected = keys.map((key) => `${key}@${[...ring.owners(keyOf(key, 100))][0]}`);
  for (const member of members) {
    assert.deepEqual(
      await valuesAt(member.address, keys),
      expected,
      `what the ${member} answers after ${epoch}`,
    );
  }
}

async function valuesAt(address: string, keys: readonly string[]): Promise<string[]> {
  const client = new Client(address, credentials.createInsecure());
  const values: string[] = [];
  const left = keys.entries();
  const lane = async (): Promise<void> => {
    for (const [i, key] of left) values[i] = await valueAt(client, key);
  };
  try {
    await Promise.all(Array.from({ length: lanes }, lane));
  } finally {
    client.close();
  }
  return values;
}

function valueAt(client: Client, key: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = { key: Buffer.from(key) };
    const options = { deadline: Date.now() + 20_000 };
    client.makeUnaryRequest(
      get.path,
      get.requestSerialize,
      get.responseDeserialize,
      request,
      options,
      (error, value) => {
        if (error === null) resolve(Buffer.from(value!.buf).toString());
        else reject(error);
      },
    );
  });
}
