// S41: somebody who can reach the members, and means no good or cannot do better.

import type { Endpoint } from "../../core/endpoint.ts";
import type { Gossip, Rank, Refused, Reply, Request } from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import { decodeRequest } from "../../grpc/codec.ts";
import type { Process } from "../process.ts";
import type { Scenario } from "../scenario.ts";
import { protobufWire } from "../wire.ts";
import type { World } from "../world.ts";

const STRANGER = 66;
const MEBIBYTE = 1024 * 1024;

export const hostile: Scenario = {
  name: "S41",
  slug: "malformed-or-hostile",
  faults:
    "a stranger sends hosts of five bytes, port 70,000, ring 2^63, empty proposals, 10 MB of metadata, noise; and votes and reports as if it were a member",
  expected: "each is refused with a reason, and the members are as they were",
  members: { usual: 6, least: 4, most: 30 },
  run(stage) {
    const stand = new Map<Request, Uint8Array>();
    const wire = protobufWire(10);
    const request = (sent: Request): Request | Refused => {
      const bytes = stand.get(sent);
      return bytes === undefined ? wire.request(sent) : decodeRequest(sent.kind, bytes);
    };
    const world = stage.newWorld(undefined, { wire: { ...wire, request } });
    const processes = world.grow(stage.members);
    const silent = { step: () => [], wakeAt: Infinity };
    const stranger = world.start(STRANGER, {
      seeds: [processes[0]!.endpoint],
      makeMachine: () => silent,
      model: "stranger",
    });
    const before = world.head!;
    const ask = (what: string, sent: Request): void => {
      const replies = askEverybody(world, stranger, processes, sent);
      const isRefused =
        replies.length === processes.length && replies.every(({ kind }) => kind === "refused");
      stage.expect(isRefused, `${what} to be refused by all`);
    };
    for (const { what, kind, bytes } of malformed(before)) {
      const sent = { kind } as Request;
      stand.set(sent, bytes);
      ask(what, sent);
    }
    for (const gossip of pretences(before, stranger.endpoint)) ask(`${gossip.kind} of a stranger`, gossip);
    stage.expectStandstill(30_000, "nothing that was refused has any effect");
    stage.expect(world.agree(processes), "all members to be where they were");
    world.crash(processes.at(-1)!);
    const joiner = world.start(20, { seeds: [processes[0]!.endpoint] });
    stage.expectAgreement([...processes.slice(0, -1), joiner], 20_000);
  },
};

function askEverybody(
  world: World,
  stranger: Process,
  processes: readonly Process[],
  request: Request,
): readonly Reply[] {
  const replies: Reply[] = [];
  for (const { endpoint } of processes) {
    world.network.call(stranger, endpoint, request, 1000, (reply) => replies.push(reply));
  }
  world.until("all have answered", () => replies.length === processes.length, 2000);
  return replies;
}

function pretences({ id: configuration, members }: View, sender: Endpoint): readonly Gossip[] {
  const rank: Rank = { round: 9, nodeIndex: 1n };
  const value = [members[0]!];
  const edges = members.map((node) => ({ node, ring: 0 }));
  return [
    { kind: "alerts", sender, configuration, edges },
    { kind: "fastAccepted", sender, configuration, value },
    { kind: "prepare", sender, configuration, rank },
    { kind: "accept", sender, configuration, rank, value },
    { kind: "accepted", sender, configuration, rank, value },
  ];
}

interface Malformed {
  readonly what: string;
  readonly kind: "preJoin" | "join" | "accept";
  readonly bytes: Uint8Array;
}

/** As they would travel; field numbers are those of PROTOCOL §2. */
function malformed({ id }: View): readonly Malformed[] {
  const sender = bytesField(1, endpoint([127, 0, 0, 1], STRANGER));
  const uuid = [...varintField(1, 1n), ...varintField(2, 2n)];
  const join = (ring: bigint, metadata: Uint8Array): Uint8Array =>
    joined(sender, varintField(2, ring), bytesField(3, uuid), varintField(4, id), bytesField(5, metadata));
  const entry = joined(bytesField(1, [0x61]), bytesField(2, new Uint8Array(10 * MEBIBYTE)));
  const rank = bytesField(3, [...varintField(1, 2n), ...varintField(2, 9n)]);
  return [
    {
      what: "a host of five bytes",
      kind: "preJoin",
      bytes: joined(bytesField(1, endpoint([127, 0, 0, 1, 9], 9)), bytesField(2, uuid)),
    },
    {
      what: "port 70000",
      kind: "preJoin",
      bytes: joined(bytesField(1, endpoint([127, 0, 0, 1], 70_000)), bytesField(2, uuid)),
    },
    { what: "ring 2^63", kind: "join", bytes: join(1n << 63n, new Uint8Array(0)) },
    { what: "10 MB of metadata", kind: "join", bytes: join(0n, bytesField(1, entry)) },
    { what: "an empty proposal", kind: "accept", bytes: joined(sender, varintField(2, id), rank) },
    { what: "noise", kind: "preJoin", bytes: Uint8Array.of(0x0a, 0xff, 0xff, 0xff) },
  ];
}

function endpoint(host: readonly number[], port: number): Uint8Array {
  return joined(bytesField(1, host), varintField(2, BigInt(port)), varintField(3, 0n));
}

function varintField(number: number, value: bigint): Uint8Array {
  return Uint8Array.of(number << 3, ...varint(value));
}

function bytesField(number: number, bytes: ArrayLike<number>): Uint8Array {
  return joined(Uint8Array.of((number << 3) | 2, ...varint(BigInt(bytes.length))), bytes);
}

function varint(value: bigint): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

function joined(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
