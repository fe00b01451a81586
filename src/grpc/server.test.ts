import assert from "node:assert/strict";
import { connect } from "node:http2";
import { afterEach, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { type ChannelInterface, Metadata, status } from "@grpc/grpc-js";
import { nodeIdOf, portOf } from "../core/endpoint.ts";
import { ack, type Broadcast, type Request } from "../core/messages.ts";
import { refuse } from "../core/refusals.ts";
import { Channels } from "./channels.ts";
import { encodeRequest } from "./codec.ts";
import * as blip from "./gen/blip_pb.ts";
import { PATHS, RELAY } from "./methods.ts";
import { encodeRelay } from "./peer-codec.ts";
import { at, metadataOf, ScriptedMember, until } from "./scripted-member.test.ts";
import { unary } from "./unary.ts";

const WITHIN = { sender: at(1), configuration: 5n };
const JOIN: Request = { kind: "join", ...WITHIN, ring: 3, uuid: nodeIdOf(1n, 2n), metadata: metadataOf({}) };
const EMPTY = Buffer.alloc(0);

interface Answer {
  readonly code: number;
  readonly details: string;
}

const toStop: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

async function member(...options: Parameters<typeof ScriptedMember.start>): Promise<ScriptedMember> {
  const started = await ScriptedMember.start(...options);
  toStop.push(() => started.stop());
  return started;
}

function channelTo(peer: ScriptedMember): ChannelInterface {
  const channels = new Channels();
  toStop.push(() => channels.closeAll());
  return channels.to(peer.endpoint);
}

function call(channel: ChannelInterface, path: string, bytes: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    unary(channel, path, bytes, 5000, (code, details) => resolve({ code, details }));
  });
}

let unique = 0n;
function broadcast(): Broadcast {
  const rank = { round: 2, nodeIndex: 7n };
  return { kind: "broadcast", unix: 1n, unique: ++unique, gossip: { kind: "prepare", ...WITHIN, rank } };
}

const REDUNDANT: Answer = { code: status.ALREADY_EXISTS, details: "delivery is redundant" };
const OK: Answer = { code: status.OK, details: "OK" };

describe("a malformed request is refused before the core sees it", () => {
  const endpoint = (length: number, port = 1) => ({ host: new Uint8Array(length), port, tls: false });
  const uuid = { high: 1n, low: 1n };
  const preJoin = (length: number, port?: number) =>
    Buffer.from(
      toBinary(
        blip.PreJoinReqSchema,
        create(blip.PreJoinReqSchema, { sender: endpoint(length, port), uuid }),
      ),
    );
  const empty = { sender: endpoint(4), confId: 1n };
  const cases: readonly [string, string, Buffer, Answer][] = [
    ["a host of five bytes", PATHS.preJoin, preJoin(5), invalid("invalid endpoint")],
    ["port 70000", PATHS.preJoin, preJoin(4, 70_000), invalid("invalid endpoint")],
    [
      "an empty vote",
      PATHS.fastAccepted,
      Buffer.from(toBinary(blip.FastAcceptedReqSchema, create(blip.FastAcceptedReqSchema, empty))),
      invalid("invalid proposal: expected a sorted list without duplicates"),
    ],
    ["a broadcast of nothing", PATHS.broadcast, Buffer.from("08011001", "hex"), invalid("missing oneof")],
    [
      "10 MB of metadata",
      PATHS.join,
      encodeRequest({ ...JOIN, metadata: metadataOf({ a: "x".repeat(10_000_000) }) }),
      invalid("metadata exceeds 1048576 bytes"),
    ],
  ];

  for (const [name, path, bytes, expected] of cases) {
    it(name, async () => {
      const peer = await member();
      assert.deepEqual(await call(channelTo(peer), path, bytes), expected);
      assert.deepEqual(peer.asked, []);
    });
  }

  it("what is no protobuf", async () => {
    const peer = await member();
    const { code, details } = await call(channelTo(peer), PATHS.broadcast, Buffer.from("ff", "hex"));
    assert.equal(code, status.INTERNAL);
    assert.match(details, /^failed to decode Protobuf message/);
    assert.deepEqual(peer.asked, []);
  });

  function invalid(details: string): Answer {
    return { code: status.INVALID_ARGUMENT, details };
  }
});

describe("a broadcast that was delivered before", () => {
  it("is redundant, and not handed on again", async () => {
    const peer = await member();
    const channel = channelTo(peer);
    const bytes = encodeRequest(broadcast());
    assert.deepEqual(await call(channel, PATHS.broadcast, bytes), OK);
    assert.deepEqual(await call(channel, PATHS.broadcast, bytes), REDUNDANT);
    assert.deepEqual(await call(channel, PATHS.broadcast, encodeRequest(broadcast())), OK);
    assert.equal(peer.asked.length, 2);
  });

  it("and could not be decoded is refused again for that", async () => {
    const peer = await member();
    const channel = channelTo(peer);
    const bytes = Buffer.from("080110022a00", "hex");
    const first = await call(channel, PATHS.broadcast, bytes);
    assert.equal(first.details, "invalid endpoint");
    assert.deepEqual(await call(channel, PATHS.broadcast, bytes), first);
  });

  it("and found no room in the core is welcome again", async () => {
    const peer = await member(() => refuse.tooMany);
    const channel = channelTo(peer);
    const bytes = encodeRequest(broadcast());
    assert.equal((await call(channel, PATHS.broadcast, bytes)).code, status.RESOURCE_EXHAUSTED);
    peer.script = () => ack;
    assert.deepEqual(await call(channel, PATHS.broadcast, bytes), OK);
  });
});

describe("a stream of frames", () => {
  it("is heard broadcast by broadcast, those that are fine", async () => {
    const peer = await member();
    const [first, second] = [broadcast(), broadcast()];
    const frame = [first, second, first].map(encodeRequest);
    frame.splice(1, 0, Buffer.from("080110022a00", "hex"), Buffer.from("ff", "hex"), EMPTY);
    const stream = relay(channelTo(peer));
    stream.write(encodeRelay(frame));
    await until(() => stream.answers === 1, "it is answered");
    assert.deepEqual(peer.asked, [first, second]);
    stream.write(encodeRelay([encodeRequest(first), encodeRequest(broadcast())]));
    await until(() => stream.answers === 2, "it is answered");
    assert.equal(peer.asked.length, 3);
  });

  it("ends where a frame is none", async () => {
    const peer = await member();
    const stream = relay(channelTo(peer));
    stream.write(Buffer.from("0aff", "hex"));
    await until(() => stream.ended !== undefined, "it ends");
    assert.equal(stream.ended?.code, status.INTERNAL);
    await until(() => peer.membership.streams === 0, "it is forgotten");
  });

  it("ends when the member closes, and when the peer goes away", async () => {
    const peer = await member();
    const channel = channelTo(peer);
    const streams = [relay(channel), relay(channel)];
    for (const stream of streams) stream.write(encodeRelay([]));
    await until(() => peer.membership.streams === 2, "both are open");
    streams[0]!.cancel();
    await until(() => peer.membership.streams === 1, "one is gone");
    peer.membership.close();
    await until(() => streams[1]!.ended !== undefined, "the other ends");
  });

  function relay(channel: ChannelInterface) {
    const stream = {
      answers: 0,
      ended: undefined as Answer | undefined,
      write: (frame: Buffer) => started.sendMessageWithContext({}, frame),
      cancel: () => started.cancelWithStatus(status.CANCELLED, ""),
    };
    const started = channel.createCall(RELAY, Infinity, null, null, null);
    started.start(new Metadata(), {
      onReceiveMetadata() {},
      onReceiveMessage() {
        stream.answers++;
        started.startRead();
      },
      onReceiveStatus: (ended) => {
        stream.ended = ended;
      },
    });
    started.startRead();
    return stream;
  }
});

describe("requests that wait", () => {
  it("are limited in number", async () => {
    const peer = await member(() => undefined, { limits: { requests: 2 } });
    const channel = channelTo(peer);
    const waiting = [1, 2].map(() => call(channel, PATHS.join, encodeRequest(JOIN)));
    await until(() => peer.membership.waiting === 2, "two wait");
    const { code } = await call(channel, PATHS.join, encodeRequest(JOIN));
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    peer.membership.close();
    for (const answer of await Promise.all(waiting)) {
      assert.deepEqual(answer, { code: status.UNAVAILABLE, details: "closed" });
    }
    assert.equal(peer.hungUp.length, 2);
  });

  it("are limited in bytes", async () => {
    const peer = await member(() => undefined, { limits: { bytes: 1500 } });
    const channel = channelTo(peer);
    const large = encodeRequest({ ...JOIN, metadata: metadataOf({ a: "x".repeat(1000) }) });
    unary(channel, PATHS.join, large, 5000, () => {});
    await until(() => peer.membership.waiting === 1, "one waits");
    assert.equal((await call(channel, PATHS.join, large)).code, status.RESOURCE_EXHAUSTED);
  });

  it("are limited in time", async () => {
    const peer = await member(() => undefined, { limits: { timeMs: 20 } });
    const answer = await call(channelTo(peer), PATHS.join, encodeRequest(JOIN));
    assert.deepEqual(answer, { code: status.DEADLINE_EXCEEDED, details: "no answer in time" });
    assert.deepEqual([peer.hungUp.length, peer.membership.waiting], [1, 0]);
  });

  it("are answered once, whatever the core does", async () => {
    const peer = await member((_request, answer) => {
      answer(ack);
      answer(refuse.degraded);
      return ack;
    });
    assert.deepEqual(await call(channelTo(peer), PATHS.probe, EMPTY), OK);
    assert.equal(peer.hungUp.length, 0);
  });
});

describe("peers as the crate makes them", () => {
  it("may ask for a time limit", async () => {
    const peer = await member(() => undefined);
    const headers = await raw(peer, { "grpc-timeout": "20m" });
    assert.equal(headers["grpc-status"], String(status.DEADLINE_EXCEEDED));
    await until(() => peer.hungUp.length === 1 && peer.membership.waiting === 0, "it hung up");
  });

  it("get no compressed answers, and those who compress are understood", async () => {
    const peer = await member();
    const body = gzipSync(encodeRequest({ kind: "preJoin", sender: at(1), uuid: nodeIdOf(1n, 2n) }));
    const headers = await raw(peer, { ":path": PATHS.preJoin, "grpc-encoding": "gzip" }, framed(body, 1));
    assert.equal(headers["grpc-status"], String(status.OK));
    assert.equal(headers["grpc-encoding"], "identity");
    assert.equal(peer.asked[0]?.kind, "preJoin");
  });

  it("may make a connection for each message and drop it: nothing of them stays", async () => {
    const arrived = new Map<number, () => void>();
    const peer = await member((request) => {
      if (request.kind !== "join") return ack;
      arrived.get(request.ring)?.();
      return undefined;
    });
    const before = process.getActiveResourcesInfo().length;
    for (let batch = 0; batch < 20; batch++) {
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => (i % 5 === 0 ? dropped(peer, arrived, i) : raw(peer))),
      );
    }
    await until(() => peer.membership.waiting === 0, "nobody waits");
    await until(() => peer.hungUp.length === 400, "all that were dropped hung up");
    await until(() => process.getActiveResourcesInfo().length <= before, "no socket is left");
    assert.equal(peer.asked.length, 2000);
  });

  function framed(message: Buffer, compressed = 0): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt8(compressed, 0);
    head.writeUInt32BE(message.length, 1);
    return Buffer.concat([head, message]);
  }

  function open(peer: ScriptedMember, headers: Record<string, string>, body: Buffer) {
    const session = connect(`http://127.0.0.1:${portOf(peer.endpoint)}`);
    session.on("error", () => {});
    const stream = session.request({
      ":method": "POST",
      ":path": PATHS.probe,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.on("error", () => {});
    stream.resume().end(body);
    return { session, stream };
  }

  /** One call on a connection of its own. Resolves with headers and trailers. */
  function raw(peer: ScriptedMember, headers: Record<string, string> = {}, body = framed(EMPTY)) {
    return new Promise<Record<string, unknown>>((resolve) => {
      const { session, stream } = open(peer, headers, body);
      const all: Record<string, unknown> = {};
      stream.on("response", (received) => Object.assign(all, received));
      stream.on("trailers", (received) => Object.assign(all, received));
      stream.once("close", () => {
        session.destroy();
        resolve(all);
      });
    });
  }

  /** A call that is made, and dropped with its connection once it waits. */
  async function dropped(
    peer: ScriptedMember,
    arrived: Map<number, () => void>,
    ring: number,
  ): Promise<void> {
    const join = { ...JOIN, ring } as Request;
    const waits = new Promise<void>((resolve) => arrived.set(ring, resolve));
    const { session } = open(peer, { ":path": PATHS.join }, framed(encodeRequest(join)));
    await waits;
    session.destroy();
  }
});
