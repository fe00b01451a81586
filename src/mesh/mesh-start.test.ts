// How members start: alone, through seeds, or not at all.

import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { freePort, Greeter, PATIENCE, startMembers, startMesh } from "./greeter.test.ts";
import type { Logger } from "./logger.ts";
import { createMesh, type Mesh } from "./mesh.ts";
import { service } from "./service.ts";

async function occupiedPort(t: TestContext): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { port: (server.address() as { port: number }).port, server };
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
