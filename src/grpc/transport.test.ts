import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, afterEach, describe, it } from "node:test";
import { Server } from "@grpc/grpc-js";
import type { Found } from "../core/doorway.ts";
import { type Endpoint, nodeIdOf, parseEndpoint, portOf } from "../core/endpoint.ts";
import type { Broadcast, Gossip, Reply, Request } from "../core/messages.ts";
import { refuse, refused } from "../core/refusals.ts";
import { PATHS, PROBES, RELAY } from "./methods.ts";
import {
  ask,
  at,
  bind,
  FrozenPeer,
  freePort,
  metadataOf,
  OBSERVERS,
  type Script,
  ScriptedMember,
  until,
  viewOf,
} from "./scripted-member.test.ts";
import { Transport, type TransportOptions } from "./transport.ts";

const SELF = at(1);
const UUID = nodeIdOf(3n, 4n);
const RANK = { round: 2, nodeIndex: 7n };
const WITHIN = { sender: SELF, configuration: 2n ** 63n };
const PREPARE: Gossip = { kind: "prepare", ...WITHIN, rank: RANK };
const JOIN: Request = { kind: "join", ...WITHIN, ring: 3, uuid: UUID, metadata: metadataOf({ zone: "a" }) };
const PROBE: Request = { kind: "probe" };

const GOSSIP: readonly Gossip[] = [
  { kind: "alerts", ...WITHIN, edges: [{ node: at(2), ring: 1 }] },
  { kind: "fastAccepted", ...WITHIN, value: [at(2), at(3)] },
  PREPARE,
  { kind: "promise", ...WITHIN, rank: RANK, voted: RANK, value: [] },
  { kind: "accept", ...WITHIN, rank: RANK, value: [at(2)] },
  { kind: "accepted", ...WITHIN, rank: RANK, value: [at(2)] },
];

const toStop: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of toStop.splice(0).reverse()) await thing.stop();
});

after(async () => {
  // Whatever was left open would show here: sockets, listeners and timers that hold the process.
  await until(() => openHandles().length === 0, `nothing is open: ${openHandles()}`);
});

function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name));
}

async function member(
  script?: Script,
  options?: Parameters<typeof ScriptedMember.start>[1],
): Promise<ScriptedMember> {
  const started = await ScriptedMember.start(script, options);
  toStop.push(started);
  return started;
}

async function frozen(): Promise<FrozenPeer> {
  const started = await FrozenPeer.start();
  toStop.push(started);
  return started;
}

function transport(options: Partial<TransportOptions> = {}): Transport {
  const made = new Transport({ self: SELF, observers: OBSERVERS, ...options });
  toStop.push({ stop: () => made.close() });
  return made;
}

let unique = 0n;
function broadcast(gossip: Gossip = PREPARE): Broadcast {
  return { kind: "broadcast", unix: 1_700_000_000n, unique: ++unique, gossip };
}

describe("a call", () => {
  it("carries every kind of request, and the answer back", async () => {
    const view = viewOf([at(2)], [at(3)]);
    const replies: Partial<Record<Request["kind"], Reply>> = {
      preJoin: { kind: "contacts", sender: SELF, configuration: 5n, observers: [at(2), at(2)] },
      join: { kind: "joined", sender: SELF, configuration: view.id, view },
    };
    const peer = await member((request) => replies[request.kind] ?? { kind: "ack" });
    const through = transport();
    const requests: readonly Request[] = [
      ...GOSSIP,
      ...GOSSIP.map(broadcast),
      PROBE,
      JOIN,
      { kind: "preJoin", sender: SELF, uuid: UUID },
      { kind: "leave", ...WITHIN },
    ];
    for (const request of requests) {
      const reply = await ask(through, peer.endpoint, request);
      assert.deepEqual(peer.asked.at(-1), request);
      if (reply.kind !== "joined") assert.deepEqual(reply, replies[request.kind] ?? { kind: "ack" });
      else assert.deepEqual([reply.configuration, reply.view.members], [view.id, view.members]);
    }
    assert.equal(peer.asked.length, requests.length);
    assert.equal(peer.membership.waiting, 0);
  });

  it("is refused with the code and the words of the core", async () => {
    const peer = await member();
    const through = transport();
    for (const refusal of Object.values(refuse)) {
      const expected = typeof refusal === "function" ? refusal(SELF) : refusal;
      peer.script = () => expected;
      assert.deepEqual(await ask(through, peer.endpoint, JOIN), expected);
    }
    const odd = refused("data_loss", "100 % – größer\n");
    peer.script = () => odd;
    assert.deepEqual(await ask(through, peer.endpoint, PROBE), odd);
  });

  it("that is called off tells the other side, and nothing to this side", async () => {
    const peer = await member(() => undefined);
    const through = transport();
    const cancel = through.call(peer.endpoint, JOIN, 5000, () => assert.fail("was called off"));
    await until(() => peer.membership.waiting === 1, "it waits");
    cancel();
    await until(() => peer.hungUp.length === 1, "it hung up");
    assert.deepEqual(peer.hungUp, peer.asked);
    assert.equal(peer.membership.waiting, 0);
  });

  it("that takes too long is refused here and hung up there", async () => {
    const peer = await member(() => undefined);
    const through = transport();
    // The connection is made first, so that the time is spent in waiting for the answer.
    peer.script = () => ({ kind: "ack" });
    await ask(through, peer.endpoint, PROBE);
    peer.script = () => undefined;
    const reply = await ask(through, peer.endpoint, JOIN, 100);
    assert.ok(reply.kind === "refused" && reply.code === "deadline_exceeded");
    await until(() => peer.hungUp.length === 1 && peer.membership.waiting === 0, "it hung up");
  });

  it("that waits is answered when the core answers", async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const peer = await member((_request, answer) => void waiting.push(answer));
    const replies = [1, 2].map(() => ask(transport(), peer.endpoint, JOIN));
    await until(() => waiting.length === 2, "both wait");
    for (const answer of waiting) answer(refuse.wrongConfiguration);
    assert.deepEqual(await Promise.all(replies), [refuse.wrongConfiguration, refuse.wrongConfiguration]);
    assert.deepEqual([peer.membership.waiting, peer.hungUp.length], [0, 0]);
  });

  it("to nobody is refused at once, and reaches whoever comes", async () => {
    const port = await freePort();
    const through = transport();
    const reply = await ask(through, at(port), PROBE);
    assert.ok(reply.kind === "refused" && reply.code === "unavailable", JSON.stringify(reply));
    const peer = await member(undefined, { port });
    while (peer.asked.length === 0) await ask(through, at(port), PROBE);
  });

  it("to a peer that is frozen ends, and leaves no socket behind", async () => {
    const peer = await frozen();
    const through = transport({ connectTimeoutMs: 50 });
    while (peer.accepted < 2) {
      const reply = await ask(through, peer.endpoint, PROBE);
      assert.ok(reply.kind === "refused" && reply.code === "unavailable", JSON.stringify(reply));
      await until(() => peer.sockets.size === 0, "the socket is gone");
    }
  });

  it("is answered also when the transport is closed, or closes", async () => {
    const peer = await member(() => undefined);
    const through = transport();
    const under = ask(through, peer.endpoint, JOIN);
    await until(() => peer.asked.length === 1, "it is under way");
    await through.close();
    const reply = await under;
    assert.ok(reply.kind === "refused" && reply.code === "cancelled");
    assert.deepEqual(await ask(through, peer.endpoint, JOIN), refuse.closed);
  });

  it("survives an answer that is no message", async () => {
    const server = new Server();
    const bytes = (value: Buffer): Buffer => value;
    server.register(
      PATHS.preJoin,
      (_call: unknown, respond: (e: null, v: Buffer) => void) => {
        respond(null, Buffer.from("0aff", "hex"));
      },
      bytes,
      bytes,
      "unary",
    );
    const endpoint = await bind(server);
    toStop.push({ stop: async () => server.forceShutdown() });
    const reply = await ask(transport(), endpoint, { kind: "preJoin", sender: SELF, uuid: UUID });
    assert.ok(reply.kind === "refused" && reply.code === "internal");
    const unknown = await ask(transport(), endpoint, PROBE);
    assert.ok(unknown.kind === "refused" && unknown.code === "unimplemented");
  });
});

describe("probes of a Node member", () => {
  it("travel on one stream, and are answered as calls would be", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    for (let i = 0; i < 5; i++) assert.deepEqual(await ask(through, peer.endpoint, PROBE), { kind: "ack" });
    assert.equal(peer.membership.streams, 1);
    peer.script = () => refuse.degraded;
    const reply = await ask(through, peer.endpoint, PROBE);
    assert.ok(reply.kind === "refused" && reply.code === "unavailable");
    assert.equal(peer.asked.length, 6);
  });

  it("tell as whom the member answers, and where it is; an older one says neither", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    const uuid = nodeIdOf(1n, 2n);
    for (const more of [{}, { uuid }, { uuid, configuration: 2n ** 64n - 1n }]) {
      peer.script = () => ({ kind: "ack", ...more });
      assert.deepEqual(await ask(through, peer.endpoint, PROBE), { kind: "ack", ...more });
    }
    peer.script = () => ({ ...refuse.degraded, configuration: 7n });
    const reply = await ask(through, peer.endpoint, PROBE);
    assert.ok(reply.kind === "refused" && reply.configuration === 7n);
  });

  it("fail in time where the member does not answer, and succeed when it does again", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    assert.deepEqual(await ask(through, peer.endpoint, PROBE), { kind: "ack" });
    peer.script = () => undefined;
    const reply = await ask(through, peer.endpoint, PROBE, 50);
    assert.ok(reply.kind === "refused" && reply.code === "deadline_exceeded");
    peer.script = () => ({ kind: "ack" });
    assert.deepEqual(await ask(through, peer.endpoint, PROBE), { kind: "ack" });
  });

  it("are answered by what comes late for the one before, and then each by its own again", async () => {
    const answers: ((reply: Reply) => void)[] = [];
    const peer = await member((_request, answer) => void answers.push(answer));
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    const late = await ask(through, peer.endpoint, PROBE, 50);
    assert.ok(late.kind === "refused" && late.code === "deadline_exceeded");
    const second = ask(through, peer.endpoint, PROBE);
    await until(() => answers.length === 2, "it is asked again");
    answers[0]!({ kind: "ack" });
    assert.deepEqual(await second, { kind: "ack" });
    answers[1]!({ kind: "ack" });
    peer.script = () => refuse.degraded;
    while ((await ask(through, peer.endpoint, PROBE)).kind === "ack");
    assert.equal(peer.membership.streams, 1);
  });

  it("travel on another stream where too many answers are owed", async () => {
    const peer = await member(() => undefined);
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    for (let i = 0; i < 9; i++) {
      const reply = await ask(through, peer.endpoint, PROBE, 20);
      assert.ok(reply.kind === "refused" && reply.code === "deadline_exceeded");
    }
    await until(() => peer.membership.streams === 0, "the stream is closed");
    peer.script = () => ({ kind: "ack" });
    assert.deepEqual(await ask(through, peer.endpoint, PROBE), { kind: "ack" });
  });

  it("fail at once where it is gone, or closed", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    assert.deepEqual(await ask(through, peer.endpoint, PROBE), { kind: "ack" });
    peer.membership.close();
    assert.equal((await ask(through, peer.endpoint, PROBE)).kind, "refused");
    assert.equal((await ask(through, peer.endpoint, PROBE)).kind, "refused");
    await peer.stop();
    assert.equal((await ask(through, peer.endpoint, PROBE)).kind, "refused");
  });

  it("are calls where it knows no such stream", async () => {
    const peer = await member();
    peer.server.unregister(PROBES);
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    await ask(through, peer.endpoint, PROBE);
    assert.deepEqual(await ask(through, peer.endpoint, PROBE), { kind: "ack" });
  });

  it("are refused when the member is probed no more", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    peer.script = () => undefined;
    const probes = [ask(through, peer.endpoint, PROBE)];
    await until(() => peer.asked.length === 1, "it is under way");
    through.follow(viewOf([at(2)]));
    assert.equal((await probes[0]!).kind, "refused");
    await until(() => peer.membership.streams === 0, "the stream is closed");
  });
});

describe("whoever answers a probe", () => {
  it("says as whom", async () => {
    const peer = await member(() => ({ kind: "ack", uuid: UUID }));
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    assert.deepEqual(await ask(through, peer.endpoint, PROBE), { kind: "ack", uuid: UUID });
    peer.script = () => ({ ...refuse.degraded, uuid: UUID });
    const reply = await ask(through, peer.endpoint, PROBE);
    assert.ok(reply.kind === "refused" && reply.code === "unavailable");
    assert.equal(reply.uuid, UUID);
  });
});

describe("a connection that breaks", () => {
  /** A Node member that has answered a probe, and the peers that were disconnected from since. */
  async function probed(options?: Partial<TransportOptions>) {
    const lost: Endpoint[] = [];
    const peer = await member();
    const through = transport({ disconnected: (endpoint) => lost.push(endpoint), ...options });
    through.follow(viewOf([peer.endpoint]));
    assert.deepEqual(await ask(through, peer.endpoint, PROBE), { kind: "ack" });
    return { peer, through, lost };
  }

  it("is told of, once", async () => {
    const { peer, through, lost } = await probed();
    peer.server.forceShutdown();
    await until(() => lost.length > 0, "it is told of");
    assert.equal((await ask(through, peer.endpoint, PROBE)).kind, "refused");
    assert.deepEqual(lost, [peer.endpoint]);
  });

  it("is told of where broadcasts travelled on it, but no probe yet", async () => {
    const lost: Endpoint[] = [];
    const peer = await member();
    const through = transport({ disconnected: (endpoint) => lost.push(endpoint) });
    through.follow(viewOf([peer.endpoint]));
    through.send([peer.endpoint], broadcast());
    await until(() => through.tally.delivered === 1, "it is delivered");
    peer.server.forceShutdown();
    await until(() => lost.length > 0, "it is told of");
    assert.deepEqual(lost, [peer.endpoint]);
  });

  it("is not told of where it was our own doing", async () => {
    const { peer, through, lost } = await probed();
    peer.script = () => undefined;
    await ask(through, peer.endpoint, PROBE, 20);
    peer.script = () => ({ kind: "ack" });
    await ask(through, peer.endpoint, PROBE);
    through.follow(viewOf([at(2)]));
    await until(() => peer.membership.streams === 0, "the stream is closed");
    await through.close();
    assert.deepEqual(lost, []);
  });

  it("is not waited for when somebody takes connections there again", async () => {
    const aMinute = 60_000;
    const { peer, through } = await probed({
      channelOptions: {
        "grpc.initial_reconnect_backoff_ms": aMinute,
        "grpc.max_reconnect_backoff_ms": aMinute,
      },
    });
    await peer.stop();
    for (let i = 0; i < 2; i++) assert.equal((await ask(through, peer.endpoint, PROBE)).kind, "refused");
    const server = new Server();
    toStop.push({ stop: async () => server.forceShutdown() });
    await bind(server, portOf(peer.endpoint));
    assert.equal(await dialled(through, peer.endpoint), "accepted");
    const reply = await ask(through, peer.endpoint, PROBE);
    assert.ok(reply.kind === "refused" && reply.code === "unimplemented", "it was reached");
  });
});

describe("a dial", () => {
  it("is accepted where somebody listens, however frozen", async () => {
    const frozen = await FrozenPeer.start();
    toStop.push(frozen);
    assert.equal(await dialled(transport(), frozen.endpoint), "accepted");
    await until(() => frozen.accepted === 1 && frozen.sockets.size === 0, "it hung up");
  });

  it("is refused where nobody does", async () => {
    assert.equal(await dialled(transport(), at(await freePort())), "refused");
  });

  it("is unknown where the trouble is ours: no route, no right", async () => {
    // A broadcast address cannot be connected to.
    assert.equal(await dialled(transport(), parseEndpoint("255.255.255.255:9")!), "unknown");
  });

  it("is unknown where a full queue lets nobody in", async (t) => {
    const deaf = await deafListener();
    if (deaf === undefined) return t.skip("python3 is missing");
    toStop.push(deaf);
    assert.equal(await dialled(transport(), deaf.endpoint), "unknown");
  });

  it("is over when the transport is", async () => {
    const through = transport();
    const result = dialled(through, parseEndpoint("192.0.2.1:9")!);
    await through.close();
    assert.equal(await result, "unknown");
    assert.equal(await dialled(through, at(2)), "unknown");
  });
});

function dialled(through: Transport, to: Endpoint): Promise<Found> {
  return new Promise((resolve) => through.dial(to, resolve));
}

/** A process that listens, never accepts, and whose queue is full: the kernel drops whoever else comes. */
async function deafListener(): Promise<{ endpoint: Endpoint; stop(): Promise<void> } | undefined> {
  const program = [
    "import socket,sys",
    "s=socket.socket();s.bind(('127.0.0.1',0));s.listen(0)",
    "q=[socket.socket() for _ in range(4)]",
    "for c in q: c.setblocking(False); c.connect_ex(s.getsockname())",
    "print(s.getsockname()[1],flush=True)",
    "sys.stdin.read()",
  ].join("\n");
  const child = spawn("python3", ["-c", program], { stdio: ["pipe", "pipe", "ignore"] });
  const port = await new Promise<number | undefined>((resolve) => {
    child.once("error", () => resolve(undefined));
    child.stdout.once("data", (line: Buffer) => resolve(Number(line)));
  });
  if (port === undefined) return undefined;
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await new Promise((resolve) => child.once("close", resolve));
  };
  return { endpoint: at(port), stop };
}

describe("sends to a Rust member", () => {
  it("are calls, a limited number at a time, in order", async () => {
    const answers: ((reply: Reply) => void)[] = [];
    const peer = await member((_request, answer) => void answers.push(answer));
    const through = transport({ outbox: { calls: 4 } });
    const sent = Array.from({ length: 10 }, () => broadcast());
    for (const message of sent) through.send([peer.endpoint], message);
    await until(() => peer.asked.length === 4, "four are under way");
    answers.shift()!({ kind: "ack" });
    await until(() => peer.asked.length === 5, "the next follows");
    while (peer.asked.length < sent.length || answers.length > 0) {
      answers.shift()?.(refuse.redundant);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => through.tally.delivered === sent.length, "all are delivered");
    assert.deepEqual(peer.asked, sent);
    assert.deepEqual(through.tally, { trips: 10, delivered: 10, dropped: 0, failed: 0 });
  });

  it("that are refused are counted and not repeated", async () => {
    const peer = await member(() => refuse.alreadyVoted);
    const through = transport();
    through.send([peer.endpoint], broadcast());
    await until(() => through.tally.failed === 1, "it failed");
    assert.equal(peer.asked.length, 1);
  });
});

describe("sends to a Node member", () => {
  it("share frames where they have to wait, and are heard in order", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    const sent = Array.from({ length: 300 }, () => broadcast());
    for (const message of sent) through.send([peer.endpoint], message);
    await until(() => through.tally.delivered === 300, "all are delivered");
    assert.deepEqual(peer.asked, sent);
    assert.ok(through.tally.trips <= 3, `${through.tally.trips} frames`);
  });

  it("fill frames up to a number and up to a size", async () => {
    const peer = await member();
    const through = transport({ outbox: { frameMessages: 10, frameBytes: 200 } });
    through.follow(viewOf([peer.endpoint]));
    for (let i = 0; i < 100; i++) through.send([peer.endpoint], broadcast());
    await until(() => through.tally.delivered === 100, "all are delivered");
    assert.ok(through.tally.trips >= 20, `${through.tally.trips} frames`);
    // One that is larger than a frame may be travels alone.
    const value = Array.from({ length: 100 }, (_, i) => at(i + 1));
    through.send([peer.endpoint], broadcast({ kind: "fastAccepted", ...WITHIN, value }));
    await until(() => through.tally.delivered === 101, "the large one is delivered");
  });

  it("are calls where they are no broadcasts", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    through.send([peer.endpoint], GOSSIP[3]!);
    through.send([peer.endpoint], broadcast());
    await until(() => through.tally.delivered === 2, "both are delivered");
    assert.deepEqual(peer.asked.map((request) => request.kind).sort(), ["broadcast", "promise"]);
  });

  it("are calls once it turns out that it takes no frames, and none is lost", async () => {
    const peer = await member();
    peer.server.unregister(RELAY);
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    const sent = Array.from({ length: 50 }, () => broadcast());
    for (const message of sent) through.send([peer.endpoint], message);
    await until(() => peer.asked.length === 50, "all are delivered");
    assert.deepEqual(peer.asked, sent);
    assert.deepEqual([through.tally.dropped, through.tally.failed], [0, 0]);
  });

  it("open the stream anew after the peer was away", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    through.send([peer.endpoint], broadcast());
    await until(() => through.tally.delivered === 1, "the first is delivered");
    await peer.stop();
    const port = Number(peer.endpoint.split(":")[1]);
    const next = await member(undefined, { port });
    let sent = 0;
    await until(() => {
      if (sent++ % 50 === 0) through.send([next.endpoint], broadcast());
      return next.asked.length > 0;
    }, "it is reached again");
  });

  it("reach it also where it is removed meanwhile", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    for (let i = 0; i < 1000; i++) through.send([peer.endpoint], broadcast());
    await until(() => through.tally.trips > 0, "the first frame is under way");
    through.follow(viewOf([at(2)]));
    await until(() => through.tally.delivered === 1000, "all are delivered");
    assert.deepEqual([through.tally.failed, through.tally.trips < 10], [0, true]);
  });

  it("do not leave the stream open when the peer is no neighbour any more", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    through.send([peer.endpoint], broadcast());
    await until(() => through.tally.delivered === 1, "it is delivered");
    assert.equal(peer.membership.streams, 1);
    through.follow(viewOf([at(2)]));
    await until(() => peer.membership.streams === 0, "the stream is closed");
  });
});

describe("an outbox", () => {
  it("keeps the newest, within limits, and says once that it drops", async () => {
    const peer = await member(() => undefined);
    const notes: string[] = [];
    const through = transport({
      outbox: { messages: 5, calls: 1 },
      note: (level, text) => notes.push(`${level}: ${text}`),
    });
    through.send([peer.endpoint], broadcast());
    await until(() => peer.asked.length === 1, "the first is under way");
    const sent = Array.from({ length: 100 }, () => broadcast());
    for (const message of sent) through.send([peer.endpoint], message);
    assert.equal(through.tally.dropped, 95);
    assert.deepEqual(notes, [`debug: ${peer.endpoint} is slow: messages to it are dropped`]);
  });

  it("of a peer that cannot be reached empties itself", async () => {
    const through = transport();
    const nobody = at(await freePort());
    for (let i = 0; i < 1000; i++) through.send([nobody], broadcast());
    await until(() => through.tally.failed + through.tally.dropped === 1000, "none waits");
    assert.ok(through.tally.trips <= 64, `${through.tally.trips} calls`);
  });

  it("of a frozen peer gives up in time", async () => {
    const peer = await frozen();
    const through = transport({ connectTimeoutMs: 50 });
    through.follow(viewOf([peer.endpoint]));
    for (let i = 0; i < 100; i++) through.send([peer.endpoint], broadcast());
    await until(() => through.tally.failed + through.tally.dropped === 100, "none waits");
  });
});

describe("closing", () => {
  it("waits for what was sent", async () => {
    const peer = await member();
    const through = transport();
    through.follow(viewOf([peer.endpoint]));
    for (let i = 0; i < 2000; i++) through.send([peer.endpoint], broadcast());
    await through.close({ drainMs: 5000 });
    assert.equal(peer.asked.length, 2000);
    assert.equal(through.tally.delivered, 2000);
  });

  it("waits for a limited time", async () => {
    const peer = await member(() => undefined);
    const through = transport();
    through.send([peer.endpoint], PREPARE);
    const start = performance.now();
    await through.close({ drainMs: 50 });
    assert.ok(performance.now() - start < 1000);
  });

  it("leaves no connection", async () => {
    const peers = [await frozen(), await frozen()];
    const fine = await member();
    const through = transport();
    for (const { endpoint } of [...peers, fine]) through.call(endpoint, PROBE, 5000, () => {});
    await until(() => peers.every((peer) => peer.sockets.size === 1), "all are connected");
    await through.close();
    await until(() => peers.every((peer) => peer.sockets.size === 0), "none is connected");
  });
});
