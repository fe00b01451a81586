// Processes that come back at the address they had (PITFALLS B5, B15; §3.2): a new incarnation gets in
// once the old one is out, and never are two of them in one view.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { evictionRank } from "../../src/core/certificates.ts";
import type { NodeId } from "../../src/core/endpoint.ts";
import { refuse } from "../../src/core/refusals.ts";
import { at, type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";
import { LoneMember } from "./lone-member.ts";
import { asVoted, host, hosts, joinerAt } from "./sample-views.ts";

const DETECTION_MS = 8000;

/** Kills a member and starts another at its address in the same moment. */
function restart(mesh: VirtualMesh, member: VirtualMember, port: number): VirtualMember {
  mesh.crash(member);
  const seeds = mesh.living
    .map(({ endpoint }) => endpoint)
    .filter((endpoint) => endpoint !== member.endpoint);
  return mesh.start(port, { seeds });
}

describe("a member that restarts at once (S11)", () => {
  it("is told that its host exists until its old incarnation is removed, and is in right after", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(6);
    const back = restart(mesh, members[3]!, 4);
    mesh.until("it was told so", () => back.notes.some((note) => /host already exists/.test(note)), 1000);
    assert.deepEqual(back.cuts, []);
    mesh.until("it is in", () => mesh.agree(), DETECTION_MS + 5000);
    assert.deepEqual(
      members[0]!.cuts.slice(-2).map(({ joined, kicked }) => [joined, kicked]),
      [
        [[], [at(4)]],
        [[at(4)], []],
      ],
    );
    mesh.assertSound();
  });

  it("does so again and again without a uuid being used twice", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(4);
    let member = members[2]!;
    const uuids = new Set<NodeId>();
    for (let i = 0; i < 5; i++) {
      member = restart(mesh, member, 3);
      mesh.until("it is in", () => mesh.agree(), DETECTION_MS + 8000);
      uuids.add(viewOf(members[0]!)!.recordOf(at(3))!.uuid!);
    }
    assert.equal(uuids.size, 5);
    assert.equal(viewOf(members[0]!)!.uuids.length, 4 + 5);
    mesh.assertSound();
  });

  it("answers probes as degraded meanwhile, so that the old incarnation is found dead (PITFALLS B12)", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    const answers = new Set<string>();
    restart(mesh, members[3]!, 4);
    mesh.replyFilter = (from, to, reply) => {
      const isProbe = from === at(4) && viewOf(members[0]!)!.subjectsOf(to).includes(from);
      if (isProbe && reply.kind === "refused") answers.add(reply.why);
      return false;
    };
    mesh.until("the old one is out", () => !viewOf(members[0]!)!.has(at(4)), DETECTION_MS);
    assert.ok(answers.has(refuse.degraded.why));
    mesh.assertSound();
  });
});

describe("a founder that restarts (S10, PITFALLS B5)", () => {
  it("draws a new uuid for each mesh that it founds", () => {
    const ids = [1n, 2n].map((seed) => {
      const founder = new LoneMember(host(0), { founder: true, seed });
      founder.feed({ kind: "start" });
      return founder.view.id;
    });
    assert.notEqual(ids[0], ids[1]);
  });

  it("that is removed joins the others again and founds nothing", () => {
    const founder = LoneMember.founding(host(0));
    founder.decide([host(1), host(2)]);
    founder.decide([host(0)]);
    assert.equal(founder.degraded, true);
    founder.feed({ kind: "seeds", seeds: [] });
    assert.deepEqual(founder.lastCall("preJoin").request.kind, "preJoin");
    assert.ok(hosts(2, 1).includes(founder.lastCall("preJoin").to));
    assert.equal(founder.view.size, 2);
  });
});

describe("a member that was removed", () => {
  const others = hosts(4, 1);

  function removed(): LoneMember {
    const lone = LoneMember.among(others);
    lone.decide([lone.self]);
    return lone;
  }

  it("publishes a degraded cut, and joins again by a seed or by those it knew last (PITFALLS A12)", () => {
    const lone = removed();
    assert.deepEqual([lone.cuts.at(-1)!.degraded, lone.cuts.at(-1)!.kicked], [true, [lone.self]]);
    const contacts = new Set<string>();
    lone.feed({ kind: "seeds", seeds: [host(50)] });
    for (let i = 0; i < 5; i++) {
      const { call, to } = lone.lastCall("preJoin");
      contacts.add(to);
      lone.answer(call, refuse.joining);
    }
    assert.deepEqual(contacts, new Set([host(50), ...others]));
  });

  it("comes with a uuid that it never used", () => {
    const lone = LoneMember.among(others);
    const first = lone.view.uuids;
    lone.decide([lone.self]);
    lone.feed({ kind: "seeds", seeds: others });
    const { request } = lone.lastCall("preJoin");
    assert.ok(request.kind === "preJoin" && !first.includes(request.uuid));
  });

  it("probes nobody and reports nobody while it is out (PITFALLS A9)", () => {
    const lone = removed();
    lone.feed({ kind: "seeds", seeds: [] });
    lone.calls.length = 0;
    lone.sent.length = 0;
    lone.sleep(30_000);
    assert.deepEqual([lone.calls.filter(({ request }) => request.kind === "probe"), lone.sent], [[], []]);
  });

  it("still tells on what it hears, to those who would be its successors (PROTOCOL §10)", () => {
    const lone = removed();
    lone.sent.length = 0;
    lone.hear({ kind: "fastAccepted", sender: host(1), configuration: lone.view.id, value: [host(2)] });
    assert.deepEqual(new Set(lone.sent[0]!.to), new Set(lone.view.subjectsOf(lone.self)));
  });

  it("lets those who have it as a member still know that there is something to ask it (PITFALLS B4)", () => {
    const before = LoneMember.among(others);
    const { view } = before;
    before.decide([before.self]);
    before.feed({ kind: "seeds", seeds: others });
    before.sent.length = 0;
    const { call, to } = before.lastCall("preJoin");
    before.answer(call, refuse.hostExists);
    const told = before.sent.map(({ to, request }) => [to, request.kind]);
    assert.deepEqual(told, [[[to], "compare"]]);
    const { request } = before.sent[0]!;
    assert.ok(request.kind === "compare" && request.configuration === 0n && request.past[0] === view.id);
    const question = { kind: "compare", sender: to, configuration: view.id, past: [] } as const;
    const reply = before.ask(question);
    assert.ok(reply?.kind === "compared" && reply.chain[0]?.configuration === view.id);
  });

  it("has no evidence to give, and reminds nobody, where nobody voted for it and it was only evicted", () => {
    const lone = LoneMember.among(others);
    const { view } = lone;
    for (const sender of view.members.slice(0, view.majority)) {
      const vote = { kind: "accepted", sender, configuration: view.id, value: [lone.self] } as const;
      lone.hear({ ...vote, rank: evictionRank(lone.self) });
    }
    assert.ok(lone.degraded);
    lone.feed({ kind: "seeds", seeds: others });
    lone.sent.length = 0;
    lone.answer(lone.lastCall("preJoin").call, refuse.hostExists);
    const reply = lone.ask({ kind: "compare", sender: host(1), configuration: view.id, past: [] });
    assert.ok(reply?.kind === "compared");
    assert.deepEqual([reply.chain, lone.sent], [[], []]);
  });

  it("asks one that was removed, by a decision that it may lack, as soon as that one speaks to it", () => {
    const lone = LoneMember.among(others, { isForeign: (node) => node === host(3) });
    lone.sleep(1);
    lone.calls.length = 0;
    lone.ask({ kind: "compare", sender: host(3), configuration: 0n, past: [lone.view.id] });
    lone.sleep(1000);
    const asked = lone.calls.filter(({ to, request }) => to === host(3) && request.kind === "compare");
    assert.equal(asked.length, 1);
  });

  it("takes the first cut after it came back as the difference to its last one", () => {
    const lone = removed();
    lone.joinAmong([host(1), host(2), host(9)]);
    const { joined, kicked, degraded } = lone.cuts.at(-1)!;
    assert.deepEqual(
      [new Set(joined), new Set(kicked), degraded],
      [new Set([lone.self, host(9)]), new Set([host(3), host(4)]), false],
    );
  });
});

describe("a decision that cannot be applied (PITFALLS B1)", () => {
  it("makes a member leave its view after two seconds and join anew, beside Rust members", () => {
    const lone = LoneMember.among(hosts(4, 1), { isForeign: (member) => member === host(4) });
    const { view } = lone;
    for (const sender of hosts(4, 1)) {
      lone.hear({ kind: "fastAccepted", sender, configuration: view.id, value: [host(100)] });
    }
    lone.sleep(1999);
    assert.equal(lone.degraded, false);
    lone.sleep(1);
    assert.deepEqual(lone.cuts.at(-1), { view, joined: [], kicked: [], degraded: true });
    assert.deepEqual(lone.probe(), refuse.degraded);
    lone.feed({ kind: "seeds", seeds: [] });
    assert.ok(hosts(4, 1).includes(lone.lastCall("preJoin").to));
  });

  it("is waited for among Node members, which are asked what it was", () => {
    const lone = LoneMember.among(hosts(4, 1));
    const value = asVoted(lone.view, [host(100)]);
    for (const sender of hosts(4, 1)) {
      lone.hear({ kind: "fastAccepted", sender, configuration: lone.view.id, value });
    }
    lone.sleep(30_000);
    assert.equal(lone.degraded, false);
    assert.equal(lone.lastCall("compare").request.kind, "compare");
  });

  it("is applied when the joiner's data comes in time", () => {
    const lone = LoneMember.among(hosts(4, 1));
    const { view } = lone;
    const value = asVoted(view, [host(1), host(100)]);
    for (const sender of hosts(4, 1)) {
      lone.hear({ kind: "fastAccepted", sender, configuration: view.id, value });
    }
    lone.sleep(1500);
    const sender = view.observersOf(host(100))[3]!;
    const edges = [{ node: host(100), ring: 3, join: joinerAt(host(100)) }];
    lone.hear({ kind: "alerts", sender, configuration: view.id, edges });
    assert.deepEqual([lone.cuts.at(-1)!.joined, lone.cuts.at(-1)!.kicked], [[host(100)], [host(1)]]);
    lone.sleep(10_000);
    assert.equal(lone.degraded, false);
  });
});

describe("a rolling restart (S34)", () => {
  it("with a graceful leave first takes no detection at all", () => {
    const mesh = new VirtualMesh(1);
    mesh.grow(10);
    const from = mesh.now;
    for (let port = 1; port <= 10; port++) {
      const member = mesh.members.get(at(port))!;
      mesh.leave(member);
      mesh.until("it left", () => member.leftAt !== undefined, 1000);
      mesh.start(port, { seeds: mesh.living.map(({ endpoint }) => endpoint) });
      mesh.until("ten agree", () => mesh.living.length === 10 && mesh.agree(), 2000);
    }
    assert.ok(mesh.now - from < 10_000);
    mesh.assertSound();
  });
});
