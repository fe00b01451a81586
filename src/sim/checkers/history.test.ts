import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, joiner, viewAmong } from "../../../test/core/sample-views.ts";
import type { ViewChange } from "../../core/doorway.ts";
import type { View } from "../../core/view.ts";
import type { Process } from "../process.ts";
import { History } from "./history.ts";

const [leaver, newcomer] = [host(1), host(9)];

/** Which rules these members break, who go on as they say from a configuration in which they all are. */
function brokenBy(before: View, ways: readonly (readonly [member: number, to: View])[]): readonly number[] {
  let broken: number[] = [];
  const history = new History((invariant) => void broken.push(invariant));
  const start: ViewChange = { view: before, joined: before.members, kicked: [], degraded: false };
  const processes = ways.map(([member, to]) => {
    const process = { endpoint: host(member), model: "node", seemsNode: true };
    history.follow(process as Process, start);
    return { to, process: { ...process, cut: start } as Process };
  });
  broken = [];
  for (const { process, to } of processes) {
    const degraded = !to.has(process.endpoint);
    history.follow(process, { view: to, joined: [newcomer], kicked: [leaver], degraded });
  }
  return broken;
}

/** One leaves and one joins, who is told of as two. */
function stepsOf(isForeign: (i: number) => boolean): { before: View; one: View; other: View } {
  const before = viewAmong([0, 1, 2, 3, 4], isForeign);
  const as = (uuid: number) => before.next([leaver, newcomer], new Map([[newcomer, joiner(uuid)]]));
  return { before, one: as(9), other: as(10) };
}

describe("the checker of the mesh's history", () => {
  const beside = stepsOf((i) => i === 4);

  it("lets one that is removed have its own word for a joiner beside members that do not say what they are (B3)", () => {
    const { before, one, other } = beside;
    for (const ways of [
      [[0, one] as const, [1, other] as const, [2, one] as const],
      [[1, other] as const, [0, one] as const, [2, one] as const],
    ]) {
      assert.deepEqual(brokenBy(before, ways), []);
    }
  });

  it("does not let those who stay have different ones", () => {
    const { before, one, other } = beside;
    assert.ok(
      brokenBy(before, [
        [0, one],
        [1, other],
        [2, other],
      ]).includes(2),
    );
    assert.ok(
      brokenBy(before, [
        [1, other],
        [0, one],
        [2, other],
      ]).includes(2),
    );
  });

  it("does not let one that is removed have its own word for who is removed with it", () => {
    const { before, one } = beside;
    const otherwise = before.next([leaver, host(2), newcomer], new Map([[newcomer, joiner(9)]]));
    assert.ok(
      brokenBy(before, [
        [0, one],
        [1, otherwise],
      ]).includes(2),
    );
    assert.ok(
      brokenBy(before, [
        [1, otherwise],
        [0, one],
      ]).includes(2),
    );
  });

  it("lets nobody have its own word where all members say that they are Node, and votes say who joins", () => {
    const { before, one, other } = stepsOf(() => false);
    assert.ok(
      brokenBy(before, [
        [0, one],
        [1, other],
      ]).includes(2),
    );
    assert.ok(
      brokenBy(before, [
        [1, other],
        [0, one],
      ]).includes(2),
    );
  });

  /** Whom it blames: the founder lets a second one in, both are removed, and it founds a mesh as before that lets it in again. */
  const blamedWhere = (founder: string): readonly string[] => {
    const blamed: string[] = [];
    const history = new History((_, process) => void blamed.push(process!.model));
    const all = [host(0), host(1)];
    const alone = viewAmong([0], () => true);
    const first = alone.next([host(1)], new Map([[host(1), joiner(1)]]));
    const nobody = first.next(all, new Map());
    const second = alone.next([host(1)], new Map([[host(1), joiner(2)]]));
    const processes = [founder, "node"].map((model, i) => ({ endpoint: host(i), model }) as Process);
    const go = (i: number, view: View): void => {
      const process = processes[i]!;
      const before = process.cut?.view;
      const joined = view.members.filter((node) => before?.has(node) !== true);
      const kicked = before?.members.filter((node) => !view.has(node)) ?? [];
      const cut: ViewChange = { view, joined, kicked, degraded: !view.has(host(i)) };
      history.follow(process, cut);
      processes[i] = { ...process, cut } as Process;
    };
    const steps = [
      [0, alone],
      [0, first],
      [1, first],
      [0, nobody],
      [1, nobody],
      [0, alone],
      [0, second],
      [1, second],
    ] as const;
    for (const [i, view] of steps) go(i, view);
    return blamed;
  };

  it("lays a mesh that is founded again as before to its founder, not to whom that one lets in", () => {
    assert.deepEqual(blamedWhere("rust"), ["rust"]);
    assert.deepEqual(blamedWhere("node"), ["node", "node", "node"]);
  });
});
