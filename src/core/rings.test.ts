import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { endpointFrom, golden } from "../../test/core/golden.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";
import { Rings } from "./rings.ts";

function ringsOf(endpoints: readonly Endpoint[]): Rings {
  return Rings.empty(10).next(new Set(), endpoints).rings;
}

describe("rings", () => {
  for (const mesh of golden.b_rings) {
    const endpoints = mesh.endpoints.map(endpointFrom);
    const rings = ringsOf(endpoints);
    const named = (places: readonly number[]): readonly Endpoint[] => places.map((i) => endpoints[i]!);
    const placeOf = (endpoint: Endpoint): number => rings.members.indexOf(endpoint);

    it(`number ${mesh.n} members in the crate's order of ring 0`, () => {
      assert.deepEqual(rings.members, named(mesh.rings[0]!));
    });

    it(`have ${mesh.n} members in the crate's order on each ring`, () => {
      for (const [r, ring] of mesh.rings.entries()) {
        const order = named(ring);
        for (const [i, endpoint] of order.entries()) {
          assert.equal(rings.successors(placeOf(endpoint))[r], order[(i + 1) % order.length]);
        }
      }
    });

    it(`give each of ${mesh.n} members the crate's observers and subjects`, () => {
      for (const [i, endpoint] of endpoints.entries()) {
        assert.deepEqual(rings.predecessors(placeOf(endpoint)), named(mesh.observers[i]!));
        assert.deepEqual(rings.successors(placeOf(endpoint)), named(mesh.subjects[i]!));
      }
    });

    it(`of ${mesh.n} members give those who join the crate's contacts`, () => {
      for (const { joiner, contact } of mesh.joiners) {
        assert.deepEqual(rings.predecessorsOf(endpointFrom(joiner)), named(contact));
      }
    });
  }

  it("are those of PROTOCOL §21 for four members on loopback and one elsewhere", () => {
    const letters = new Map(
      ["127.0.0.1:10000", "127.0.0.2:10000", "127.0.0.3:10000", "127.0.0.4:10000", "10.0.0.7:443"].map(
        (address, i) => [parseEndpoint(address)!, "ABCDE"[i]!],
      ),
    );
    const spell = (endpoints: readonly Endpoint[]): string => endpoints.map((e) => letters.get(e)).join("");
    const rings = ringsOf([...letters.keys()]);
    const a = rings.members.indexOf(parseEndpoint("127.0.0.1:10000")!);

    assert.equal(spell(rings.members), "ECDAB");
    assert.equal(spell(rings.predecessors(a)), "DBCBDBDBDB");
    assert.equal(spell(rings.successors(a)), "BEEEEDBDEE");
    assert.equal(spell(rings.predecessorsOf(parseEndpoint("127.0.0.9:10000")!)), "ABCEEEBEDE");
  });

  it("without members give nobody a neighbour", () => {
    const rings = ringsOf([]);
    const stranger = parseEndpoint("127.0.0.1:1")!;
    assert.deepEqual(rings.predecessorsOf(stranger), []);
    assert.deepEqual(rings.successorsOf(stranger), []);
    assert.equal(rings.count, 10);
  });

  it("tell apart endpoints that differ in the TLS flag only", () => {
    const [plain, secure] = [parseEndpoint("127.0.0.1:1")!, parseEndpoint("tls://127.0.0.1:1")!];
    const rings = ringsOf([plain, secure]);
    assert.deepEqual([...rings.members].sort(), [plain, secure]);
  });

  it("say where each old member went when some leave and others come", () => {
    const endpoints = [1, 2, 3, 4, 5].map((port) => parseEndpoint(`127.0.0.1:${port}`)!);
    const before = ringsOf(endpoints);
    const leaving = new Set([0, 3]);

    const { rings: after, moved } = before.next(leaving, [parseEndpoint("127.0.0.1:6")!]);

    assert.equal(after.members.length, 4);
    for (const [from, endpoint] of before.members.entries()) {
      assert.equal(moved[from], leaving.has(from) ? -1 : after.members.indexOf(endpoint));
    }
  });
});
