// Users' services on simulated meshes: called, cut off, killed, frozen and healed, all on virtual time.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { client } from "../../mesh/client.ts";
import { BlipError } from "../../mesh/errors.ts";
import { Greeter } from "../../mesh/greeter.test.ts";
import type { Mesh } from "../../mesh/mesh.ts";
import { service } from "../../mesh/service.ts";
import { SimulationFailed, simulateMesh } from "./simulate-mesh.ts";

const names = async function* (...all: readonly string[]) {
  for (const name of all) yield { name };
};

const greeting = (i: number) => ({
  services: [
    service(Greeter, {
      hello: async ({ name, count }) => {
        if (name === "nobody") throw new Error("whom?");
        await new Promise((resolve) => setTimeout(resolve, count));
        return { text: `${name} from ${i}` };
      },
      async *count({ count }) {
        for (let n = 0; n < count; n++) yield { text: String(n) };
      },
      sum: async (requests) => {
        const heard: string[] = [];
        for await (const { name } of requests) heard.push(name);
        return { text: heard.join("+") };
      },
      async *chat(requests) {
        for await (const { name } of requests) yield { text: `${name}!` };
      },
    }),
  ],
});

async function textsOf(answers: AsyncIterable<{ readonly text: string }>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of answers) texts.push(text);
  return texts;
}

type Three = [Mesh, Mesh, Mesh];

describe("a simulated mesh", () => {
  it("knows when no majority is left, and when one is back", () =>
    simulateMesh({ seed: 8 }, async (sim) => {
      const [a, b, ...others] = await sim.startAll(5);
      const told: string[] = [];
      for (const mesh of [a!, b!]) {
        mesh.on("state", ({ phase, noQuorum, stale }) => told.push(`${phase} ${noQuorum} ${stale}`));
      }
      await sim.freeze(...others);
      await sim.sleep(15_000);
      assert.deepEqual(told, ["member true false", "member true false"]);
      assert.equal(a!.cut.members.length, 5);
      await sim.thaw(...others);
      await sim.sleep(10_000);
      assert.ok(!a!.state.noQuorum && !b!.state.noQuorum);
      await a!.waitFor((cut) => !cut.degraded && cut.members.length === 5);
    }));

  it("carries calls of all four kinds, to all who serve", () =>
    simulateMesh({ seed: 1 }, async (sim) => {
      const [a] = (await sim.startAll(3, greeting)) as Three;
      const greeter = client(a, Greeter);
      const from = new Set<string>();
      for (let n = 0; n < 9; n++) from.add((await greeter.hello({ name: "x" })).text);
      assert.deepEqual([...from].sort(), ["x from 0", "x from 1", "x from 2"]);
      assert.deepEqual(await textsOf(greeter.count({ count: 4 })), ["0", "1", "2", "3"]);
      assert.equal((await greeter.sum(names("a", "b", "c"))).text, "a+b+c");
      assert.deepEqual(await textsOf(greeter.chat(names("a", "b"))), ["a!", "b!"]);
      await assert.rejects(greeter.hello({ name: "nobody" }), {
        code: "BLIP_CALL_FAILED",
        message: /whom\?/,
      });
      await assert.rejects(greeter.peek({}), { code: "BLIP_CALL_FAILED", status: 12 });
    }));

  it("goes the same way from the same seed, and takes no time", async () => {
    const life = (seed: number): Promise<string> =>
      simulateMesh({ seed }, async (sim) => {
        const [a, b, c] = (await sim.startAll(3, greeting)) as Three;
        const greeter = client(a, Greeter, { balance: "random" });
        const told: unknown[] = [];
        for (let n = 0; n < 20; n++) told.push((await greeter.hello({ name: "x", count: 1000 })).text);
        await sim.crash(b);
        const cut = await a.waitFor(({ members }) => members.length === 2);
        await sim.sleep(3_000_000);
        told.push(cut.confId, sim.elapsedMs, Date.now(), performance.now(), Math.random(), c.cut.confId);
        return told.join();
      });
    const before = performance.now();
    const first = await life(7);
    assert.equal(await life(7), first);
    assert.notEqual(await life(8), first);
    assert(performance.now() - before < 60_000, "hours go by in seconds");
  });

  it("is cut in two, and comes together again", () =>
    simulateMesh({ seed: 2 }, async (sim) => {
      const meshes = await sim.startAll(5, greeting);
      const [few, many] = [meshes.slice(0, 2), meshes.slice(2)];
      sim.partition(few, many);
      await Promise.all(many.map((mesh) => mesh.waitFor(({ members }) => members.length === 3)));
      await sim.sleep(10_000);
      for (const mesh of few) assert.equal(mesh.cut.members.length, 5, "a minority changes nothing");
      const lost = client(few[0]!, Greeter)
        .on(many[0]!.localAddress)
        .hello({ name: "x" }, { timeoutMs: 1000 });
      await assert.rejects(lost, (error) => error instanceof BlipError);
      sim.heal();
      await Promise.all(meshes.map((mesh) => mesh.waitFor(({ members }) => members.length === 5)));
      const ids = () => new Set(meshes.map(({ cut }) => cut.confId));
      while (ids().size > 1) await sim.sleep(100);
    }));

  it("loses a process: calls to it fail or go elsewhere, and it is removed", () =>
    simulateMesh({ seed: 3 }, async (sim) => {
      const [a, b] = (await sim.startAll(3, greeting)) as Three;
      const slow = client(a, Greeter).on(b.localAddress).hello({ name: "x", count: 60_000 });
      const elsewhere = client(a, Greeter, {
        where: ({ address }) => address !== a.localAddress,
        idempotent: true,
      });
      const calls = [1, 2, 3, 4].map(() => elsewhere.hello({ name: "x", count: 5000 }));
      await sim.sleep(100);
      await sim.crash(b);
      await assert.rejects(slow, { code: "BLIP_CALL_FAILED", status: 14 });
      for (const call of calls) assert.equal((await call).text, "x from 2");
      await a.waitFor(({ members }) => members.length === 2);
      await assert.rejects(client(b, Greeter).hello({}), { code: "BLIP_CLOSED" });
      const again = await sim.start({ ...greeting(1), listen: b.localAddress });
      await a.waitFor(({ members }) => members.length === 3);
      assert.equal((await client(a, Greeter).on(again.localAddress).hello({ name: "y" })).text, "y from 1");
    }));

  it("has a process stand still: calls go around it, and it comes back", () =>
    simulateMesh({ seed: 4 }, async (sim) => {
      const [a, b, c] = (await sim.startAll(3, greeting)) as Three;
      const greeter = client(a, Greeter, {
        where: ({ address }) => address !== a.localAddress,
        idempotent: true,
      });
      sim.freeze(b);
      const before = sim.elapsedMs;
      for (let n = 0; n < 6; n++) assert.equal((await greeter.hello({ name: "x" })).text, "x from 2");
      assert(sim.elapsedMs - before < 2000, `${sim.elapsedMs - before} ms`);
      await a.waitFor(({ members }) => members.length === 2);
      sim.thaw(b);
      await Promise.all([a, b, c].map((mesh) => mesh.waitFor(({ members }) => members.length === 3)));
    }));

  it("lets a member leave: calls under way end, and new ones go elsewhere", () =>
    simulateMesh({ seed: 5 }, async (sim) => {
      const [a, b] = (await sim.startAll(3, greeting)) as Three;
      const greeter = client(a, Greeter).on(b.localAddress);
      const underWay = greeter.hello({ name: "x", count: 2000 });
      await sim.sleep(100);
      assert.equal(await b.leave(), true);
      assert.equal((await underWay).text, "x from 1");
      await assert.rejects(greeter.hello({ name: "x" }, { timeoutMs: 5000 }), { code: "BLIP_NO_MEMBERS" });
      assert.equal(a.cut.members.length, 2);
    }));

  it("goes on in bad weather", () =>
    simulateMesh({ seed: 6 }, async (sim) => {
      const [a] = (await sim.startAll(3, greeting)) as Three;
      sim.weather({ loss: 0.1, latencyMs: [1, 100] });
      const greeter = client(a, Greeter);
      // A connection may break while an answer is under way; who may ask twice gets one all the same.
      const asked = () => greeter.hello({ name: "x" }, { idempotent: true });
      for (let n = 0; n < 50; n++) assert.match((await asked()).text, /^x from/);
    }));
});

describe("a play that fails", () => {
  const failing = async (play: Parameters<typeof simulateMesh>[1]): Promise<SimulationFailed> => {
    try {
      await simulateMesh({ seed: 77, limitMs: 600_000 }, play);
    } catch (error) {
      assert(error instanceof SimulationFailed);
      assert.equal(error.seed, 77n);
      assert.match(error.message, /with seed 77: /);
      return error;
    }
    return assert.fail("it did not fail");
  };

  it("says its seed, its reason, and what the members did", async () => {
    const error = await failing(async (sim) => {
      await sim.startAll(2, greeting);
      assert.equal(1, 2);
    });
    assert(error.cause instanceof assert.AssertionError);
    assert.match(error.transcript, /takes .* of 2/);
  });

  it("is one whose service breaks where nobody catches it", async () => {
    const inTimer = await failing(async (sim) => {
      const broken = {
        name: "x.Broken",
        register: () => {},
        accept: () => void setTimeout(() => fail("timer"), 50),
      };
      const fail = (where: string): never => {
        throw new Error(`broken in a ${where}`);
      };
      await sim.start({ services: [broken] });
      await sim.sleep(1000);
    });
    assert.match(inTimer.message, /broken in a timer/);
    const inPromise = await failing(async (sim) => {
      const broken = {
        name: "x.Broken",
        register: () => {},
        accept: () => void Promise.reject(new Error("lost")),
      };
      await sim.start({ services: [broken] });
      await sim.sleep(1000);
    });
    assert.match(inPromise.message, /lost/);
  });

  it("is one that waits for what does not come", async () => {
    const alone = await failing(async (sim) => {
      const mesh = await sim.start();
      await mesh.waitFor(({ members }) => members.length === 2);
    });
    assert.match(alone.message, /waits for something, and nothing is left to happen/);
    const endless = await failing(async (sim) => {
      const [mesh] = await sim.startAll(2);
      await mesh!.waitFor(({ members }) => members.length === 3);
    });
    assert.match(endless.message, /not over after 600000 virtual ms/);
  });

  it("leaves everything as it was", async () => {
    const { setTimeout: timer, Date: date } = globalThis;
    await failing(async (sim) => {
      await sim.start();
      setInterval(() => {}, 10);
      throw new Error("enough");
    });
    assert.equal(globalThis.setTimeout, timer);
    assert.equal(globalThis.Date, date);
    assert(Math.abs(Date.now() - performance.timeOrigin - performance.now()) < 60_000);
    assert.equal(await simulateMesh({}, async () => "well"), "well");
  });

  it("does not begin where something is wrong with how it is called", async () => {
    await assert.rejects(
      simulateMesh({ seed: 1.5 }, async () => {}),
      { code: "BLIP_INVALID_OPTIONS", field: "seed" },
    );
    await assert.rejects(
      simulateMesh({ limitMs: 0 }, async () => {}),
      { field: "limitMs" },
    );
    const nested = await failing(async () => simulateMesh({}, async () => {}));
    assert.match(nested.message, /one play at a time/);
    const tls = await failing(async (sim) => void (await sim.start({ tls: { plaintext: true, ca: "" } })));
    assert.match(tls.message, /tls/);
    const name = await failing(async (sim) => void (await sim.start({ seeds: ["mesh.example:1"] })));
    assert.match(name.message, /no DNS/);
    const twice = await failing(async (sim) => {
      await sim.start({ listen: "10.0.0.1:1" });
      await sim.start({ listen: "10.0.0.1:1" });
    });
    assert.match(twice.message, /in use/);
    const gone = await failing(async (sim) => {
      const mesh = await sim.start();
      await sim.crash(mesh);
      sim.freeze(mesh);
    });
    assert.match(gone.message, /a member of this simulation that runs/);
  });
});
