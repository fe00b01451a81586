/** A cache in front of a slow table: what one member has read, none reads again; not even when one dies, or one comes. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMesh } from "blip-mesh";
import { Cache, jsonCodec } from "blip-mesh/cache";
import sqlite from "node-sqlite3-wasm";

type Sales = { readonly orders: number; readonly cents: number };
const QUERY = "SELECT count(*) AS orders, sum(cents) AS cents FROM orders WHERE shop = ?";
const [file = join(mkdtempSync(join(tmpdir(), "orders-")), "orders.db"), ...seeds] = process.argv.slice(2);
const isMember = seeds.length > 0;
const database = new sqlite.Database(file, { readOnly: isMember });
if (!isMember) {
  database.exec(`CREATE TABLE orders (id INTEGER PRIMARY KEY, shop INTEGER, cents INTEGER);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
    INSERT INTO orders SELECT i, i * 40503 % 200, i * 7919 % 10000 FROM n;
    CREATE INDEX shops ON orders (shop)`);
}
let reads = 0;
const sales = new Cache({
  maxKeys: 1000,
  codec: jsonCodec<Sales>(),
  source: (_, { text }) => {
    if (isMember) process.send!("read");
    else reads += 1;
    return database.get(QUERY, Number(text)) as Sales;
  },
});
const mesh = await createMesh({ listen: "127.0.0.1:0", seeds, services: [sales] });
if (isMember) process.once("disconnect", () => process.exit());
else {
  const start = () =>
    fork(process.argv[1]!, [file, mesh.localAddress]).on("message", () => {
      reads += 1;
    });
  const see = (count: number) => mesh.waitFor((cut) => cut.members.length === count, { timeoutMs: 30_000 });
  const members: ChildProcess[] = [start(), start(), start()];
  await see(4);
  const hitRatios: number[] = [];
  for (const event of ["four members", "", "one dies", "", "one joins", ""]) {
    if (event === "one dies") members.shift()!.kill("SIGKILL");
    if (event === "one joins") members.push(start());
    const before = reads;
    // Some shops are asked for much more often than others.
    for (let i = 0; i < 400; i++) await sales.get(String(Math.floor(200 * Math.random() ** 3)));
    if (event !== "") await see(event === "one dies" ? 3 : 4);
    hitRatios.push(1 - (reads - before) / 400);
    console.log(`${(100 * hitRatios.at(-1)!).toFixed(1)} % of 400 gets without a read  ${event}`);
  }
  assert.ok(hitRatios.at(-1)! > hitRatios[0]!, "the longer it runs, the fewer reads");
  for (const member of members) member.disconnect();
  await Promise.all(members.map((member) => once(member, "exit")));
  await mesh.leave();
  database.close();
  rmSync(join(file, ".."), { recursive: true });
}
