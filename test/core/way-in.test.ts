// Joining a mesh that changes, crashes and loses messages meanwhile (PROTOCOL §8; PITFALLS B3, B11, B12).

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { at, type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";

function has(member: VirtualMember, endpoint: Endpoint): boolean {
  return viewOf(member)?.has(endpoint) ?? false;
}

/** A port whose member would be observed by `observer` on this many rings. */
function portObservedBy(member: VirtualMember, rings: (held: number) => boolean, from = 100): number {
  const view = viewOf(member)!;
  for (let port = from; ; port++) if (rings(view.ringsHeld(member.endpoint, at(port)).length)) return port;
}

describe("joining", () => {
  it("goes on through another seed when the first is dead without a trace", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(3);
    mesh.filter = (_, to) => to === at(99);
    for (let i = 0; i < 5; i++) mesh.start(10 + i, { seeds: [at(99), at(1), at(98)] });
    mesh.until("all are in", () => mesh.agree(), 6000);
    assert.ok(members.every((member) => member.cuts.at(-1)!.view.size === 8));
    mesh.assertSound();
  });
});

describe("a joiner while the configuration changes (PITFALLS B11)", () => {
  it("is sent away by its observers at once and is in soon after", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    const answers: string[] = [];
    // Its reports are lost, so that the next view change comes without it.
    mesh.filter = (_, __, request) =>
      request.kind === "broadcast" &&
      request.gossip.kind === "alerts" &&
      request.gossip.edges.some(({ node }) => node === at(9)) &&
      !members.some((member) => has(member, at(8)));
    mesh.replyFilter = (_, to, reply) => {
      if (to === at(9) && reply.kind !== "contacts")
        answers.push(reply.kind === "refused" ? reply.why : reply.kind);
      return false;
    };
    mesh.start(9, { seeds: [at(1)] });
    mesh.run(300);
    mesh.start(8, { seeds: [at(2)] });
    mesh.until("all are in", () => mesh.agree(), 1500);
    assert.ok(answers.includes("mismatched configuration id"));
    assert.ok(answers.includes("joined"));
    mesh.assertSound();
  });

  it("is let in when it asks again also by members that came in with it, who know its uuid only among others", () => {
    const mesh = new VirtualMesh(1);
    // One joiner is not answered for a while; its observers in the new view have all joined in the same cut.
    const deafUntil = mesh.now + 5000;
    mesh.replyFilter = (_, to, reply) => to === at(9) && reply.kind === "joined" && mesh.now < deafUntil;
    mesh.start(1);
    for (let port = 2; port <= 12; port++) mesh.start(port, { seeds: [at(1)] });
    mesh.until("all agree", () => mesh.agree(), 8000);
    assert.deepEqual(
      mesh.living.flatMap(({ cuts }) => cuts.flatMap(({ kicked }) => kicked)),
      [],
    );
    mesh.assertSound();
  });

  it("is not removed again when it was let in while it waited for a contact that never answers", () => {
    const mesh = new VirtualMesh(3);
    const members = mesh.grow(5);
    // A dead member holds back the view change until it is detected, for longer than an attempt takes.
    mesh.crash(members[4]!);
    mesh.filter = (_, to) => to === at(5) || to === at(98) || to === at(97);
    mesh.run(1500);
    const port = portObservedBy(members[4]!, (held) => held >= 2);
    mesh.start(port, { seeds: [at(1), at(5), at(97), at(98)] });
    mesh.until("it is in", () => mesh.agree(), 30_000);
    assert.deepEqual(
      members[0]!.cuts.flatMap(({ kicked }) => kicked),
      [at(5)],
    );
    mesh.assertSound();
  });
});
