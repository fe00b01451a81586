// What lasts: a reader that sleeps through fifty views, and a mesh that lives for a day. S45, S46 of PITFALLS §3.2.

import { CutMaker } from "../../mesh/cut.ts";
import { CutFeed } from "../../mesh/subscription.ts";
import { checkAftermath } from "../aftermath.ts";
import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";
import type { Stream } from "../streams.ts";

const HOUR_MS = 3_600_000;

export const slowSubscriber: Scenario = {
  name: "S45",
  slug: "slow-subscriber",
  faults: "somebody who reads cuts is blocked through fifty view changes",
  expected:
    "it reads the newest cut next, with the exact number that it missed, and never an older one again",
  members: { usual: 3, least: 2, most: 20 },
  run(stage) {
    const { world } = stage;
    const processes = world.grow(stage.members);
    const told = processes[0]!;
    const feed = new CutFeed(new CutMaker(told.endpoint));
    let published = 0;
    const publish = (): void => {
      for (; published < told.cuts.length; published++) feed.publish(told.cuts[published]!);
    };
    publish();
    const reader = feed.subscribe();
    const first = reader.poll();
    stage.expect(
      first?.confId === told.view!.id && first.skipped === 0 && first.joined.length === stage.members,
      "the reader to see the newest cut first, with all members as new",
    );
    const before = published;
    for (let change = 0; change < 25; change++) comeAndGo(stage, processes, publish);
    stage.expect(published - before === 50, `fifty view changes, and there were ${published - before}`);
    const next = reader.poll();
    stage.expect(next?.confId === told.view!.id, "the reader to see the newest cut next");
    stage.expect(next?.skipped === 49, `it to have missed 49, and it says ${next?.skipped}`);
    stage.expect(
      next?.joined.length === 0 && next.kicked.length === 0,
      "nobody to be new or gone between what it saw and what it sees",
    );
    stage.expect(reader.poll() === undefined, "nothing older to come after it");
    comeAndGo(stage, processes, publish);
    stage.expect(reader.poll()?.skipped === 1, "the next cut but one to be told with one missed");
  },
};

/** One joins, and leaves again: two view changes. */
function comeAndGo({ world }: Stage, processes: readonly Process[], changed: () => void): void {
  const guest = world.start(50, { seeds: [processes[0]!.endpoint] });
  world.until("the guest is in", () => world.agree([...processes, guest]), 5000);
  changed();
  world.leave(guest);
  world.until("the guest is gone", () => guest.leftAt !== undefined && world.agree(processes), 5000);
  changed();
}

export const churnSoak: Scenario = {
  name: "S46",
  slug: "long-run-churn-soak",
  faults:
    "for a day, about once a minute one member joins, crashes, restarts or leaves, at moments drawn at random",
  expected: "every rule holds at every step, and in the end all agree, the dead are out, and nothing stirs",
  members: { usual: 8, least: 5, most: 50 },
  run(stage) {
    const { world } = stage;
    const hours = stage.isQuick ? 1 : 24;
    const dice = world.dice("churn");
    world.grow(stage.members);
    world.tell(`${hours} h of churn begin`);
    const end = world.now + hours * HOUR_MS;
    for (let port = 1000; world.now < end; port++) {
      world.run(Math.min(gap(dice), end - world.now));
      churn(stage, dice, port);
    }
    checkAftermath(world);
    stage.expect(world.violations.length === 0 && world.agree(), "all to agree in the end");
  },
};

/** Between two events of a Poisson process that has one a minute. */
function gap(dice: Stream): number {
  return Math.round(-60_000 * Math.log((1 + dice.below(1_000_000)) / 1_000_000));
}

function churn({ world, members }: Stage, dice: Stream, port: number): void {
  const staying = world.living.filter((process) => process.isStaying && process.isMember);
  const act = dice.below(4);
  const seeds = staying.map(({ endpoint }) => endpoint);
  if (staying.length < members || act === 0) {
    if (world.living.length < 2 * members) world.start(port, { seeds });
    return;
  }
  const victim = dice.pick(staying);
  if (act === 1) world.leave(victim);
  else world.crash(victim);
  if (act !== 2) return;
  const others = seeds.filter((seed) => seed !== victim.endpoint);
  world.later(dice.below(15_000), () => world.restart(victim, { seeds: others }));
}
