// Policies, asked directly: who gets a call when so many are under way here and there.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEndpoint } from "../core/endpoint.ts";
import { ByKey, type Candidate, LeastPending, type Policy, Prefer, Random, RoundRobin } from "./balance.ts";
import { Member } from "./cut.ts";

interface Server extends Candidate {
  underWay: number;
}

const servers = (count: number, zones: readonly string[] = ["eu"]): Server[] =>
  Array.from({ length: count }, (_, i) => {
    const endpoint = parseEndpoint(`10.0.${i >> 8}.${i & 255}:7946`, false)!;
    return {
      member: new Member(endpoint, { zone: Buffer.from(zones[i % zones.length]!) }),
      underWay: 0,
    };
  });

function countPicks(policy: Policy, from: readonly Server[], calls: number): Map<Server, number> {
  const counts = new Map<Server, number>(from.map((server) => [server, 0]));
  for (let i = 0; i < calls; i++) {
    const picked = policy.pick(from, [], `key ${i}`)!;
    counts.set(picked, counts.get(picked)! + 1);
  }
  return counts;
}

const policies = {
  roundRobin: () => new RoundRobin(),
  random: () => new Random(),
  leastPending: () => new LeastPending(),
  byKey: () => new ByKey(1.25),
  prefer: () => new Prefer(() => 0, 32, new RoundRobin()),
};

for (const [name, make] of Object.entries(policies)) {
  describe(name, () => {
    it("gives everybody calls", () => {
      const from = servers(10);
      for (const count of countPicks(make(), from, 2000).values()) assert.ok(count > 100, String(count));
    });

    it("never picks one that was tried, and nobody when all were", () => {
      const from = servers(7);
      const policy = make();
      const tried: Server[] = [];
      for (const _ of from) {
        const picked = policy.pick(from, tried, "a")!;
        assert.equal(tried.includes(picked), false);
        tried.push(picked);
      }
      assert.equal(policy.pick(from, tried, "a"), undefined);
      assert.equal(policy.pick([], [], "a"), undefined);
    });
  });
}

describe("roundRobin", () => {
  it("takes each in turn", () => {
    assert.deepEqual(new Set(countPicks(new RoundRobin(), servers(7), 700).values()), new Set([100]));
  });

  it("spreads calls that all go away from one member", () => {
    const from = servers(5);
    const policy = new RoundRobin();
    const [missing, ...others] = from;
    const picked = new Set(Array.from({ length: 100 }, () => policy.pick(from, [missing!])));
    assert.deepEqual(picked, new Set(others));
  });
});

describe("leastPending", () => {
  it("takes the one with the fewest calls under way, each in turn where they are equal", () => {
    const from = servers(3);
    const policy = new LeastPending();
    from[0]!.underWay = 2;
    from[1]!.underWay = 1;
    from[2]!.underWay = 3;
    assert.equal(policy.pick(from, []), from[1]);
    assert.equal(policy.pick(from, [from[1]!]), from[0]);
    for (const server of from) server.underWay = 0;
    assert.equal(countPicks(policy, from, 300).get(from[0]!), 100);
  });
});

describe("byKey", () => {
  const keys = Array.from({ length: 10_000 }, (_, i) => `user ${i}`);
  const owners = (from: readonly Server[]): string[] => {
    const policy = new ByKey(1.25);
    return keys.map((key) => policy.pick(from, [], key)!.member.address);
  };

  it("gives a key the same owner in whatever order members are listed, as text or as bytes", () => {
    const from = servers(10);
    assert.deepEqual(owners(from), owners([...from].reverse()));
    const policy = new ByKey(1.25);
    for (const key of ["a", "ключ", "鍵", ""]) {
      assert.equal(policy.pick(from, [], key), policy.pick(from, [], Buffer.from(key)));
    }
  });

  it("has the same owners in every version", () => {
    const from = servers(10);
    const policy = new ByKey(1.25);
    const picked = ["a", "b", "user 1", "user 2"].map((key) => from.indexOf(policy.pick(from, [], key)!));
    assert.deepEqual(picked, [5, 9, 8, 6]);
  });

  it("moves only keys of a member that goes, and to all others alike", () => {
    const from = servers(10);
    const before = owners(from);
    const after = owners(from.slice(1));
    const gone = from[0]!.member.address;
    const moved = new Map<string, number>();
    for (const [i, owner] of before.entries()) {
      if (owner !== gone) assert.equal(after[i], owner);
      else moved.set(after[i]!, (moved.get(after[i]!) ?? 0) + 1);
    }
    assert.equal(moved.size, 9);
    for (const count of moved.values()) assert.ok(count > 60 && count < 170, String(count));
  });

  it("spreads keys within a tenth of their share over ten members", () => {
    const counts = new Map<string, number>();
    for (const owner of owners(servers(10))) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 100, String(count));
  });

  it("passes keys on to their next owner while the first has more than its share of calls", () => {
    const from = servers(4);
    const policy = new ByKey(1.25);
    const first = policy.pick(from, [], "hot")!;
    const second = policy.pick(from, [first], "hot")!;
    for (const server of from) server.underWay = 70;
    // 281 with this one: a share is 70.25, and 1.25 times that is 87.8.
    assert.equal(policy.pick(from, [], "hot"), first);
    first.underWay = 100;
    assert.equal(policy.pick(from, [], "hot"), second);
    for (const server of from) server.underWay = 0;
    first.underWay = 31;
    assert.equal(policy.pick(from, [], "hot"), first, "it is not busy");
    first.underWay = 1000;
    assert.equal(new ByKey(Number.POSITIVE_INFINITY).pick(from, [], "hot"), first);
  });

  it("keeps everybody within the bound, whatever one key is asked for", () => {
    const from = servers(10);
    const policy = new ByKey(1.25);
    for (let i = 1; i <= 1000; i++) {
      policy.pick(from, [], i % 4 === 0 ? `rare ${i}` : "hot")!.underWay += 1;
      const most = Math.max(...from.map(({ underWay }) => underWay));
      assert.ok(most <= Math.max(32, Math.ceil((1.25 * i) / 10)), `${most} of ${i}`);
    }
  });
});

describe("prefer", () => {
  const tierOf = (member: Member): number => ["eu", "us"].indexOf(member.text("zone")!);

  it("takes those nearby, and others when these are busy or were tried", () => {
    const from = servers(4, ["us", "eu"]);
    const [us, eu] = [from.filter((_, i) => i % 2 === 0), from.filter((_, i) => i % 2 === 1)];
    const policy = new Prefer(tierOf, 2, new RoundRobin());
    for (let i = 0; i < 10; i++) assert.ok(eu.includes(policy.pick(from, [], undefined)!));
    assert.ok(us.includes(policy.pick(from, eu, undefined)!));
    for (const server of eu) server.underWay = 2;
    for (let i = 0; i < 10; i++) assert.ok(us.includes(policy.pick(from, [], undefined)!));
    for (const server of us) server.underWay = 2;
    const picked = countPicks(policy, from, 40);
    assert.deepEqual(new Set(picked.values()), new Set([10]));
  });
});
