import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import fc from "fast-check";
import * as cache from "../cache/gen/blip_cache_pb.ts";
import {
  compareEndpoints,
  type Endpoint,
  endpointOf,
  type NodeId,
  nodeIdOf,
  parseEndpoint,
} from "../core/endpoint.ts";
import { advised, identified } from "../core/identity.ts";
import type {
  Broadcast,
  Edge,
  Gossip,
  Metadata,
  Proposal,
  Rank,
  Refused,
  Reply,
  Request,
} from "../core/messages.ts";
import { refuse } from "../core/refusals.ts";
import { View } from "../core/view.ts";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "./codec.ts";
import { METADATA_BYTES_MAX } from "./fields.ts";
import * as blip from "./gen/blip_pb.ts";
import { type Kind, PATHS } from "./methods.ts";
import { decodeConfiguration, decodeRelay, encodeConfiguration, encodeRelay } from "./peer-codec.ts";

const OBSERVERS = 10;
const KINDS = Object.keys(PATHS) as Kind[];

interface Sample {
  readonly message: string;
  readonly label: string;
  readonly hex: string;
  readonly value: Record<string, unknown>;
}

const SELF = parseEndpoint("127.0.0.1:1")!;
const OTHER = parseEndpoint("tls://[::1]:2")!;
const UUID = nodeIdOf(1n, 2n);
const WITHIN = { sender: SELF, configuration: 3n };
const JOIN = { kind: "join", ...WITHIN, ring: 4, uuid: UUID } as const;
const ALERTS = { kind: "alerts", ...WITHIN } as const;
const PREPARE = { kind: "prepare", ...WITHIN, rank: { round: 2, nodeIndex: 5n } } as const;
let foundedView: View | undefined;

const vectors = JSON.parse(
  readFileSync(new URL("../../test/fixtures/vectors.json", import.meta.url), "utf8"),
);
const samples: readonly Sample[] = vectors.e_protobuf.samples;

const SCHEMAS: Readonly<Record<string, DescMessage>> = Object.fromEntries([
  ...blip.file_blip.messages.map((schema) => [schema.name, schema]),
  ...cache.file_blip_cache.messages.map((schema) => [`cache.${schema.name}`, schema]),
]);

const KIND_OF: Readonly<Record<string, Kind>> = {
  PreJoinReq: "preJoin",
  JoinReq: "join",
  BatchedAlertReq: "alerts",
  FastAcceptedReq: "fastAccepted",
  PrepareReq: "prepare",
  PromiseReq: "promise",
  AcceptReq: "accept",
  AcceptedReq: "accepted",
  BroadcastReq: "broadcast",
};

describe("samples encoded by the crate", () => {
  for (const { message, label, hex, value } of samples) {
    it(`${message}: ${label}`, () => {
      const schema = SCHEMAS[message]!;
      const decoded = fromBinary(schema, bytesOf(hex));
      assert.deepEqual(decoded, create(schema, initOf(schema, value)));
      // prost leaves out empty keys and values of maps, which protobuf-es writes; both read either.
      if (!label.includes("prost omits") && label !== "empty key and value" && message !== "JoinResp") {
        assert.equal(Buffer.from(toBinary(schema, decoded)).toString("hex"), hex);
      }
    });
  }

  it("are requests that come out as they went in, or are refused for their lists", () => {
    for (const { message, label, hex } of samples) {
      const kind = KIND_OF[message];
      if (kind === undefined) continue;
      const request = decodeRequest(kind, bytesOf(hex));
      if (request.kind !== "refused") {
        assert.equal(encodeRequest({ ...request }).toString("hex"), hex, `${message}: ${label}`);
      } else if (label.startsWith("no oneof")) assert.equal(request, refuse.missingBody);
      // The crate's encoder was given lists that are empty or not in order.
      else assert.equal(request, refuse.invalidProposal, `${message}: ${label}`);
    }
  });

  it("are replies that are well-formed", () => {
    for (const { message, label, hex } of samples) {
      const kind = message === "PreJoinResp" ? "preJoin" : message === "JoinResp" ? "join" : undefined;
      if (kind === undefined || label === "zero") continue;
      const reply = decodeReply(kind, bytesOf(hex), OBSERVERS);
      assert.ok(reply.kind === "contacts" || reply.kind === "joined");
      assert.deepEqual(decodeReply(kind, encodeReply(reply), OBSERVERS), reply);
    }
  });
});

describe("what is missing", () => {
  const sender = parseEndpoint("127.0.0.1:1")!;

  it("is read as its default where that is well-formed", () => {
    const wire = bytesOf("0a0a0a047f00000110011800");
    assert.deepEqual(decodeRequest("join", wire), {
      kind: "join",
      sender,
      configuration: 0n,
      ring: 0,
      uuid: nodeIdOf(0n, 0n),
      metadata: Object.create(null),
    });
    assert.deepEqual(decodeRequest("promise", wire), {
      kind: "promise",
      sender,
      configuration: 0n,
      rank: { round: 0, nodeIndex: 0n },
      voted: { round: 0, nodeIndex: 0n },
      value: [],
    });
  });

  it("is refused where its default is not", () => {
    for (const kind of KINDS) {
      const request = decodeRequest(kind, new Uint8Array(0));
      if (kind === "probe") assert.deepEqual(request, { kind: "probe" });
      // Whether an order names whom it must is for the core to say, which knows the members.
      else if (kind === "declareDead") assert.deepEqual(request, { kind, configuration: 0n, dead: [] });
      else if (kind === "forceNew") assert.deepEqual(request, { kind, configuration: 0n, abandoned: [] });
      else assert.equal(request, kind === "broadcast" ? refuse.missingBody : refuse.invalidEndpoint, kind);
    }
    assert.deepEqual(decodeReply("preJoin", new Uint8Array(0), OBSERVERS), refuse.invalidEndpoint);
  });
});

describe("round trips", () => {
  it("of every request", () => {
    fc.assert(
      fc.property(request(), (sent) => {
        assert.deepEqual(decodeRequest(sent.kind, encodeRequest(sent)), sent);
      }),
    );
  });

  it("of every reply", () => {
    fc.assert(
      fc.property(reply(), (sent) => {
        const kind = sent.kind === "contacts" ? "preJoin" : sent.kind === "joined" ? "join" : "probe";
        const received = decodeReply(kind, encodeReply(sent), OBSERVERS);
        if (sent.kind !== "joined" || received.kind !== "joined") assert.deepEqual(received, sent);
        else assert.deepEqual(factsOf(received.view), factsOf(sent.view));
      }),
      { numRuns: 50 },
    );
  });

  it("of configurations", () => {
    fc.assert(
      fc.property(view(), endpoint(), fc.boolean(), fc.nat(), (now, local, degraded, skipped) => {
        const change = { view: now, joined: now.members, kicked: [local], degraded };
        const told = decodeConfiguration(encodeConfiguration(local, change, skipped));
        assert.deepEqual(
          told.members.map((member) => member.endpoint),
          now.membersByAddress,
        );
        for (const { endpoint, metadata } of told.members) {
          assert.deepEqual(metadata, now.recordOf(endpoint)!.metadata);
        }
        assert.deepEqual([told.confId, told.local, told.degraded], [now.id, local, degraded]);
        assert.deepEqual([told.skipped, told.joined, told.kicked], [skipped, now.members, [local]]);
      }),
      { numRuns: 50 },
    );
  });

  it("of groups of broadcasts", () => {
    const broadcasts = [Buffer.from([1]), Buffer.alloc(0), Buffer.alloc(300, 7)];
    assert.deepEqual(decodeRelay(encodeRelay(broadcasts)), broadcasts);
  });

  it("keep a key that objects treat specially", () => {
    const metadata: Metadata = Object.freeze(
      Object.assign(Object.create(null), {
        ["__proto__"]: new Uint8Array([1]),
        constructor: new Uint8Array(0),
      }),
    );
    const join = { ...JOIN, metadata };
    const received = decodeRequest("join", encodeRequest(join));
    assert.ok(received.kind === "join");
    assert.equal(Object.getPrototypeOf(received.metadata), null);
    assert.deepEqual(Object.keys(received.metadata), ["__proto__", "constructor"]);
  });
});

describe("bytes are handled sparingly", () => {
  const broadcast: Broadcast = { kind: "broadcast", unix: 1n, unique: 2n, gossip: { ...PREPARE } };

  it("a request is encoded once", () => {
    assert.equal(encodeRequest(broadcast), encodeRequest(broadcast));
  });

  it("a broadcast is told on in the bytes it came in, with what we do not know", () => {
    const bytes = Buffer.concat([encodeRequest(broadcast), bytesOf("7a0401020304")]);
    const received = decodeRequest("broadcast", bytes);
    assert.ok(received.kind === "broadcast");
    assert.deepEqual(encodeRequest(received), bytes);
    assert.deepEqual(received, broadcast);
  });

  it("metadata does not hold on to the frame that it came in", () => {
    const metadata: Metadata = Object.assign(Object.create(null), { a: new Uint8Array([1, 2]) });
    const frame = Buffer.concat([Buffer.alloc(100_000), encodeRequest({ ...JOIN, metadata })]);
    const received = decodeRequest("join", frame.subarray(100_000));
    assert.ok(received.kind === "join");
    assert.equal(received.metadata.a!.buffer.byteLength, 2);
  });

  it("many joiners get the same encoding of a view", () => {
    const joined = { kind: "joined", sender: SELF, view: founded(), configuration: founded().id } as const;
    assert.equal(encodeReply(joined), encodeReply({ ...joined }));
    assert.notEqual(encodeReply(joined), encodeReply({ ...joined, sender: OTHER }));
  });
});

describe("refuses", () => {
  const wrongHost = { host: new Uint8Array(5), port: 1, tls: false };
  const wrongPort = { host: new Uint8Array(4), port: 70_000, tls: false };
  const fine = { host: new Uint8Array(4), port: 1, tls: false };
  const other = { host: new Uint8Array(4), port: 2, tls: false };
  const rank = { round: 2, nodeIdx: 1n };

  it("endpoints that are none, wherever they are", () => {
    for (const wrong of [wrongHost, wrongPort]) {
      const accept = { sender: fine, confId: 1n, rnd: rank, vval: [wrong] };
      const alerts = { sender: fine, confId: 1n, edges: [{ node: wrong, ring: 1n }] };
      assert.equal(decoded("accept", blip.AcceptReqSchema, accept), refuse.invalidEndpoint);
      assert.equal(
        decoded("accept", blip.AcceptReqSchema, { ...accept, sender: wrong }),
        refuse.invalidEndpoint,
      );
      assert.equal(decoded("alerts", blip.BatchedAlertReqSchema, alerts), refuse.invalidEndpoint);
    }
  });

  it("proposals that nobody can have made", () => {
    for (const value of [[], [other, fine], [fine, fine]]) {
      const within = { sender: fine, confId: 1n };
      const ranks = { ...within, rnd: rank, vrnd: rank };
      const fast = { ...within, nodes: value };
      assert.equal(decoded("fastAccepted", blip.FastAcceptedReqSchema, fast), refuse.invalidProposal);
      const accept = { ...ranks, vval: value };
      assert.equal(decoded("accept", blip.AcceptReqSchema, accept), refuse.invalidProposal);
      const accepted = { ...ranks, nodes: value };
      assert.equal(decoded("accepted", blip.AcceptedReqSchema, accepted), refuse.invalidProposal);
      const promise = decoded("promise", blip.PromiseReqSchema, accept);
      if (value.length > 0) assert.equal(promise, refuse.invalidProposal);
      else assert.equal(promise.kind, "promise");
    }
  });

  it("rings beyond all rings, by handing on one that no mesh has", () => {
    for (const ring of [2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
      const join = { sender: fine, ring, uuid: { high: 0n, low: 0n }, confId: 1n, meta: {} };
      const received = decoded("join", blip.JoinReqSchema, join);
      assert.ok(received.kind === "join" && Number.isInteger(received.ring) && received.ring > 30);
    }
  });

  it("more metadata than a member may have", () => {
    const text = `metadata exceeds ${METADATA_BYTES_MAX} bytes`;
    const allowed = Object.assign(Object.create(null), { k: new Uint8Array(METADATA_BYTES_MAX - 1) });
    assert.equal(decodeRequest("join", encodeRequest({ ...JOIN, metadata: allowed })).kind, "join");
    for (const size of [METADATA_BYTES_MAX, 10 * METADATA_BYTES_MAX]) {
      const metadata = Object.assign(Object.create(null), { k: new Uint8Array(size) });
      const expected = { kind: "refused", code: "invalid_argument", why: text };
      assert.deepEqual(decodeRequest("join", encodeRequest({ ...JOIN, metadata })), expected);
      const edges: readonly Edge[] = [{ node: OTHER, ring: 0, join: { uuid: UUID, metadata } }];
      assert.deepEqual(decodeRequest("alerts", encodeRequest({ ...ALERTS, edges })), expected);
    }
  });

  it("a configuration in which a member or an incarnation is named twice", () => {
    const node = { node: fine, meta: {} };
    const uuid = { high: 1n, low: 1n };
    for (const twice of [
      { nodes: [node, node], uuids: [uuid] },
      { nodes: [node], uuids: [uuid, uuid] },
    ]) {
      const response = create(blip.JoinRespSchema, { sender: fine, confId: 1n, ...twice });
      const reply = decodeReply("join", toBinary(blip.JoinRespSchema, response), OBSERVERS);
      assert.ok(reply.kind === "refused" && reply.code === "invalid_argument");
    }
  });

  it("what is no protobuf, in the words that tonic uses", () => {
    const reply = decodeRequest("prepare", bytesOf("0aff01"));
    assert.ok(reply.kind === "refused");
    assert.equal(reply.code, "internal");
    assert.match(reply.why, /^failed to decode Protobuf message: /);
  });

  it("frames that would unfold into more than there is room for", () => {
    const tooMany = { kind: "refused", code: "resource_exhausted", why: "the message has too many parts" };
    for (const hex of ["1a00", "1a0412020a00", "1a021200"]) {
      const edges = Buffer.alloc(8 * 1024 * 1024, Buffer.from(hex, "hex"));
      assert.deepEqual(decodeRequest("alerts", edges), tooMany);
      const head = Buffer.from(toBinary(blip.RankSchema, create(blip.RankSchema, { round: 1, nodeIdx: 1n })));
      const length = Buffer.from("80808004", "hex");
      const body = Buffer.concat([head, Buffer.from("1a", "hex"), length, edges]);
      assert.deepEqual(decodeRequest("broadcast", body), tooMany);
    }
  });

  it("but not a large mesh", () => {
    const records = Array.from({ length: 1000 }, (_, i) => ({
      endpoint: at(i),
      metadata: Object.assign(Object.create(null), { zone: new Uint8Array(100) }),
    }));
    const uuids = Array.from({ length: 20_000 }, (_, i) => nodeIdOf(BigInt(i), 0n));
    const large = View.of(OBSERVERS, records, uuids);
    const joined = { kind: "joined", sender: SELF, view: large, configuration: large.id } as const;
    const received = decodeReply("join", encodeReply(joined), OBSERVERS);
    assert.ok(received.kind === "joined" && received.view.id === large.id);
  });

  it("anything else without ever throwing", () => {
    const valid = samples.map((sample) => bytesOf(sample.hex));
    const cut = fc
      .tuple(fc.constantFrom(...valid), fc.nat(), fc.nat(), fc.nat({ max: 255 }))
      .map(([bytes, end, at, byte]) => {
        const damaged = Uint8Array.from(bytes.subarray(0, (end % (bytes.length + 1)) + 1));
        if (damaged.length > 0) damaged[at % damaged.length] = byte;
        return damaged;
      });
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.oneof(cut, fc.uint8Array({ maxLength: 200 })),
        (kind, bytes) => {
          decodeRequest(kind, bytes);
          decodeReply(kind, bytes, OBSERVERS);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

function decoded<Desc extends DescMessage>(kind: Kind, schema: Desc, init: MessageInitShape<Desc>) {
  return decodeRequest(kind, toBinary(schema, create(schema, init)));
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

/** A value as the crate printed it, as protobuf-es takes it. */
function initOf(schema: DescMessage, value: Record<string, unknown>): Record<string, unknown> {
  const init: Record<string, unknown> = {};
  for (const field of schema.fields) {
    if (value[field.name] !== undefined) init[field.localName] = fieldOf(field, value[field.name]);
  }
  const chosen = value.broadcasted;
  if (chosen === null || typeof chosen !== "object") return init;
  const [[name, body]] = Object.entries(chosen) as [[string, Record<string, unknown>]];
  const localName = `${name[0]!.toLowerCase()}${name.slice(1)}`;
  const field = schema.fields.find((candidate) => candidate.localName === localName)!;
  return { ...init, broadcasted: { case: localName, value: fieldOf(field, body) } };
}

function fieldOf(field: DescField, value: unknown): unknown {
  if (field.fieldKind === "list") return (value as unknown[]).map((item) => itemOf(field, item));
  if (field.fieldKind !== "map") return itemOf(field, value);
  const entries = Object.entries(value as Record<string, string>);
  return Object.fromEntries(entries.map(([key, hex]) => [key, bytesOf(hex)]));
}

function itemOf(field: DescField, value: unknown): unknown {
  if (field.message !== undefined) return initOf(field.message, value as Record<string, unknown>);
  if (field.scalar === ScalarType.BYTES) return bytesOf(value as string);
  return field.scalar === ScalarType.UINT64 ? BigInt(value as string) : value;
}

function factsOf(view: View): unknown {
  return [view.id, view.members, view.uuids, view.members.map((member) => view.recordOf(member)!.metadata)];
}

function at(port: number): Endpoint {
  return parseEndpoint(`10.0.0.1:${port}`)!;
}

function founded(): View {
  foundedView ??= View.founding(OBSERVERS, SELF, { uuid: UUID, metadata: Object.create(null) });
  return foundedView;
}

function endpoint(): fc.Arbitrary<Endpoint> {
  const host = fc.oneof(...[4, 16].map((length) => fc.uint8Array({ minLength: length, maxLength: length })));
  return fc
    .tuple(host, fc.nat({ max: 65_535 }), fc.boolean())
    .map(([bytes, port, tls]) => endpointOf(bytes, port, tls)!);
}

function proposal(minLength: number, hasAdvice = true): fc.Arbitrary<Proposal> {
  const nodes = fc.uniqueArray(endpoint(), { minLength, maxLength: 5 });
  return fc
    .tuple(nodes, fc.array(u64(), { maxLength: 5 }), fc.array(u64(), { maxLength: hasAdvice ? 5 : 0 }))
    .map(([endpoints, identities, advice]) =>
      endpoints.length === 0
        ? endpoints
        : advised(identified(endpoints.sort(compareEndpoints), identities), advice),
    );
}

/** A record as the codec makes it: with the usual prototype. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const u64 = (): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const uuid = (): fc.Arbitrary<NodeId> => fc.tuple(u64(), u64()).map(([high, low]) => nodeIdOf(high, low));
const rankOf = (): fc.Arbitrary<Rank> => plain({ round: fc.nat(), nodeIndex: u64() });

function metadata(): fc.Arbitrary<Metadata> {
  const key = fc.oneof(fc.string({ unit: "grapheme", maxLength: 8 }), fc.constant("__proto__"));
  return fc
    .array(fc.tuple(key, fc.uint8Array({ maxLength: 40 })), { maxLength: 4 })
    .map((entries) => Object.freeze(entries.reduce(withEntry, Object.create(null))));
}

function withEntry(to: Record<string, Uint8Array>, [key, value]: [string, Uint8Array]) {
  to[key] = value;
  return to;
}

function edge(): fc.Arbitrary<Edge> {
  const down = { node: endpoint(), ring: fc.nat({ max: 9 }) };
  const join = plain({ uuid: uuid(), metadata: metadata() });
  return fc.oneof(plain(down), plain({ ...down, join }));
}

function gossip(): fc.Arbitrary<Gossip> {
  const within = { sender: endpoint(), configuration: u64() };
  const rank = rankOf();
  return fc.oneof(
    plain({ kind: fc.constant("alerts"), ...within, edges: fc.array(edge(), { maxLength: 4 }) }),
    plain({ kind: fc.constant("fastAccepted"), ...within, value: proposal(1, false) }),
    plain({ kind: fc.constant("prepare"), ...within, rank }),
    plain({ kind: fc.constant("promise"), ...within, rank, voted: rankOf(), value: proposal(0) }),
    plain({ kind: fc.constant("accept"), ...within, rank, value: proposal(1) }),
    plain({ kind: fc.constant("accepted"), ...within, rank, value: proposal(1) }),
  ) as fc.Arbitrary<Gossip>;
}

function request(): fc.Arbitrary<Request> {
  const within = { sender: endpoint(), configuration: u64() };
  const ring = fc.nat({ max: 9 });
  return fc.oneof(
    gossip(),
    plain({ kind: fc.constant("probe") }),
    plain({ kind: fc.constant("leave"), ...within }),
    plain({ kind: fc.constant("preJoin"), sender: endpoint(), uuid: uuid() }),
    plain({ kind: fc.constant("join"), ...within, ring, uuid: uuid(), metadata: metadata() }),
    plain({
      kind: fc.constant("join"),
      ...within,
      ring,
      moreRings: fc.array(ring, { minLength: 1, maxLength: 9 }),
      uuid: uuid(),
      metadata: metadata(),
    }),
    plain({ kind: fc.constant("broadcast"), unix: u64(), unique: u64(), gossip: gossip() }),
  ) as fc.Arbitrary<Request>;
}

function view(): fc.Arbitrary<View> {
  const member = plain({ endpoint: endpoint(), metadata: metadata() });
  return fc
    .tuple(
      fc.uniqueArray(member, { selector: (record) => record.endpoint, maxLength: 5 }),
      fc.uniqueArray(uuid(), { maxLength: 5 }),
    )
    .map(([records, uuids]) => View.of(OBSERVERS, records, uuids));
}

function reply(): fc.Arbitrary<Exclude<Reply, Refused>> {
  const sender = endpoint();
  return fc.oneof(
    plain({ kind: fc.constant("ack") }),
    plain({
      kind: fc.constant("contacts"),
      sender,
      configuration: u64(),
      observers: fc.array(endpoint(), { maxLength: 10 }),
    }),
    plain({
      kind: fc.constant("contacts"),
      sender,
      configuration: u64(),
      observers: fc.array(endpoint(), { maxLength: 10 }),
      nodeRings: fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 10 }),
    }),
    fc
      .tuple(sender, view())
      .map(([from, now]) => ({ kind: "joined", sender: from, view: now, configuration: now.id }) as const),
  ) as fc.Arbitrary<Exclude<Reply, Refused>>;
}
