// Members that see different cuts, coordinators that duel, joiners that change their uuid: one history for all. What is not
// here are the scenarios S25 to S29.

import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Request } from "../../src/core/messages.ts";
import { seededRandom } from "../../src/core/random.ts";
import { at, VirtualMesh, viewOf } from "../virtual-mesh.ts";

const DETECTION_MS = 8000;

describe("proposals that conflict", () => {
  it("that leave the fast round without a chance go on at once, and not after a timer of seconds", () => {
    const mesh = new VirtualMesh(2);
    const members = mesh.grow(8);
    // Each half of the members votes for another joiner.
    const half = new Set(members.slice(0, 4).map(({ endpoint }) => endpoint));
    mesh.filter = (_, to, request) => {
      if (request.kind !== "broadcast" || request.gossip.kind !== "alerts") return false;
      const hidden = half.has(to) ? at(50) : at(51);
      return request.gossip.edges.every(({ node }) => node === hidden);
    };
    mesh.start(50, { seeds: [at(1)] });
    mesh.start(51, { seeds: [at(8)] });
    mesh.run(400);
    mesh.filter = () => false;
    mesh.until("both are in", () => mesh.agree(), 5000);
    mesh.assertSound();
  });
});

describe("coordinators", () => {
  /** So many crash that only a classic round can decide; its coordinators meet this. */
  function withCoordinators(
    seed: number,
    size: number,
    crashes: number,
    strike: (mesh: VirtualMesh, from: Endpoint, request: Request) => boolean,
  ): VirtualMesh {
    const mesh = new VirtualMesh(seed);
    const members = mesh.grow(size);
    mesh.filter = (from, _, request) => strike(mesh, from, request);
    mesh.crash(...members.slice(0, crashes));
    return mesh;
  }

  it("are not believed by those who have promised to a later one", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const mesh = withCoordinators(seed, 9, 3, () => false);
      const dice = seededRandom(BigInt(seed));
      // Accept messages of every coordinator reach some members late, after the next round began.
      mesh.filter = (_, __, request) =>
        request.kind === "broadcast" &&
        request.gossip.kind === "accept" &&
        request.gossip.rank.round < 5 &&
        dice.below(3) > 0;
      mesh.run(30_000);
      mesh.filter = () => false;
      mesh.run(30_000);
      mesh.assertSound();
    }
  });
});

describe("a process that starts again and again in the middle of its join", () => {
  it("and never stops keeps nobody else from coming or from being removed", () => {
    for (const everyMs of [150, 400]) {
      const mesh = new VirtualMesh(1);
      const members = mesh.grow(6);
      const seeds = members.slice(0, 5).map(({ endpoint }) => endpoint);
      const dead = members[5]!;
      mesh.crash(dead);
      // It cannot get in before the dead one is found to be dead, so that it is told of in ever more variants.
      const view = viewOf(members[0]!)!;
      const port = [9000, 9001, 9002, 9003, 9004, 9005].find(
        (one) => view.ringsHeld(dead.endpoint, at(one)).length >= 3,
      )!;
      let unruly = mesh.start(port, { seeds });
      const restart = (): void => {
        mesh.crash(unruly);
        unruly = mesh.start(port, { seeds });
        mesh.later(everyMs, restart);
      };
      mesh.later(everyMs, restart);
      mesh.run(3000);
      const joiner = mesh.start(9100, { seeds });
      const isDone = (): boolean => viewOf(joiner) !== undefined && !viewOf(members[0]!)!.has(dead.endpoint);
      mesh.until("the dead one is out and the joiner is in", isDone, DETECTION_MS + 3000);
      mesh.assertSound();
    }
  });
});
