import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { at, VirtualMesh, viewOf } from "../virtual-mesh.ts";

describe("a member that is told to leave before it is in", () => {
  it("gets in first where its observers are already letting it in, so that no ghost of it stays", () => {
    const mesh = new VirtualMesh(1);
    const founder = mesh.start(1000);
    const joiner = mesh.start(1001, { seeds: [at(1000)] });
    let hasKnocked = false;
    mesh.filter = (_from, _to, request) => {
      hasKnocked ||= request.kind === "join";
      return false;
    };
    mesh.until("the joiner knocks", () => hasKnocked);
    mesh.leave(joiner, 1000);
    mesh.until("it has left", () => joiner.leftAt !== undefined, 1000);
    assert.equal(joiner.wasRemoved, true);
    mesh.until("the founder is alone", () => viewOf(founder)?.size === 1 && founder.cuts.length === 3, 1000);
  });

  it("is done at once where nobody knows of it yet", () => {
    const mesh = new VirtualMesh(1);
    const joiner = mesh.start(1001, { seeds: [at(1000)] });
    mesh.leave(joiner, 1000);
    assert.equal(joiner.leftAt, mesh.now);
  });

  it("is done in time where its observers do not answer", () => {
    const mesh = new VirtualMesh(1);
    mesh.start(1000);
    const joiner = mesh.start(1001, { seeds: [at(1000)] });
    let knockedAt: number | undefined;
    mesh.filter = (_from, _to, request) => {
      if (request.kind === "join") knockedAt ??= mesh.now;
      return request.kind === "join";
    };
    mesh.until("the joiner knocks", () => knockedAt !== undefined);
    mesh.leave(joiner, 1000);
    mesh.until("it has left", () => joiner.leftAt !== undefined, 1000);
    assert.equal(joiner.wasRemoved, false);
  });
});
