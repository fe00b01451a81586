import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, joiner, uuid, viewAmong } from "../../../test/core/sample-views.ts";
import type { Process } from "../process.ts";
import { Changelings } from "./changelings.ts";

function process(at: number, model: "node" | "rust" = "node"): Process {
  return { endpoint: host(at), model } as Process;
}

describe("joiners that came as several", () => {
  const before = viewAmong([0, 1, 2], () => true);
  const as = (number: number) => before.next([host(9)], new Map([[host(9), joiner(number)]]));
  const rust = process(1, "rust");

  it("are laid to the Rust member that let in a process that had started again", () => {
    const changelings = new Changelings();
    changelings.came(process(9), uuid(9));
    changelings.came(process(9), uuid(10));
    assert.equal(changelings.between(as(9), as(10)), undefined);
    for (const from of [viewAmong([0, 1, 2]), undefined]) changelings.admitted(process(2), [host(9)], from);
    assert.equal(changelings.between(as(9), as(10)), undefined, "Node members vote on as whom it came");
    changelings.admitted(rust, [host(9)], before);
    assert.equal(changelings.between(as(9), as(10)), rust);
    assert.ok(!changelings.mayPart(as(9), as(10)));
    assert.equal(changelings.between(as(9), as(9)), undefined);
    assert.equal(changelings.between(before, as(10)), undefined);
  });

  it("are nobody's fault where members that cannot vote on as whom they come let them in", () => {
    const changelings = new Changelings();
    changelings.came(process(9), uuid(9));
    changelings.came(process(9), uuid(10));
    assert.ok(!changelings.mayPart(as(9), as(10)));
    changelings.admitted(process(2), [host(9)], before);
    assert.ok(changelings.mayPart(as(9), as(10)));
  });

  it("are laid to themselves where they take another uuid for every attempt", () => {
    const changelings = new Changelings();
    const itself = process(9, "rust");
    changelings.came(itself, uuid(9));
    changelings.admitted(rust, [host(9)], before);
    assert.equal(changelings.between(as(9), as(10)), itself);
  });

  it("are nobody's where all came once", () => {
    const changelings = new Changelings();
    changelings.came(process(9), uuid(9));
    changelings.came(process(9), uuid(9));
    changelings.admitted(rust, [host(9)], before);
    assert.equal(changelings.between(as(9), as(10)), undefined);
  });
});
