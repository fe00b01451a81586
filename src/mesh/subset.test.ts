// Subsets at the sizes that they are there for.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { subsetOf } from "./subset.ts";

const addresses = (count: number, net = 10): string[] =>
  Array.from({ length: count }, (_, i) => `${net}.0.${i >> 8}.${i & 255}:7946`);
const same = (address: string): string => address;

function subsets(
  servers: readonly string[],
  clients: readonly string[],
  size: number,
): Map<string, string[]> {
  return new Map(
    clients.map((client) => [client, [...subsetOf(servers, same, client, clients, size)]] as const),
  );
}

function callersOf(chosen: Map<string, string[]>): number[] {
  const counts = new Map<string, number>();
  for (const server of [...chosen.values()].flat()) counts.set(server, (counts.get(server) ?? 0) + 1);
  return [...counts.values()];
}

/** How many servers that it has not had before a client has at most. */
function mostNew(before: Map<string, string[]>, after: Map<string, string[]>): number {
  const news = [...after].map(([client, servers]) => {
    const had = new Set(before.get(client) ?? servers);
    return servers.filter((server) => !had.has(server)).length;
  });
  return Math.max(...news);
}

describe("subsets", () => {
  const all = addresses(300);
  const before = subsets(all, all, 20);

  it("are everybody where that is few enough", () => {
    assert.deepEqual(subsetOf(all, same, all[0]!, all, 300), all);
    assert.deepEqual(subsetOf([], same, all[0]!, all, 3), []);
  });

  it("have no server twice, and give each server equally many callers", () => {
    for (const servers of before.values()) assert.equal(new Set(servers).size, 20);
    assert.deepEqual(new Set(callersOf(before)), new Set([20]));
    const counts = callersOf(subsets(addresses(70), addresses(300, 11), 20));
    assert.equal(counts.length, 70);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 10, counts.join());
  });

  it("change by two servers at most when somebody comes or goes", () => {
    const without = all.filter((_, i) => i !== 123);
    assert.ok(mostNew(before, subsets(without, without, 20)) <= 2);
    const more = [...all, "10.9.9.9:7946"];
    assert.ok(mostNew(before, subsets(more, more, 20)) <= 2);
    assert.ok(mostNew(before, subsets(without, all, 20)) <= 2);
    assert.ok(mostNew(before, subsets(all, without, 20)) <= 2);
  });

  it("serve also a client that is in no configuration now", () => {
    assert.equal(subsetOf(all, same, "10.9.9.9:1", all, 20).length, 20);
  });
});
