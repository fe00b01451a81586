// Members that see different owners, simulated: whatever they believe of each other, nobody is asked in circles.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OwnerFailed } from "./failures.ts";
import { keyOf } from "./key.ts";
import { Lookup } from "./lookup.ts";
import type { Peers } from "./peers.ts";
import { Stores } from "./stores.ts";

const KEY = keyOf("k", 10);

/** Members of a network without delays, each of which believes what it is told of who owns the key. */
class Network {
  readonly members = new Map<string, Lookup>();
  /** Who asked whom. */
  readonly asked: string[] = [];
  loads = 0;

  add(self: string, owner: string): Lookup {
    const network = this;
    const peers: Peers = {
      self,
      epoch: this,
      owners: () => [owner, self],
      formerOwners: () => [],
      async get(address, key) {
        network.asked.push(`${self} asks ${address}`);
        return network.members.get(address)!.serve(key);
      },
      peek: async () => undefined,
      forget: async () => true,
    };
    const lookup = new Lookup({
      peers,
      stores: new Stores({ keys: 10 }),
      ownerFailure: "next",
      ownerTimeoutMs: 1000,
      handoffTimeoutMs: 1000,
      timeoutMs: 1000,
      loadsMax: 10,
      ownerFailed: (failure) => assert.fail(failure),
      source: async (bytes) => {
        this.loads += 1;
        return { bytes, livesMs: Infinity };
      },
    });
    this.members.set(self, lookup);
    return lookup;
  }
}

describe("members that see different owners", () => {
  it("end within one round trip, each taking the other for the owner", async () => {
    const network = new Network();
    const [a, b] = [network.add("a", "b"), network.add("b", "a")];
    const patience = { signal: undefined, deadline: performance.now() + 5000 };
    const found = await Promise.all([a.get(KEY, patience), b.get(KEY, patience)]);
    for (const { bytes } of found) assert.equal(Buffer.from(bytes).toString(), "k");
    assert.deepEqual(network.asked.sort(), ["a asks b", "b asks a"]);
    assert.equal(network.loads, 2);
  });

  it("end within one round trip, in a circle of three", async () => {
    const network = new Network();
    const members = [network.add("a", "b"), network.add("b", "c"), network.add("c", "a")];
    const patience = { signal: undefined, deadline: performance.now() + 5000 };
    await Promise.all(members.map((member) => member.get(KEY, patience)));
    assert.equal(network.asked.length, 3);
  });
});

describe("a member that stood in for a dead owner", () => {
  it("loads nothing again once the key has become its own", async () => {
    let loads = 0;
    let owners = ["dead", "self"];
    let epoch = {};
    const peers: Peers = {
      self: "self",
      get epoch() {
        return epoch;
      },
      owners: () => owners,
      formerOwners: () => [],
      get: async (address) => {
        throw new OwnerFailed(address, "it is dead");
      },
      peek: async () => undefined,
      forget: async () => false,
    };
    const stores = new Stores({ keys: 10 });
    const lookup = new Lookup({
      peers,
      stores,
      ownerFailure: "next",
      ownerTimeoutMs: 1000,
      handoffTimeoutMs: 1000,
      timeoutMs: 1000,
      loadsMax: 10,
      ownerFailed: () => {},
      source: async (bytes) => {
        loads += 1;
        return { bytes, livesMs: Infinity };
      },
    });
    const patience = { signal: undefined, deadline: performance.now() + 5000 };
    await lookup.get(KEY, patience);
    assert.deepEqual([stores.owned.size, stores.hot.size], [0, 1], "it is a copy of another's key");
    owners = ["self"];
    epoch = {};
    assert.equal(Buffer.from(lookup.find(KEY)!.bytes).toString(), "k");
    assert.deepEqual([stores.owned.size, stores.hot.size], [1, 0], "and then one of its own");
    assert.equal(loads, 1);
  });
});
