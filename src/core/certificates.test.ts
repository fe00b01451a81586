import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foreignMetadata, host, hosts, joiner, uuid, viewOfSize } from "../../test/core/sample-views.ts";
import { evictionRank, isEvidence, replayOf, viewAfter } from "./certificates.ts";
import type { Endpoint } from "./endpoint.ts";
import { type Certificate, FAST_RANK, type Joiner } from "./messages.ts";
import { seededRandom } from "./random.ts";
import { Round } from "./round.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";

const view = viewOfSize(8);
const newcomer = host(100);
const kick: Certificate = {
  configuration: view.id,
  value: [host(7)],
  joiners: new Map(),
  rank: FAST_RANK,
  voters: hosts(6),
};
const admit: Certificate = {
  ...kick,
  value: [host(7), newcomer],
  joiners: new Map([[newcomer, joiner(100)]]),
};

describe("a certificate", () => {
  it("leads to the view that its votes decided", () => {
    assert.equal(viewAfter(view, kick), view.next([host(7)], new Map()));
    assert.equal(viewAfter(view, admit)?.has(newcomer), true);
    const classic = { ...kick, rank: { round: 2, nodeIndex: 7n }, voters: hosts(5) };
    assert.equal(viewAfter(view, classic), view.next([host(7)], new Map()));
  });

  const used = view.uuids[0]!;
  const wrong: readonly (readonly [why: string, certificate: Certificate])[] = [
    ["is of another configuration", { ...kick, configuration: 1n }],
    ["has too few votes for the fast round", { ...kick, voters: hosts(5) }],
    ["has too few for a classic one", { ...kick, rank: { round: 2, nodeIndex: 1n }, voters: hosts(4) }],
    ["counts a voter twice", { ...kick, voters: [...hosts(5), host(0)] }],
    ["counts a stranger", { ...kick, voters: [...hosts(6), host(200)] }],
    ["names no round", { ...kick, rank: { round: 0, nodeIndex: 0n } }],
    ["decides nothing", { ...kick, value: [] }],
    ["is out of order", { ...kick, value: [host(7), host(6)] }],
    ["does not say who joins", { ...admit, joiners: new Map() }],
    [
      "admits a uuid that was used",
      { ...admit, joiners: new Map([[newcomer, { ...joiner(100), uuid: used }]]) },
    ],
    [
      "admits one uuid twice",
      {
        ...kick,
        value: [newcomer, host(101)],
        joiners: new Map<Endpoint, Joiner>([
          [newcomer, joiner(100)],
          [host(101), joiner(100)],
        ]),
      },
    ],
  ];
  for (const [why, certificate] of wrong) {
    it(`that ${why} proves nothing`, () => assert.equal(viewAfter(view, certificate), undefined));
  }

  it("is replayed as all alerts and then all votes, which bring a member of any kind there", () => {
    const mesh = viewOfSize(8, (i) => i === 3);
    for (const one of [kick, admit, { ...admit, rank: { round: 3, nodeIndex: 5n }, voters: hosts(5) }]) {
      const certificate = { ...one, configuration: mesh.id };
      const { alerts, votes } = replayOf(mesh, certificate);
      const round = new Round(mesh, host(0), DEFAULT_SETTINGS, seededRandom(1n));
      assert.equal(alerts.length > 0, certificate.joiners.size > 0);
      let decided: Certificate | undefined;
      for (const gossip of [...alerts, ...votes]) decided = round.hear(gossip, 0).decided ?? decided;
      assert.deepEqual(decided?.value, certificate.value);
      assert.equal(viewAfter(mesh, decided!), viewAfter(mesh, certificate));
    }
  });
});

it("is no evidence for others to whom it evicted, or removed with several words for a joiner", () => {
  const after = view.next(kick.value, new Map());
  const eviction = { ...kick, rank: evictionRank(host(7)) };
  assert.ok(isEvidence(kick, host(7), after, false));
  assert.ok(!isEvidence(kick, host(7), after, true));
  assert.ok(!isEvidence(eviction, host(7), after, false));
  assert.ok(isEvidence(kick, host(6), after, true), "who stays finds out with the others");
  assert.ok(isEvidence(eviction, host(6), after, false), "a round of that member may have decided it");
});

it("joins of Rust members are replayed with their metadata", () => {
  const rust: Joiner = { uuid: uuid(100), metadata: foreignMetadata };
  const { alerts } = replayOf(view, { ...admit, joiners: new Map([[newcomer, rust]]) });
  assert.ok(alerts.flatMap(({ edges }) => edges).every(({ join }) => join === rust));
  assert.equal(alerts.flatMap(({ edges }) => edges).length, view.observers);
});
