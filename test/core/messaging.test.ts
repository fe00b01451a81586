// MessagingTest and SubscriptionsTest of Java Rapid, as far as they concern a member alone, and what a member does with
// broadcasts (PROTOCOL §8, §10). What concerns sockets is tested over sockets.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ack, type FastAccepted, type Join, type Reply } from "../../src/core/messages.ts";
import { refuse } from "../../src/core/refusals.ts";
import { at, VirtualMesh, viewOf } from "../virtual-mesh.ts";
import { batchesAbout } from "./council.ts";
import { gone, LoneMember, late } from "./lone-member.ts";
import { host, hosts, joiner, joinerAt, K, nodeMetadata, uuid } from "./sample-views.ts";

const others = hosts(4, 1);

/** A host that this member would observe on several rings. */
function joinerOf(lone: LoneMember) {
  return hosts(200, 100).find((node) => lone.view.ringsHeld(lone.self, node).length >= 2)!;
}

function joinOn(lone: LoneMember, node: ReturnType<typeof joinerOf>, ring: number): Join {
  return { kind: "join", sender: node, ring, configuration: lone.view.id, ...joinerAt(node) };
}

describe("MessagingTest of Java Rapid", () => {
  it("joinFirstNode, joinFirstNodeRetry: a PreJoin is answered with the configuration and K observers, each time", () => {
    const lone = LoneMember.founding(host(0));
    const contacts: Reply = {
      kind: "contacts",
      sender: host(0),
      configuration: lone.view.id,
      observers: new Array(K).fill(host(0)),
      nodeRings: Array.from({ length: K }, (_, ring) => ring),
    };
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(lone.ask({ kind: "preJoin", sender: host(1), uuid: uuid(1) }), contacts);
    }
  });

  it("joinFirstNodeRetryWithErrors: status codes for a host and for a uuid that are there already", () => {
    const lone = LoneMember.among(others);
    assert.deepEqual(lone.ask({ kind: "preJoin", sender: host(1), uuid: uuid(77) }), refuse.hostExists);
    assert.deepEqual(lone.ask({ kind: "preJoin", sender: host(77), uuid: uuid(1) }), refuse.uuidExists);
  });

  it("joinMultipleNodesCheckConfiguration: the observers named are those who would observe the joiner", () => {
    const lone = LoneMember.among(hosts(30, 1));
    const reply = lone.ask({ kind: "preJoin", sender: host(99), uuid: uuid(99) });
    assert.ok(reply?.kind === "contacts");
    assert.deepEqual(reply.observers, lone.view.observersOf(host(99)));
  });

  it("joinWhenAlreadyInRing: a member that asks again with the uuid it came with is given the configuration", () => {
    const lone = LoneMember.among(others);
    lone.decide([host(50)]);
    const { view } = lone;
    const { uuid: known } = joinerAt(host(50));
    const contacts = lone.ask({ kind: "preJoin", sender: host(50), uuid: known });
    assert.equal(contacts?.kind, "contacts");
    assert.deepEqual(lone.ask({ ...joinOn(lone, host(50), 0), configuration: 3n }), {
      kind: "joined",
      sender: lone.self,
      configuration: view.id,
      view,
    });
    assert.deepEqual(lone.ask({ kind: "preJoin", sender: host(50), uuid: uuid(51) }), refuse.hostExists);
  });

  it("bootstrapAndThenProbe, probeBeforeBootstrap: a probe is answered well by members only", () => {
    const lone = new LoneMember(host(0), { founder: true });
    assert.deepEqual(lone.probe(), refuse.degraded);
    lone.feed({ kind: "start" });
    assert.deepEqual(lone.probe(), ack);
  });

  it("droppedMessage: an observer that does not answer is reported after three probes, and one that refuses as well", () => {
    for (const answer of [late, gone, refuse.degraded]) {
      const lone = LoneMember.among(others);
      const silent = lone.view.subjectsOf(lone.self)[0]!;
      lone.sleep(8200, (subject) => (subject === silent ? answer : ack));
      assert.deepEqual(
        new Set(lone.said("alerts").flatMap(({ edges }) => edges.map(({ node, ring }) => `${node} ${ring}`))),
        new Set(lone.view.ringsHeld(lone.self, silent).map((ring) => `${silent} ${ring}`)),
      );
    }
  });

  it("broadcasterTest: what one says reaches all", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(40);
    mesh.start(50, { seeds: [at(7)] });
    mesh.until("all know", () => members.every((member) => viewOf(member)!.has(at(50))), 1000);
    mesh.assertSound();
  });
});

describe("an observer that is asked to let a joiner in (PROTOCOL §8.2)", () => {
  it("keeps the call open, reports the joiner after 100 ms, and once a second while it waits (PITFALLS A8)", () => {
    const lone = LoneMember.among(others);
    const node = joinerOf(lone);
    const [ring] = lone.view.ringsHeld(lone.self, node) as [number];
    assert.equal(lone.ask(joinOn(lone, node, ring)), undefined);
    lone.sleep(99);
    assert.deepEqual(lone.said("alerts"), []);
    lone.sleep(1);
    const alerts = {
      kind: "alerts",
      sender: lone.self,
      configuration: lone.view.id,
      edges: [{ node, ring, join: joinerAt(node) }],
    };
    assert.deepEqual(lone.said("alerts"), [alerts]);
    lone.sleep(3000);
    assert.deepEqual(lone.said("alerts"), new Array(4).fill(alerts));
  });

  it("stops when the joiner has hung up", () => {
    const lone = LoneMember.among(others);
    const node = joinerOf(lone);
    const token = lone.open(joinOn(lone, node, lone.view.ringsHeld(lone.self, node)[0]!));
    lone.sleep(200);
    lone.hangup(token);
    lone.sleep(5000);
    assert.equal(lone.said("alerts").length, 1);
  });

  it("lets calls on several rings wait side by side, reports all in one batch, and answers all", () => {
    const lone = LoneMember.among(others);
    const node = joinerOf(lone);
    const rings = lone.view.ringsHeld(lone.self, node);
    const tokens = rings.map((ring) => lone.open(joinOn(lone, node, ring)));
    lone.sleep(100);
    assert.deepEqual(
      lone.said("alerts").map(({ edges }) => edges.map(({ ring }) => ring)),
      [rings],
    );
    lone.decide([node]);
    for (const token of tokens) {
      const reply = lone.replies.get(token);
      assert.ok(reply?.kind === "joined" && reply.configuration === lone.view.id && reply.view.has(node));
    }
  });

  it("ends the calls of those whom the next view leaves out (PITFALLS B11)", () => {
    const lone = LoneMember.among(others);
    const node = joinerOf(lone);
    const token = lone.open(joinOn(lone, node, lone.view.ringsHeld(lone.self, node)[0]!));
    lone.decide([host(3)]);
    assert.deepEqual(lone.replies.get(token), refuse.wrongConfiguration);
  });

  it("ends the calls of one whose address came in with another uuid", () => {
    const lone = LoneMember.among(others);
    const node = joinerOf(lone);
    const token = lone.open({
      ...joinOn(lone, node, lone.view.ringsHeld(lone.self, node)[0]!),
      ...joiner(999),
    });
    lone.decide([node]);
    assert.deepEqual(lone.replies.get(token), refuse.hostExists);
  });

  it("never reports a joiner under a configuration that it was not asked in", () => {
    const lone = LoneMember.among(others);
    const node = joinerOf(lone);
    lone.open(joinOn(lone, node, lone.view.ringsHeld(lone.self, node)[0]!));
    lone.decide([host(3)]);
    lone.sleep(1000);
    assert.deepEqual(
      lone.said("alerts").filter(({ configuration }) => configuration === lone.view.id),
      [],
    );
  });
});

describe("a broadcast (PROTOCOL §10)", () => {
  const vote = (lone: LoneMember): FastAccepted => ({
    kind: "fastAccepted",
    sender: host(1),
    configuration: lone.view.id,
    value: [host(4)],
  });

  it("is told on as it came, before it is judged, even where it is refused", () => {
    const lone = LoneMember.among(others);
    const broadcast = lone.broadcast({ ...vote(lone), sender: host(99) });
    lone.sent.length = 0;
    assert.deepEqual(lone.ask(broadcast), refuse.notMember(host(99)));
    assert.deepEqual(
      lone.sent.map(({ request }) => request),
      [broadcast],
    );
  });

  it("is answered with what its message is answered with", () => {
    const lone = LoneMember.among(others);
    assert.deepEqual(lone.hear(vote(lone)), ack);
    assert.deepEqual(lone.hear(vote(lone)), refuse.alreadyVoted);
  });

  it("that comes a second time is neither told on nor heard", () => {
    const lone = LoneMember.among(others);
    const broadcast = lone.broadcast(vote(lone));
    lone.ask(broadcast);
    lone.sent.length = 0;
    assert.deepEqual(lone.ask(broadcast), refuse.redundant);
    assert.deepEqual(lone.sent, []);
  });

  it("of our own that comes back is redundant", () => {
    const lone = LoneMember.among(others);
    for (const batch of batchesAbout(lone.view, [host(4)])) lone.hear(batch);
    const own = lone.sent.findLast(
      ({ request }) => request.kind === "broadcast" && request.gossip.sender === lone.self,
    )!;
    assert.deepEqual(lone.ask(own.request), refuse.redundant);
  });
});

describe("SubscriptionsTest of Java Rapid: the deltas of cuts", () => {
  it("the first cut of a founder and of a joiner has everybody as joined", () => {
    const founder = LoneMember.founding(host(0));
    assert.deepEqual([founder.cuts[0]!.joined, founder.cuts[0]!.kicked], [[host(0)], []]);
    const lone = LoneMember.among(others);
    assert.deepEqual(
      [new Set(lone.cuts[0]!.joined), lone.cuts[0]!.kicked],
      [new Set([lone.self, ...others]), []],
    );
  });

  it("each later cut has what changed", () => {
    const lone = LoneMember.among(others);
    lone.decide([host(2), host(50), host(51)]);
    const { joined, kicked } = lone.cuts.at(-1)!;
    assert.deepEqual([new Set(joined), kicked], [new Set([host(50), host(51)]), [host(2)]]);
  });

  it("a member that failed can be looked up with its metadata in the view before", () => {
    const lone = LoneMember.among(others);
    const metadata = nodeMetadata({ zone: "eu-1" });
    lone.decide([host(50)], () => joiner(50, metadata));
    const before = lone.view;
    lone.decide([host(50)]);
    assert.deepEqual(lone.cuts.at(-1)!.kicked, [host(50)]);
    assert.deepEqual(before.recordOf(host(50))!.metadata, metadata);
    assert.equal(lone.view.recordOf(host(50)), undefined);
  });
});
