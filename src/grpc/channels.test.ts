import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { connect, createServer, Socket } from "node:net";
import { afterEach, describe, it } from "node:test";
import { queryObjects } from "node:v8";
import {
  type ChannelInterface,
  Client,
  connectivityState,
  credentials,
  Server,
  ServerCredentials,
  status,
} from "@grpc/grpc-js";
import { type Endpoint, parseEndpoint, portOf } from "../core/endpoint.ts";
import { Channels } from "./channels.ts";
import { PATHS } from "./methods.ts";
import { at, FrozenPeer, freePort, ScriptedMember, until } from "./scripted-member.test.ts";
import { unary } from "./unary.ts";

const toStop: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

function pool(...options: ConstructorParameters<typeof Channels>): Channels {
  const channels = new Channels(...options);
  toStop.push(() => channels.closeAll());
  return channels;
}

async function member(port = 0): Promise<ScriptedMember> {
  const started = await ScriptedMember.start(undefined, { port });
  toStop.push(() => started.stop());
  return started;
}

async function frozen(): Promise<FrozenPeer> {
  const peer = await FrozenPeer.start();
  toStop.push(() => peer.stop());
  return peer;
}

function probe(channel: ChannelInterface, timeoutMs = 5000): Promise<number> {
  return new Promise((resolve) => unary(channel, PATHS.probe, Buffer.alloc(0), timeoutMs, resolve));
}

function refusal(channel: ChannelInterface): Promise<[number, string]> {
  return new Promise((resolve) => {
    unary(channel, PATHS.probe, Buffer.alloc(0), 5000, (code, details) => resolve([code, details]));
  });
}

const READY = connectivityState.READY;

describe("channels", () => {
  it("keep one connection to each peer", async () => {
    const peer = await member();
    const channels = pool();
    const channel = channels.to(peer.endpoint);
    assert.equal(channels.size, 0);
    assert.equal(await probe(channel), status.OK);
    assert.equal(await probe(channels.to(peer.endpoint)), status.OK);
    assert.equal(channels.size, 1);
    assert.equal(channel.getConnectivityState(false), READY);
  });

  it("close to all that are not retained, and connect again when called", async () => {
    const [first, second] = [await member(), await member()];
    const channels = pool();
    const [toFirst, toSecond] = [channels.to(first.endpoint), channels.to(second.endpoint)];
    assert.deepEqual(await Promise.all([toFirst, toSecond].map((to) => probe(to))), [0, 0]);
    channels.retain([second.endpoint]);
    assert.equal(channels.size, 1);
    assert.equal(toSecond.getConnectivityState(false), READY);
    assert.equal(await probe(toFirst), status.OK);
    assert.equal(channels.size, 2);
  });

  it("let calls end that are under way when they close", async () => {
    const peer = await member();
    let answer = (): void => {};
    peer.script = (_request, reply) => {
      answer = () => reply({ kind: "ack" });
      return undefined;
    };
    const channels = pool();
    const call = probe(channels.to(peer.endpoint));
    await until(() => peer.asked.length === 1, "it is under way");
    channels.retain([]);
    answer();
    assert.equal(await call, status.OK);
  });

  it("end calls also of connections closed before when the pool is closed", async () => {
    const peer = await member();
    peer.script = () => undefined;
    const channels = pool();
    const call = probe(channels.to(peer.endpoint));
    await until(() => peer.asked.length === 1, "it is under way");
    channels.retain([]);
    channels.closeAll();
    assert.equal(await call, status.UNAVAILABLE);
  });

  it("cannot be used when the pool is closed", async () => {
    const peer = await member();
    const channels = pool();
    const channel = channels.to(peer.endpoint);
    assert.equal(await probe(channel), status.OK);
    channels.closeAll();
    assert.equal(await probe(channel), status.UNAVAILABLE);
    assert.equal(await probe(channels.to(peer.endpoint)), status.UNAVAILABLE);
    assert.equal(channels.size, 0);
  });

  it("serve clients of grpc-js, before and after the connection is lost", async () => {
    const port = await freePort();
    const channels = pool();
    const client = new Client("unused", credentials.createInsecure(), {
      channelOverride: channels.to(at(port)),
    });
    const same = (bytes: Buffer): Buffer => bytes;
    const call = (): Promise<number> =>
      new Promise((resolve) => {
        client.makeUnaryRequest(PATHS.probe, same, same, Buffer.alloc(0), (error) =>
          resolve(error?.code ?? 0),
        );
      });
    for (let life = 0; life < 2; life++) {
      const peer = await ScriptedMember.start(undefined, { port });
      while ((await call()) !== status.OK);
      await peer.stop();
    }
    assert.equal(await call(), status.UNAVAILABLE);
  });

  it("keep hardly anything of connections that were refused or lost", async () => {
    const port = await freePort();
    const channels = pool({ connectTimeoutMs: 60_000 });
    const channel = channels.to(at(port));
    const sockets = (): number => queryObjects(Socket, { format: "count" });
    const before = sockets();
    for (let life = 0; life < 6; life++) {
      while ((await probe(channel)) !== status.UNAVAILABLE);
      const peer = await ScriptedMember.start(undefined, { port });
      while ((await probe(channel)) !== status.OK);
      await peer.stop();
    }
    // The last two are remembered, since calls might be under way there; and one may be on its way.
    await until(() => sockets() <= before + 3, "the others are forgotten");
  });

  it("reach IPv6 peers by their address", async (test) => {
    const peer = await member();
    const server = new Server();
    peer.membership.serveOn(server);
    toStop.push(() => server.forceShutdown());
    const port = await new Promise<number>((resolve) => {
      server.bindAsync("[::1]:0", ServerCredentials.createInsecure(), (_error, bound) => resolve(bound));
    });
    if (!port) return test.skip("no IPv6 here");
    assert.equal(await probe(pool().to(parseEndpoint(`[::1]:${port}`)!)), status.OK);
  });
});

describe("a peer that does not answer", () => {
  it("is given up in time and tried anew by the next call, with more patience", async () => {
    const peer = await frozen();
    const channels = pool({ connectTimeoutMs: 50 });
    const channel = channels.to(peer.endpoint);
    for (const ms of [50, 100, 150, 150]) {
      assert.deepEqual(await refusal(channel), [status.UNAVAILABLE, `no connection within ${ms} ms`]);
      await until(() => peer.sockets.size === 0, "its socket is gone");
    }
    assert.equal(peer.accepted, 4);
    assert.equal(channels.size, 0);
  });

  it("in time is reached all the same, where it is slow and not dead", async () => {
    const peer = await member();
    const gate = createServer((socket) => {
      socket.on("error", () => {});
      const pass = (): void => {
        const onward = connect(portOf(peer.endpoint), "127.0.0.1").on("error", () => {});
        socket.pipe(onward).pipe(socket);
        socket.once("close", () => onward.destroy());
      };
      const timer = setTimeout(pass, 70);
      socket.once("close", () => clearTimeout(timer));
    });
    await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
    toStop.push(() => gate.close());
    const channel = pool({ connectTimeoutMs: 50 }).to(at((gate.address() as { port: number }).port));
    assert.deepEqual(await refusal(channel), [status.UNAVAILABLE, "no connection within 50 ms"]);
    while ((await probe(channel)) !== status.OK);
  });

  it("leaves no socket when the pool is closed while it connects", async () => {
    const peer = await frozen();
    const channels = pool();
    const calls = [1, 2, 3].map(() => probe(channels.to(peer.endpoint)));
    await until(() => peer.sockets.size === 1, "it is connected");
    channels.closeAll();
    assert.deepEqual(await Promise.all(calls), [14, 14, 14]);
    await until(() => peer.sockets.size === 0, "its socket is gone");
  });

  it("leaves no socket whenever the pool is closed", async () => {
    const peer = await frozen();
    for (let turns = 0; turns < 40; turns++) {
      const channels = pool();
      const call = probe(channels.to(peer.endpoint));
      for (let turn = 0; turn < turns % 20; turn++) await Promise.resolve();
      if (turns >= 20) await new Promise((resolve) => process.nextTick(resolve));
      channels.closeAll();
      assert.equal(await call, status.UNAVAILABLE);
    }
    await until(() => peer.sockets.size === 0 && openSockets() === 0, "no socket is left");
  });

  it("does not stay given up: who listens there later is reached", async () => {
    const port = await freePort();
    const channels = pool({ connectTimeoutMs: 200 });
    const channel = channels.to(at(port));
    assert.equal(await probe(channel), status.UNAVAILABLE);
    await until(() => channels.size === 0, "it is given up");
    await member(port);
    while ((await probe(channel)) !== status.OK);
  });

  it("though it did before, is noticed, and reached when it is back", async () => {
    const peer = await member();
    const wire = await Wire.to(peer.endpoint);
    const keepalive = { "grpc.keepalive_time_ms": 100, "grpc.keepalive_timeout_ms": 200 };
    const channels = pool({ connectTimeoutMs: 300, channelOptions: keepalive });
    const channel = channels.to(wire.endpoint);
    while ((await probe(channel)) !== status.OK);
    wire.cut();
    assert.equal(await probe(channel), status.UNAVAILABLE);
    assert.equal(await probe(channel), status.UNAVAILABLE);
    await until(() => wire.sockets.size === 0, "the silent connections are gone");
    wire.mend();
    while ((await probe(channel)) !== status.OK);
  });

  it("may not even take the connection: no socket is left of that either", {
    skip: process.platform !== "linux" && "needs a kernel that drops SYNs when the backlog is full",
  }, async () => {
    const stopped = await stoppedListener();
    const { crowd, endpoint } = stopped;
    try {
      const before = openSockets();
      const channels = pool({ connectTimeoutMs: 100 });
      assert.equal(await probe(channels.to(endpoint)), status.UNAVAILABLE);
      await until(() => openSockets() === before, "the socket is gone");
      const held = pool();
      const call = probe(held.to(endpoint));
      await until(() => openSockets() === before + 1, "it connects");
      held.closeAll();
      assert.equal(await call, status.UNAVAILABLE);
      await until(() => openSockets() === before, "the socket is gone");
      assert.ok(crowd.some((socket) => socket.connecting));
    } finally {
      for (const socket of crowd) socket.destroy();
      stopped.child.kill("SIGKILL");
    }
  });
});

/** A wire to a peer that can be cut without either end noticing. */
class Wire {
  readonly sockets = new Set<Socket>();
  endpoint!: Endpoint;
  #isCut = false;

  static async to(peer: Endpoint): Promise<Wire> {
    const wire = new Wire();
    const server = createServer((near) => {
      const far = connect(portOf(peer), "127.0.0.1");
      wire.sockets.add(near);
      near.on("close", () => {
        wire.sockets.delete(near);
        far.destroy();
      });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on("error", () => {});
        from.on("data", (bytes) => wire.#isCut || to.write(bytes));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    wire.endpoint = at((server.address() as { port: number }).port);
    toStop.push(() => server.close());
    return wire;
  }

  cut(): void {
    this.#isCut = true;
  }

  mend(): void {
    this.#isCut = false;
  }
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP(Connect|Socket)Wrap/.test(name)).length;
}

/** A process that is stopped while it listens, with so many connections in its backlog that no more fit. */
async function stoppedListener(): Promise<{ child: ChildProcess; crowd: Socket[]; endpoint: Endpoint }> {
  const script = `
    const server = require("node:net").createServer();
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => process.stdout.write(server.address().port + "\\n"));`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<number>((resolve) => {
    child.stdout.once("data", (line) => resolve(Number(line)));
  });
  child.kill("SIGSTOP");
  const crowd: Socket[] = [];
  // Connections are established by the kernel until the backlog is full; the one that is not shows that it is.
  for (let full = false; !full; ) {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    crowd.push(socket);
    const tried = performance.now();
    await until(() => !socket.connecting || performance.now() - tried > 200, "it is connected, or is not");
    full = socket.connecting;
  }
  return { child, crowd, endpoint: at(port) };
}
