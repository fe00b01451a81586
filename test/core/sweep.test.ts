// Many small random lives of a mesh: members join, crash and leave in random weather, and when it clears all must agree,
// having contradicted themselves never. A seed that fails is a bug; run it alone with SEED=….

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { type VirtualMember, VirtualMesh, viewOf } from "../virtual-mesh.ts";

interface Life {
  readonly mesh: VirtualMesh;
  readonly dice: Random;
  /** What happened, for whoever has to find out why it failed. */
  readonly log: string[];
}

const seeds = (from: number, count: number): readonly number[] =>
  process.env.SEED === undefined
    ? Array.from({ length: count }, (_, i) => from + i)
    : [Number(process.env.SEED)].filter((seed) => seed >= from && seed < from + count);

/** In every view that somebody is in, more than half would still be there if one more went. */
function canSpare(mesh: VirtualMesh): boolean {
  const isGoing = ({ isUp, leavesAt }: VirtualMember): boolean => !isUp || leavesAt !== undefined;
  return mesh.living.every((member) => {
    const view = viewOf(member);
    if (view === undefined) return true;
    const going = view.members.filter((node) => isGoing(mesh.members.get(node)!)).length;
    return 2 * (going + 1) < view.size;
  });
}

function live({ mesh, dice, log }: Life, eventsMax: number): void {
  let port = 100;
  for (let i = 4 + dice.below(eventsMax); i > 0; i--) {
    const living = mesh.living.filter(({ leavesAt }) => leavesAt === undefined);
    const someone = living[dice.below(living.length)]!;
    const roll = dice.below(10);
    let event = "nothing";
    if (roll < 5) {
      event = `${port} joins`;
      mesh.start(port++, { seeds: living.map(({ endpoint }) => endpoint), isForeign: dice.below(3) === 0 });
    } else if (living.length > 3 && canSpare(mesh)) {
      event = `${someone.endpoint} ${roll < 7 ? "crashes" : "leaves"}`;
      if (roll < 7) mesh.crash(someone);
      else mesh.leave(someone);
      if (dice.below(2) === 0) mesh.run(dice.below(17_000));
    }
    log.push(`${Math.round(mesh.now - 1_700_000_000_000)} ms: ${event}`);
    mesh.run(dice.below(1500));
  }
}

function check(seed: number, weather: (life: Life) => void): void {
  const life: Life = { mesh: new VirtualMesh(seed), dice: seededRandom(BigInt(seed)), log: [] };
  const { mesh, log } = life;
  try {
    mesh.grow(3 + life.dice.below(10));
    weather(life);
    live(life, 8);
    mesh.loss = 0;
    mesh.duplication = 0;
    mesh.latencyMs = [1, 5];
    mesh.filter = () => false;
    mesh.until("all agree", () => mesh.agree(), 120_000);
    mesh.assertSound();
  } catch (cause) {
    throw new Error(`SEED=${seed}\n${log.join("\n")}`, { cause });
  }
}

const weathers: readonly (readonly [
  what: string,
  from: number,
  count: number,
  weather: (life: Life) => void,
])[] = [
  ["in calm weather", 1, 45, () => {}],
  [
    "with messages that are slow and overtake each other",
    1001,
    40,
    ({ mesh, dice }) => {
      mesh.latencyMs = [1, 10 + dice.below(300)];
    },
  ],
  [
    "with messages that arrive twice",
    2001,
    35,
    ({ mesh, dice }) => {
      mesh.duplication = dice.below(50) / 100;
    },
  ],
  [
    "with calls that are lost",
    3001,
    40,
    ({ mesh, dice }) => {
      const share = dice.below(8);
      const lostInARow = new Map<string, number>();
      mesh.filter = (from, to, { kind }) => {
        if (kind !== "probe" && kind !== "join" && kind !== "preJoin" && kind !== "leave") return false;
        const isLost = dice.below(100) < share;
        if (kind !== "probe") return isLost;
        const lost = isLost ? (lostInARow.get(`${from} ${to}`) ?? 0) + 1 : 0;
        lostInARow.set(`${from} ${to}`, lost);
        if (lost >= mesh.settings.faultStrikes) mesh.checker.mayBeRemoved.add(to); // There is a reason then.
        return isLost;
      };
    },
  ],
];

describe("a mesh that lives at random", () => {
  for (const [what, from, count, weather] of weathers) {
    it(`${what} ends in agreement, without a contradiction on the way (${count} seeds from ${from})`, () => {
      for (const seed of seeds(from, count)) check(seed, weather);
    });
  }

  it("with messages of all kinds that are lost ends in agreement too (40 seeds from 4001)", () => {
    for (const seed of seeds(4001, 40)) {
      check(seed, ({ mesh, dice }) => {
        mesh.loss = dice.below(5) / 100;
        mesh.duplication = dice.below(20) / 100;
      });
    }
  });

  it("is the same from the same seed, to the last message", () => {
    const run = (seed: number): readonly number[] => {
      const life: Life = { mesh: new VirtualMesh(seed), dice: seededRandom(BigInt(seed)), log: [] };
      life.mesh.grow(3 + life.dice.below(10));
      life.mesh.latencyMs = [1, 50];
      live(life, 8);
      return [life.mesh.trace, life.mesh.messages, life.mesh.now];
    };
    assert.deepEqual(run(7), run(7));
    assert.notDeepEqual(run(7), run(8));
  });
});
