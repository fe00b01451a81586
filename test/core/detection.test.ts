// How members that die are found, and members that live are not: by refused connections where all members are Node,
// by probes alone otherwise.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { at, type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";

/** Two periods and a bit: three probes have failed at the earliest. */
const PROBED_MS = 4000;

/** How long the others need to agree that these are gone. */
function removal(mesh: VirtualMesh, ...gone: readonly VirtualMember[]): number {
  const { now } = mesh;
  const left = mesh.living.filter((member) => !gone.includes(member));
  mesh.until("they are removed", () => mesh.agree(left), 60_000);
  mesh.assertSound();
  return mesh.now - now;
}

function assertNobodyGoes(mesh: VirtualMesh, members: readonly VirtualMember[], ms: number): void {
  const { id } = viewOf(members[0]!)!;
  mesh.run(ms);
  assert.ok(mesh.agree(members));
  assert.equal(viewOf(members[0]!)!.id, id);
  mesh.assertSound();
}

describe("a mesh of Node members", () => {
  for (const [size, count] of [
    [3, 1],
    [10, 1],
    [10, 3],
    [32, 10],
  ] as const) {
    it(`removes ${count} of ${size} whose processes died within a second`, () => {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(size);
      mesh.run(5000);
      const gone = members.slice(1, 1 + count);
      mesh.crash(...gone);
      const ms = removal(mesh, ...gone);
      assert.ok(ms > 300, `after some refusals, not ${ms} ms`);
      assert.ok(ms < 1000, `${ms} ms`);
      assert.equal(members[0]!.cuts.at(-1)!.kicked.length, count, "all in one cut");
    });
  }

  it("removes a process that died before anybody was connected to it", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    const died = members[4]!;
    // No connection breaks, but new ones are refused.
    mesh.vanish(died);
    died.isSilent = false;
    assert.ok(removal(mesh, died) < 2000 + 1000);
  });

  it("removes a machine that died without a word after three probes, as ever", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mesh.vanish(members[4]!);
    assert.ok(removal(mesh, members[4]!) > PROBED_MS);
  });

  it("removes a frozen process after three probes, as ever, though its connections broke", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mesh.checker.mayBeRemoved.add(members[4]!.endpoint);
    mesh.stall(members[4]!);
    mesh.disconnect(members[4]!);
    assert.ok(removal(mesh, members[4]!) > PROBED_MS);
  });

  it("keeps a member whose connections broke, and who takes new ones", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mesh.run(5000);
    for (let i = 0; i < 20; i++) mesh.later(i * 300, () => mesh.disconnect(members[4]!));
    assertNobodyGoes(mesh, members, 20_000);
  });

  it("keeps a member that refused everybody for a moment", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mesh.run(5000);
    const until = mesh.now + 200;
    mesh.dialFilter = (_, to) => (to === members[4]!.endpoint && mesh.now < until ? "refused" : undefined);
    mesh.disconnect(members[4]!);
    assertNobodyGoes(mesh, members, 20_000);
  });

  it("keeps a member that one observer alone is refused by, for as long as it likes", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mesh.run(5000);
    const [one, other] = [members[2]!.endpoint, members[4]!.endpoint];
    mesh.dialFilter = (from, to) => (from === one && to === other ? "refused" : undefined);
    mesh.filter = (from, to, request) => from === one && to === other && request.kind === "probe";
    mesh.disconnect(members[4]!);
    assertNobodyGoes(mesh, members, 60_000);
  });

  it("keeps everybody when a member has no descriptors left, and cannot connect to anybody", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mesh.run(5000);
    const lame = members[4]!.endpoint;
    mesh.dialFilter = (from) => (from === lame ? "unknown" : undefined);
    for (const member of members) mesh.disconnect(member);
    assertNobodyGoes(mesh, members, 20_000);
  });

  it("does not wait for refusals that no longer come where another process has taken the address", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(10);
    mesh.run(5000);
    mesh.crash(members[4]!);
    mesh.run(100);
    const back = mesh.start(5, { seeds: [at(1)] });
    const { now } = mesh;
    mesh.until("the old one is out", () => !viewOf(members[0]!)!.has(at(5)));
    assert.ok(mesh.now - now < 1000, `${mesh.now - now} ms`);
    mesh.until("the new one is in", () => mesh.agree());
    assert.ok(!back.cuts[0]!.degraded);
    mesh.assertSound();
  });

  it("removes a founder that was started anew without seeds, and so believes in a mesh of its own", () => {
    const mesh = new VirtualMesh(1);
    const members = mesh.grow(5);
    mesh.run(5000);
    mesh.crash(members[0]!);
    const impostor = mesh.start(1);
    const { now } = mesh;
    const rest = members.slice(1);
    mesh.until("the rest agree without it", () => mesh.agree(rest));
    assert.ok(mesh.now - now < 1000, `${mesh.now - now} ms`);
    assert.equal(viewOf(impostor)!.size, 1);
  });
});

describe("a mesh with one Rust member", () => {
  /** The founder is foreign, everybody else is Node. */
  function mixed(size: number): { mesh: VirtualMesh; members: VirtualMember[] } {
    const mesh = new VirtualMesh(1);
    const founder = mesh.start(1, { isForeign: true });
    const others = Array.from({ length: size - 1 }, (_, i) =>
      mesh.start(2 + i, { seeds: [founder.endpoint] }),
    );
    const members = [founder, ...others];
    mesh.until("all are in", () => mesh.agree(members));
    mesh.run(5000);
    return { mesh, members };
  }

  it("removes a Node process that died after three probes, as the Rust member does (PITFALLS B9b)", () => {
    const { mesh, members } = mixed(10);
    let dials = 0;
    mesh.dialFilter = () => {
      dials += 1;
      return undefined;
    };
    mesh.crash(members[4]!);
    assert.ok(removal(mesh, members[4]!) > PROBED_MS);
    assert.equal(dials, 0);
  });

  it("takes another process at the address for what its probes say it is", () => {
    const { mesh, members } = mixed(10);
    mesh.crash(members[4]!);
    mesh.start(5, { seeds: [at(1)] });
    const { now } = mesh;
    mesh.until("the old one is out", () => !viewOf(members[0]!)!.has(at(5)));
    assert.ok(mesh.now - now > PROBED_MS);
  });
});
