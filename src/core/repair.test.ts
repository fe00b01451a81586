import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foreignMetadata, host, hosts, K, nodeMetadata } from "../../test/core/sample-views.ts";
import type { Certificate, Gossip, Reply } from "./messages.ts";
import { ack } from "./messages.ts";
import { refuse, refused } from "./refusals.ts";
import { Repair } from "./repair.ts";
import { View } from "./view.ts";

const rust = host(9);
const members = [...hosts(8), rust];
const view = View.of(
  K,
  members.map((endpoint) => ({ endpoint, metadata: endpoint === rust ? foreignMetadata : nodeMetadata() })),
  [],
);
const gone = host(3);
const certificate: Certificate = {
  configuration: view.id,
  rank: { round: 1, nodeIndex: 1n },
  value: [gone],
  voters: members.slice(0, 7),
  joiners: new Map(),
};
const lost = refused("deadline_exceeded", "deadline exceeded");

/** Of a member that is found where we were. */
function repairOf(): { readonly repair: Repair; readonly first: Gossip | undefined } {
  const repair = new Repair(rust, [view], () => [{ view, certificate }], undefined);
  repair.begin();
  return { repair, first: repair.answered(refuse.notOurRank) };
}

/** All that is said after this, where it is answered so. */
function saidFrom(repair: Repair, first: Gossip | undefined, answer: Reply): readonly Gossip[] {
  const said: Gossip[] = [];
  for (let gossip = first; gossip !== undefined; gossip = repair.answered(answer)) said.push(gossip);
  return said;
}

describe("a repair", () => {
  it("says one thing at a time: each vote once the one before it is answered", () => {
    const { repair, first } = repairOf();
    const said = saidFrom(repair, first, ack);
    assert.deepEqual(
      said.map(({ kind, sender }) => `${kind} ${sender}`),
      certificate.voters.map((voter) => `fastAccepted ${voter}`),
    );
    assert.equal(repair.result, "replayed");
  });

  it("says again what was lost, and gives up where it is lost again, or nobody is there", () => {
    const { repair, first } = repairOf();
    assert.equal(repair.answered(lost), first);
    const second = repair.answered(ack);
    assert.notEqual(second, first);
    assert.equal(repair.answered(lost), second);
    assert.equal(repair.answered(lost), undefined);
    assert.equal(repair.result, "failed");
    const { repair: other } = repairOf();
    assert.equal(other.answered(refused("unavailable", "connection refused")), undefined);
    assert.equal(other.result, "failed");
  });

  it("has one join anew that is still where saying it again did not help, by one vote after the other", () => {
    const repair = new Repair(rust, [view], () => [{ view, certificate }], view.id);
    repair.begin();
    const said = saidFrom(repair, repair.answered(refuse.notOurRank), ack);
    assert.equal(
      new Set(said.map(({ sender }) => sender)).size,
      view.size,
      "it may count more members than there are",
    );
    for (const gossip of said) assert.ok(gossip.kind === "accepted" && gossip.value[0] === rust);
    assert.equal(repair.result, "evicted");
  });

  it("has those vote, too, whom half a decision may have brought it (PITFALLS B1)", () => {
    const ended = { view, certificate: { ...certificate, value: [gone, host(30), host(31)] } };
    const repair = new Repair(rust, [view], () => [ended], view.id);
    repair.begin();
    const said = saidFrom(repair, repair.answered(refuse.notOurRank), ack);
    assert.deepEqual(
      said.map(({ sender }) => sender),
      [...view.members, host(30), host(31)],
    );
  });

  it("says no more to one that went once it had enough votes, be it elsewhere or silent on its way in", () => {
    for (const answer of [refuse.wrongConfiguration, lost]) {
      const repair = new Repair(rust, [view], () => undefined, view.id);
      repair.begin();
      repair.answered(refuse.notOurRank);
      repair.evict();
      for (let votes = 1; votes <= view.majority; votes++) assert.ok(repair.answered(ack));
      assert.equal(repair.answered(answer), undefined);
      assert.equal(repair.result, "evicted");
    }
  });

  it("goes on where a vote for that was lost, or its voter is unknown there, before enough were said", () => {
    const repair = new Repair(rust, [view], () => undefined, view.id);
    repair.begin();
    repair.answered(refuse.notOurRank);
    const first = repair.evict();
    assert.equal(repair.answered(lost), first);
    assert.ok(repair.answered(refuse.notMember(members[0]!)));
    assert.equal(repair.result, "under way");
  });

  it("evicts one from where no step leads on only when it is told to", () => {
    const repair = new Repair(rust, [view], () => undefined, undefined);
    repair.begin();
    assert.equal(repair.answered(refuse.notOurRank), undefined);
    assert.deepEqual([repair.result, repair.located], ["astray", view]);
    for (const gossip of saidFrom(repair, repair.evict(), ack)) {
      assert.ok(gossip.kind === "accepted" && gossip.configuration === view.id);
    }
    assert.equal(repair.result, "evicted");
  });

  it("leaves one whose way on is unknown to those who know it, the first time", () => {
    for (const [triedIn, result] of [
      [undefined, "unknown"],
      [view.id, "astray"],
    ] as const) {
      const repair = new Repair(rust, [view], () => [], triedIn);
      repair.begin();
      assert.equal(repair.answered(refuse.notOurRank), undefined);
      assert.equal(repair.result, result);
    }
  });

  it("finds one nowhere that is in none of the configurations that we know, or where we know of none", () => {
    const repair = new Repair(rust, [view], () => [{ view, certificate }], undefined);
    repair.begin();
    assert.equal(repair.answered(refuse.wrongConfiguration), undefined);
    assert.equal(repair.result, "nowhere");
    const without = View.of(K, [{ endpoint: gone, metadata: nodeMetadata() }], []);
    const newcomers = new Repair(rust, [without], () => [], undefined);
    assert.deepEqual([newcomers.begin(), newcomers.result], [undefined, "nowhere"]);
  });
});
