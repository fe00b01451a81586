import assert from "node:assert/strict";
import { isIPv6 } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { endpointFrom, golden, hexOf } from "../../test/core/golden.ts";
import {
  addressOf,
  compareAddresses,
  compareEndpoints,
  type Endpoint,
  endpointOf,
  halvesOf,
  hostOf,
  ipOf,
  isProposal,
  isTls,
  nodeIdOf,
  parseEndpoint,
  portOf,
} from "./endpoint.ts";

const host = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Mostly zeroes, so that runs of them in all places come up.
  fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((a) => Uint8Array.from(a)),
);
const endpoint = fc
  .tuple(host, fc.integer({ min: 0, max: 65535 }), fc.boolean())
  .map(([bytes, port, tls]) => endpointOf(bytes, port, tls)!);

describe("an endpoint as text", () => {
  it("is what the crate prints for the same bytes", () => {
    const all = [
      ...golden.a_endpoint_hashes.map((entry) => entry.endpoint),
      ...golden.b_rings.flatMap((mesh) => mesh.endpoints),
    ];
    for (const one of all) {
      assert.equal(addressOf(endpointFrom(one)), one.addr);
      assert.equal(parseEndpoint(one.addr, one.tls), endpointFrom(one));
      assert.equal(isTls(endpointFrom(one)), one.tls);
    }
  });

  const canonical: readonly (readonly [text: string, canonical: string])[] = [
    ["127.0.0.1:4000", "127.0.0.1:4000"],
    ["tls://127.0.0.1:4000", "tls://127.0.0.1:4000"],
    ["127.0.0.1:04000", "127.0.0.1:4000"],
    ["0.0.0.0:0", "0.0.0.0:0"],
    ["255.255.255.255:65535", "255.255.255.255:65535"],
    // RFC 5952 §4: no leading zeroes, lower case, the longest run shortened, the first of equals, never one alone.
    ["[2001:0db8:0000:0000:0000:0000:0000:0001]:1", "[2001:db8::1]:1"],
    ["[2001:DB8::A]:1", "[2001:db8::a]:1"],
    ["[2001:db8:0:1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"],
    ["[2001:db8::1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"],
    ["[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1"],
    ["[2001:db8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"],
    ["[::]:1", "[::]:1"],
    ["[0:0:0:0:0:0:0:0]:1", "[::]:1"],
    ["[1::]:1", "[1::]:1"],
    ["[1:0:0:0:0:0:0:0]:1", "[1::]:1"],
    ["tls://[::1]:443", "tls://[::1]:443"],
    // Mapped addresses keep 16 bytes and are printed with dots, as Rust does.
    ["[::ffff:10.1.2.3]:9", "[::ffff:10.1.2.3]:9"],
    ["[::ffff:0a01:0203]:9", "[::ffff:10.1.2.3]:9"],
    ["[64:ff9b::10.1.2.3]:9", "[64:ff9b::a01:203]:9"],
  ];
  for (const [text, expected] of canonical) {
    it(`reads ${text} as ${expected}`, () => assert.equal(parseEndpoint(text), expected));
  }

  it("takes the TLS flag from an argument over the one in the text", () => {
    assert.equal(parseEndpoint("10.0.0.1:1", true), "tls://10.0.0.1:1");
    assert.equal(parseEndpoint("tls://10.0.0.1:1", false), "10.0.0.1:1");
  });

  const refused = [
    "",
    "127.0.0.1",
    "127.0.0.1:",
    ":4000",
    "127.0.0.1:65536",
    "127.0.0.1:123456",
    "127.0.0.1:-1",
    "127.0.0.1:4e3",
    "127.0.0.1:4000 ",
    " 127.0.0.1:4000",
    "127.0.0.1:4000\n",
    "localhost:4000",
    "127.0.0:4000",
    "127.0.0.0.1:4000",
    "127.0.0.256:4000",
    "127.0.0.010:4000",
    "0x7f.0.0.1:4000",
    "[127.0.0.1]:4000",
    "::1:4000",
    "[::1]",
    "[]:1",
    "[:]:1",
    "[:::]:1",
    "[1::2::3]:1",
    "[1:2:3:4:5:6:7]:1",
    "[1:2:3:4:5:6:7:8:9]:1",
    "[1:2:3:4::5:6:7:8]:1",
    "[12345::]:1",
    "[g::]:1",
    "[fe80::1%eth0]:1",
    "[::ffff:1.2.3]:1",
    "[1.2.3.4::]:1",
    "[1:2:3:4:5:6:7:1.2.3.4]:1",
    "[:1:2:3:4:5:6:7]:1",
    "[1:2:3:4:5:6:7:]:1",
    "http://127.0.0.1:1",
    "tls://tls://127.0.0.1:1",
  ];
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseEndpoint(text), undefined));
  }

  it("may have any IPv6 address between its brackets, and nothing else", () => {
    const group = fc.constantFrom("0", "0", "1", "ffff", "00a", "12345", "1.2.3.4", "g", "");
    const groups = fc.array(group, { maxLength: 8 });
    const between = fc.constantFrom("", ":", "::", "::", ":::");
    fc.assert(
      fc.property(groups, between, groups, (head, gap, tail) => {
        const text = head.join(":") + gap + tail.join(":");
        assert.equal(parseEndpoint(`[${text}]:1`) !== undefined, isIPv6(text), text);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives back the bytes that it was made of, and one text for each", () => {
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 65535 }), fc.boolean(), (bytes, port, tls) => {
        const made = endpointOf(bytes, port, tls)!;
        assert.equal(hexOf(hostOf(made)), hexOf(bytes));
        assert.equal(portOf(made), port);
        assert.equal(isTls(made), tls);
        assert.equal(parseEndpoint(made), made);
        assert.equal(
          addressOf(made),
          ipOf(made).includes(":") ? `[${ipOf(made)}]:${port}` : `${ipOf(made)}:${port}`,
        );
      }),
    );
  });

  it("does not exist for hosts and ports that cannot travel", () => {
    for (const length of [0, 3, 5, 15, 17, 32])
      assert.equal(endpointOf(new Uint8Array(length), 1, false), undefined);
    for (const port of [-1, 65536, 1.5, Number.NaN, Infinity]) {
      assert.equal(endpointOf(new Uint8Array(4), port, false), undefined);
    }
  });
});

describe("the order of endpoints", () => {
  it("is the crate's", () => {
    for (const mesh of golden.b_rings) {
      const endpoints = mesh.endpoints.map(endpointFrom);
      assert.deepEqual(
        [...endpoints].sort(compareEndpoints),
        mesh.endpoint_sort_order.map((i) => endpoints[i]),
      );
    }
  });

  it("is that of the host bytes with a prefix first, then port, then plain before TLS", () => {
    const bytewise = (a: Endpoint, b: Endpoint): number =>
      Buffer.compare(hostOf(a), hostOf(b)) || portOf(a) - portOf(b) || Number(isTls(a)) - Number(isTls(b));
    fc.assert(
      fc.property(endpoint, endpoint, (a, b) => {
        assert.equal(Math.sign(compareEndpoints(a, b)), Math.sign(bytewise(a, b)));
        assert.equal(Math.sign(compareEndpoints(b, a)), -Math.sign(compareEndpoints(a, b)) + 0);
      }),
    );
  });

  it("mixes the families: 1.0.0.0 comes after ::, being greater in its first byte", () => {
    const [four, six] = [parseEndpoint("1.0.0.0:1")!, parseEndpoint("[::]:1")!];
    assert.ok(compareEndpoints(six, four) < 0);
  });

  it("puts all IPv4 before all IPv6 where cuts list members", () => {
    const sorted = ["1.0.0.0:2", "tls://1.0.0.0:2", "9.0.0.0:1", "[::]:1", "[::]:2", "[1::]:1"];
    const shuffled = [4, 0, 3, 5, 2, 1].map((i) => parseEndpoint(sorted[i]!)!);
    assert.deepEqual(shuffled.sort(compareAddresses), sorted);
  });
});

describe("a proposal", () => {
  const [a, b, c] = ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1"].map((text) => parseEndpoint(text)!) as [
    Endpoint,
    Endpoint,
    Endpoint,
  ];
  const cases: readonly (readonly [what: string, list: readonly Endpoint[], isOne: boolean])[] = [
    ["one endpoint", [a], true],
    ["endpoints in ascending order", [a, b, c], true],
    ["nothing", [], false],
    ["endpoints out of order", [a, c, b], false],
    ["an endpoint twice", [a, b, b], false],
  ];
  for (const [what, list, isOne] of cases) {
    it(`${isOne ? "may be" : "is not"} ${what}`, () => assert.equal(isProposal(list), isOne));
  }
});

describe("a uuid", () => {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  it("keeps its halves, and sorts as the number of 128 bits that it is", () => {
    fc.assert(
      fc.property(u64, u64, u64, u64, (high, low, otherHigh, otherLow) => {
        const uuid = nodeIdOf(high, low);
        const other = nodeIdOf(otherHigh, otherLow);
        assert.deepEqual(halvesOf(uuid), { high, low });
        assert.equal(uuid.length, 32);
        assert.equal(uuid < other, (high << 64n) + low < (otherHigh << 64n) + otherLow);
      }),
    );
  });
});
