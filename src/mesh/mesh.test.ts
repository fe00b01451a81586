// Meshes of real members on the loopback interface, from start to end.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { on, once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { client } from "./client.ts";
import { BlipError } from "./errors.ts";
import { collect, Echo, each, Greeter, LOOPBACK, PATIENCE, startMembers, startMesh } from "./greeter.test.ts";
import { service } from "./service.ts";

const failsWith = (code: string, message = /./) => ({ name: "BlipError", code, message });

describe("following", () => {
  it("iterates over cuts, and emits what changes", async (t) => {
    const a = await startMesh(t);
    const heard: string[] = [];
    a.on("joined", (member) => heard.push(`+${member.address}`));
    a.on("kicked", (member) => heard.push(`-${member.address}`));
    a.on("cut", (cut) => heard.push(`${cut.members.length}`));
    const cuts = a.cuts();
    assert.equal((await cuts.next()).value!.members.length, 1);
    const b = await startMesh(t, { seeds: [a.localAddress] });
    const joined = (await cuts.next()).value!;
    assert.deepEqual(
      joined.joined.map(({ address }) => address),
      [b.localAddress],
    );
    assert.equal(await b.leave(), true);
    const left = (await cuts.next()).value!;
    assert.deepEqual(
      left.kicked.map(({ address }) => address),
      [b.localAddress],
    );
    assert.equal(left.skipped, 0);
    const closed = once(a, "closed");
    await a.close();
    await closed;
    assert.equal((await cuts.next()).done, true);
    assert.deepEqual(heard, ["2", `+${b.localAddress}`, "1", `-${b.localAddress}`]);
  });

  it("survives a listener that throws", async (t) => {
    const a = await startMesh(t);
    // The test runner would take it for a failed test.
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    t.after(() => {
      for (const other of others) process.on("uncaughtException", other);
    });
    const caught = once(process, "uncaughtException");
    a.once("cut", () => {
      throw new Error("a listener's own fault");
    });
    const b = await startMesh(t, { seeds: [a.localAddress] });
    assert.match(String((await caught)[0]), /a listener's own fault/);
    assert.equal(await b.leave(), true);
    await a.waitFor((cut) => cut.members.length === 1, PATIENCE);
  });

  it("waits for a cut, within limits", async (t) => {
    const mesh = await startMesh(t);
    const now = await mesh.waitFor((cut) => cut.members.length === 1);
    assert.equal(now.confId, mesh.cut.confId);
    await assert.rejects(
      mesh.waitFor(() => false, { timeoutMs: 20 }),
      failsWith("BLIP_TIMEOUT", /20 ms/),
    );
    const stop = new AbortController();
    const aborted = assert.rejects(
      mesh.waitFor(() => false, { signal: stop.signal }),
      failsWith("BLIP_ABORTED"),
    );
    stop.abort();
    await aborted;
    await assert.rejects(
      mesh.waitFor(() => {
        throw new Error("bad question");
      }),
      /bad question/,
    );
    await assert.rejects(
      mesh.waitFor(() => false, { timeoutMs: Number.NaN }),
      failsWith("BLIP_INVALID_OPTIONS", /timeoutMs/),
    );
    const closed = assert.rejects(
      mesh.waitFor(() => false),
      failsWith("BLIP_CLOSED"),
    );
    await mesh.close();
    await closed;
  });
});

describe("how a member is", () => {
  it("tells that no majority is left, and then whatever it comes to", async (t) => {
    const [a, b] = await startMembers(t, { preset: "lowLatency" }, { preset: "lowLatency" });
    const well = { phase: "member", noQuorum: false, stale: false, clockAheadSeconds: 0 };
    assert.deepEqual(a!.state, well);
    const states = on(a!, "state", { signal: AbortSignal.timeout(PATIENCE.timeoutMs) });
    const next = async (): Promise<unknown> => (await states.next()).value[0];
    await b!.close();
    assert.deepEqual(b!.state, { ...well, phase: "closed" });
    assert.deepEqual(await next(), { ...well, noQuorum: true });
    assert.equal(a!.cut.members.length, 2);
    const leaving = a!.leave({ timeoutMs: 300 });
    assert.deepEqual(await next(), { ...well, phase: "leaving", noQuorum: true });
    assert.equal(await leaving, false);
    assert.deepEqual(await next(), { ...well, phase: "closed", noQuorum: true });
    assert.deepEqual(a!.state, { ...well, phase: "closed", noQuorum: true });
  });
});

describe("ending", () => {
  it("leaves without waiting for probes to fail, whoever it is", async (t) => {
    const [a, b, c] = await startMembers(t, {}, {}, {});
    const seen = b!.waitFor((cut) => cut.members.length === 2, PATIENCE);
    assert.equal(await a!.leave(), true);
    assert.ok(!(await seen).members.some(({ address }) => address === a!.localAddress));
    assert.equal(a!.cut.degraded, true);
    assert.equal(await b!.leave(), true);
    await c!.waitFor((cut) => cut.members.length === 1, PATIENCE);
    assert.equal(await c!.leave(), true);
    assert.equal(await c!.leave(), true);
  });

  it("lets calls end while it leaves, but no longer than it was given", async (t) => {
    let finish = (): void => {};
    const slow = service(Greeter, {
      hello: async ({ name }) => {
        if (name === "endless") return new Promise(() => {});
        await new Promise<void>((resolve) => {
          finish = resolve;
          started();
        });
        return { text: "done" };
      },
    });
    let started = (): void => {};
    const starting = (): Promise<void> =>
      new Promise((resolve) => {
        started = resolve;
      });
    const [a, b, c] = await startMembers(t, {}, { services: [slow] }, { services: [slow] });
    const calls = client(a!, Greeter);
    const begun = starting();
    const answer = calls.on(b!.localAddress).hello({});
    await begun;
    const left = b!.leave();
    await a!.waitFor((cut) => cut.members.length === 2, PATIENCE);
    finish();
    assert.equal((await answer).text, "done");
    assert.equal(await left, true);
    const broken = assert.rejects(calls.hello({ name: "endless" }), BlipError);
    await c!.leave({ timeoutMs: 300 });
    await broken;
  });

  it("does not wait for connections that say nothing", async (t) => {
    const talkative = service(Echo, {
      say: (call, answer) => answer(null, call.request),
      repeat: (call) => call.end(),
      join: (call, answer) => call.resume().on("end", () => answer(new Error("no"))),
      talk: (call) => void call.resume().on("end", () => call.end()),
    });
    const [a, b] = await startMembers(t, {}, { services: [talkative] });
    const echo = client(a!, Echo);
    await echo.say("x");
    await collect(echo.repeat("x"));
    await assert.rejects(echo.join(each("x")));
    await collect(echo.talk(each("x")));
    const mute = connect(Number(b!.localAddress.split(":")[1]), "127.0.0.1");
    t.after(() => mute.destroy());
    await once(mute, "connect");
    const before = performance.now();
    assert.equal(await b!.leave({ timeoutMs: 20_000 }), true);
    assert.ok(performance.now() - before < 10_000);
  });

  it("lets the own calls end too", async (t) => {
    const answering = service(Greeter, { hello: async () => ({ text: "hi" }) });
    const [a] = await startMembers(t, {}, { services: [answering] });
    const answers = Array.from({ length: 50 }, () => client(a!, Greeter).hello({}));
    const left = a!.leave();
    assert.equal((await Promise.all(answers)).length, 50);
    await left;
  });

  it("closes at once, again and again, also while it leaves", async (t) => {
    const [a, b] = await startMembers(t, {}, {});
    await b!.close();
    // Nobody is there to agree to the removal any more, so this would take its time.
    const leaving = a!.leave({ timeoutMs: 60_000 });
    await Promise.all([a!.close(), a!.close()]);
    assert.equal(await leaving, false);
    await a!.close();
    await a![Symbol.asyncDispose]();
    const stop = AbortSignal.abort();
    assert.equal(await b!.leave({ signal: stop }), false);
  });

  it("gives the port back", async (t) => {
    const [a, b] = await startMembers(t, {}, {});
    const listen = b!.localAddress;
    assert.equal(await b!.leave(), true);
    const again = await startMesh(t, { listen, seeds: [a!.localAddress] });
    assert.equal(again.localAddress, listen);
  });
});

describe("after the end", () => {
  const script = `
    import { createMesh, client, service } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
    import { Echo } from ${JSON.stringify(new URL("./greeter.test.ts", import.meta.url).href)};
    const listen = "127.0.0.1:0";
    const services = [service(Echo, { say: (call, answer) => answer(null, call.request) })];
    const a = await createMesh({ listen });
    const b = await createMesh({ listen, seeds: [a.localAddress], services });
    const c = await createMesh({ listen, seeds: [a.localAddress], services });
    void a.waitFor(() => false).catch(() => {});
    const echo = client(a, Echo, { waitForMembers: true });
    for (let i = 0; i < 4; i++) await echo.say("x");
    const stop = new AbortController();
    const joining = createMesh({ listen, seeds: ["127.0.0.1:1"], signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    await joining.catch(() => {});
    await b.leave();
    await c.close();
    await a.close();
    process.on("exit", () => console.log("over", JSON.stringify(process.getActiveResourcesInfo())));
  `;

  it("nothing keeps the process alive", async () => {
    const words = ["--import", "tsx", "--input-type=module", "--eval", script];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { timeout: 60_000 });
    assert.equal(stderr, "");
    assert.doesNotMatch(stdout, /TCP/);
    assert.match(stdout, /^over/);
  });
});

describe("two meshes in one process", () => {
  it("do not mix", async (t) => {
    const a = await startMesh(t, { listen: LOOPBACK });
    const b = await startMesh(t, { listen: LOOPBACK });
    assert.notEqual(a.cut.confId, b.cut.confId);
    assert.deepEqual([a.cut.members.length, b.cut.members.length], [1, 1]);
  });
});
