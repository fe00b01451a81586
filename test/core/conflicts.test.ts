// Members that see different cuts, coordinators that duel or die, joiners that change their uuid: one history for all
// (PITFALLS §3.2: S25–S29).

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Request } from "../../src/core/messages.ts";
import { seededRandom } from "../../src/core/random.ts";
import { at, type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";
import { ringsHeld } from "./sample-views.ts";

const DETECTION_MS = 8000;

function isSaying(request: Request, kind: string, from: Endpoint): boolean {
  return request.kind === "broadcast" && request.gossip.kind === kind && request.gossip.sender === from;
}

/** Two members crash, and half of the others hear of one first and of the other much later, or the other way round. */
function splitMinds(mesh: VirtualMesh, size: number): readonly VirtualMember[] {
  const members = mesh.grow(size);
  const [first, second] = [members[0]!, members[1]!];
  const camps = [members.slice(2, 2 + (size - 2) / 2), members.slice(2 + (size - 2) / 2)];
  mesh.filter = (_, to, request) => {
    if (request.kind !== "broadcast" || request.gossip.kind !== "alerts") return false;
    const hidden = camps[0]!.some(({ endpoint }) => endpoint === to) ? second : first;
    return request.gossip.edges.some(({ node }) => node === hidden.endpoint);
  };
  // Own reports cannot be hidden from oneself, so that some know of both.
  mesh.crash(first, second);
  return members;
}

describe("proposals that conflict (S26)", () => {
  for (const size of [8, 12]) {
    it(`in ${size} members end in one cut after the other, the same for all`, () => {
      for (let seed = 1; seed <= 8; seed++) {
        const mesh = new VirtualMesh(seed);
        splitMinds(mesh, size);
        mesh.run(DETECTION_MS);
        mesh.filter = () => false;
        mesh.until("both are out", () => mesh.agree(), 60_000);
        mesh.assertSound();
      }
    });
  }

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

  for (const [what, kind] of [
    ["after their prepare, until only a majority lives (S28)", "prepare"],
    ["when they have chosen a value (S27)", "accept"],
  ] as const) {
    it(`that die ${what} are followed by others`, () => {
      for (let seed = 1; seed <= 8; seed++) {
        let mayDie = 2;
        const mesh = withCoordinators(seed, 13, 4, (running, from, request) => {
          const member = running.members.get(from)!;
          if (mayDie > 0 && member.isUp && isSaying(request, kind, from)) {
            mayDie -= 1;
            // The message is on its way to some.
            running.later(2, () => running.crash(member));
          }
          return false;
        });
        mesh.until("those who are left agree", () => mayDie < 2 && mesh.agree(), 90_000);
        mesh.assertSound();
      }
    });
  }

  it("that start all at once come to one decision (S27)", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const mesh = withCoordinators(seed, 10, 4, () => false);
      mesh.latencyMs = [50, 400]; // Everybody's round begins before anybody's prepare arrives.
      mesh.until("six are left", () => mesh.agree(), 60_000);
      mesh.assertSound();
    }
  });

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

describe("joins and crashes at the same moment (S25)", () => {
  it("leave all joiners in, all dead out, and one history", () => {
    for (let seed = 1; seed <= 4; seed++) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(20);
      const dead = members.slice(2, 7);
      mesh.crash(...dead);
      mesh.run(5900); // Reports about the dead and about the joiners will fall into the same batch.
      for (let port = 100; port < 110; port++)
        mesh.start(port, { seeds: mesh.living.map(({ endpoint }) => endpoint) });
      mesh.until("25 agree", () => mesh.living.length === 25 && mesh.agree(), 40_000);
      mesh.assertSound();
    }
  });

  it("do not lose a member that announced early and must apply a larger cut (PITFALLS B1)", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const mesh = new VirtualMesh(seed);
      const members = mesh.grow(8);
      const early = members[3]!;
      // It hears of the second joiner only after it has made up its mind about the first.
      mesh.filter = (_, to, request) =>
        to === early.endpoint &&
        request.kind === "broadcast" &&
        request.gossip.kind === "alerts" &&
        request.gossip.edges.some(({ node }) => node === at(51)) &&
        mesh.now < hidesUntil;
      const hidesUntil = mesh.now + 250;
      mesh.start(50, { seeds: [at(1)] });
      mesh.start(51, { seeds: [at(1)] });
      mesh.until("both are in", () => mesh.agree(), 30_000);
      mesh.assertSound();
    }
  });
});

describe("a process that starts again and again in the middle of its join (S29)", () => {
  it("gets in as one of its incarnations, the same for all", () => {
    for (let seed = 1; seed <= 15; seed++) {
      const mesh = new VirtualMesh(seed);
      const dice = seededRandom(BigInt(seed));
      const members = mesh.grow(4 + dice.below(6));
      mesh.latencyMs = [1, 40];
      const seeds = members.map(({ endpoint }) => endpoint);
      let joiner = mesh.start(9000, { seeds });
      for (let i = 0; i < 1 + dice.below(3); i++) {
        mesh.run(dice.below(400));
        mesh.crash(joiner);
        mesh.run(dice.below(50));
        joiner = mesh.start(9000, { seeds });
      }
      mesh.until("it is in", () => mesh.agree(), 30_000);
      assert.equal(viewOf(joiner)!.size, members.length + 1);
      mesh.assertSound();
    }
  });

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
        (one) => ringsHeld(view, dead.endpoint, at(one)).length >= 3,
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
