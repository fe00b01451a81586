// Meshes of real members on the loopback interface, from start to end.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { client } from "./client.ts";
import { BlipError } from "./errors.ts";
import { Greeter, LOOPBACK, PATIENCE, startMembers, startMesh } from "./greeter.test.ts";
import type { Logger } from "./logger.ts";
import { createMesh, type Mesh } from "./mesh.ts";
import { service } from "./service.ts";

async function occupiedPort(t: TestContext): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { port: (server.address() as { port: number }).port, server };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A logger, and a promise of the first text that matches. */
function listening(pattern: RegExp): { readonly logger: Logger; readonly heard: Promise<string> } {
  let hear = (_text: string): void => {};
  const heard = new Promise<string>((resolve) => {
    hear = resolve;
  });
  const note = (_context: object, text: string): void => {
    if (pattern.test(text)) hear(text);
  };
  return { logger: { debug: note, info: note, warn: note, error: note }, heard };
}

const failsWith = (code: string, message = /./) => ({ name: "BlipError", code, message });

const addressesOf = (mesh: Mesh): string[] => mesh.cut.members.map(({ address }) => address);

describe("starting", () => {
  it("founds a mesh of one on a free port", async (t) => {
    const mesh = await startMesh(t, { metadata: { zone: "eu-1" } });
    assert.match(mesh.localAddress, /^127\.0\.0\.1:[1-9]\d+$/);
    assert.deepEqual(addressesOf(mesh), [mesh.localAddress]);
    const [member] = mesh.cut.members;
    assert.deepEqual(Object.keys(member!.metadata), ["blip.ext.v1.Peer", "zone"]);
    assert.equal(member!.text("blip.ext.v1.Peer"), "1");
    assert.equal(mesh.cut.degraded, false);
  });

  it("joins through any seed, and all agree", async (t) => {
    const [a, b] = await startMembers(t, {}, { metadata: { n: "b" } });
    const dead = `127.0.0.1:${await freePort()}`;
    const c = await startMesh(t, { seeds: [dead, b!.localAddress] });
    const all = await Promise.all(
      [a!, b!, c].map((mesh) => mesh.waitFor((cut) => cut.members.length === 3, PATIENCE)),
    );
    assert.equal(new Set(all.map(({ confId }) => confId)).size, 1);
    assert.equal(c.cut.lookup(b!.localAddress)!.text("n"), "b");
    assert.deepEqual(c.cut.joined, c.cut.members);
  });

  it("speaks IPv6, and takes names", async (t) => {
    const a = await startMesh(t, { listen: "[::1]:0" });
    assert.match(a.localAddress, /^\[::1\]:\d+$/);
    const b = await startMesh(t, { listen: "[::1]:0", seeds: [a.localAddress] });
    assert.equal(b.cut.members.length, 2);
    const c = await startMesh(t, { listen: "localhost:0" });
    const d = await startMesh(t, { seeds: [`localhost:${c.localAddress.split(":").at(-1)}`] });
    assert.equal(d.cut.members.length, 2);
  });

  it("advertises another address than it listens on", async (t) => {
    const port = await freePort();
    const a = await startMesh(t, { listen: `0.0.0.0:${port}`, advertise: `127.0.0.1:${port}` });
    assert.equal(a.localAddress, `127.0.0.1:${port}`);
    const b = await startMesh(t, { seeds: () => [a.localAddress] });
    assert.deepEqual(addressesOf(b).sort(), [a.localAddress, b.localAddress].sort());
  });

  it("refuses a port that is taken, and an address that is not ours", async (t) => {
    const { port } = await occupiedPort(t);
    await assert.rejects(
      createMesh({ listen: `127.0.0.1:${port}` }),
      failsWith("BLIP_ADDRESS_IN_USE", new RegExp(`127.0.0.1:${port}`)),
    );
    await assert.rejects(
      createMesh({ listen: "192.0.2.1:0" }),
      failsWith("BLIP_CANNOT_LISTEN", /192\.0\.2\.1/),
    );
    await assert.rejects(
      createMesh({ listen: "nowhere.invalid:0" }),
      failsWith("BLIP_CANNOT_LISTEN", /nowhere.invalid does not resolve/),
    );
  });

  it("refuses seeds that are only itself", async () => {
    const port = await freePort();
    const options = { listen: `127.0.0.1:${port}`, seeds: [`127.0.0.1:${port}`] };
    await assert.rejects(createMesh(options), failsWith("BLIP_INVALID_OPTIONS", /^seeds: .*own/));
    await (await createMesh({ listen: options.listen })).close();
  });

  it("tries unreachable seeds until it is told to stop, and leaves nothing behind", async () => {
    const port = await freePort();
    const seed = `127.0.0.1:${await freePort()}`;
    const stop = new AbortController();
    const { logger, heard } = listening(/cannot join/);
    const joining = createMesh({ listen: `127.0.0.1:${port}`, seeds: [seed], signal: stop.signal, logger });
    assert.match(await heard, new RegExp(seed));
    const reason = new Error("changed my mind");
    stop.abort(reason);
    await assert.rejects(joining, { code: "BLIP_ABORTED", cause: reason });
    await (await createMesh({ listen: `127.0.0.1:${port}` })).close();
    await assert.rejects(createMesh({ signal: AbortSignal.abort() }), failsWith("BLIP_ABORTED"));
  });

  it("asks a function for seeds again and again, whatever it does", async (t) => {
    const founder = await startMesh(t);
    let asked = 0;
    const { logger, heard } = listening(/the function failed: no registry/);
    const mesh = await startMesh(t, {
      logger,
      seeds: async () => {
        asked += 1;
        if (asked === 1) throw new Error("no registry");
        if (asked === 2) return ["nonsense", `127.0.0.1:0`];
        return [founder.localAddress];
      },
    });
    await heard;
    assert.equal(asked, 3);
    assert.equal(mesh.cut.members.length, 2);
  });

  it("does not found a mesh where two wait for each other, and says why", async () => {
    const [portA, portB] = [await freePort(), await freePort()];
    const stop = new AbortController();
    const ends = [
      [portA, portB],
      [portB, portA],
    ].map(([own, other]) => {
      const { logger, heard } = listening(/not in a configuration yet/);
      const seeds = [`127.0.0.1:${other}`];
      const joining = createMesh({ listen: `127.0.0.1:${own}`, seeds, signal: stop.signal, logger });
      return { heard, refused: assert.rejects(joining, failsWith("BLIP_ABORTED")) };
    });
    await Promise.all(ends.map(({ heard }) => heard));
    stop.abort();
    await Promise.all(ends.map(({ refused }) => refused));
  });

  it("hands services the mesh, and closes it where one cannot start", async (t) => {
    let accepted: Mesh | undefined;
    const plain = service(Greeter, {});
    const mesh = await startMesh(t, {
      services: [
        {
          name: "demo.Watcher",
          register: () => {},
          accept: (given) => {
            accepted = given;
          },
        },
      ],
    });
    assert.equal(accepted, mesh);
    assert.equal(mesh.cut.members[0]!.text("demo.Watcher"), "");
    const port = await freePort();
    const failing = {
      ...plain,
      accept: () => {
        throw new Error("not today");
      },
    };
    await assert.rejects(createMesh({ listen: `127.0.0.1:${port}`, services: [failing] }), /not today/);
    await (await createMesh({ listen: `127.0.0.1:${port}` })).close();
  });
});

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
