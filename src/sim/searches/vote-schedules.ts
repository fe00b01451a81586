// Schedules around the quorum: nearly as many members see one value as it takes to decide it, the others see another, and
// several coordinate. Which event comes next is decided by priorities that are drawn once and changed at a few drawn moments
// (PCT: Burckhardt et al., ASPLOS 2010), so that one message can be late for as long as a whole round takes.

import { type Stream, Streams } from "../streams.ts";
import { joinerAt, valueNamed, viewOf } from "./case.ts";
import { Council, type CouncilOptions, type Pending } from "./council.ts";
import { goThrough } from "./schedules.ts";
import type { Search } from "./search.ts";

const SCHEDULES = 40;
const COORDINATIONS_MAX = 5;
/** Changes of priorities in one schedule, at most. */
const CHANGES_MAX = 4;
/** About as many events as a schedule has for each member. */
const EVENTS_PER_MEMBER = 12;

/** A case of which every schedule makes something else. */
function drawCase(dice: Stream): Omit<CouncilOptions, "seed" | "keepsLines"> {
  const view = viewOf(dice.between(3, 9));
  const near = view.fastQuorum - dice.below(3);
  const [usual, ...others] = dice.pick(["ab", "ac", "ad", "abc", "a-b", "a-"]);
  const notices = view.members.map((_, i) => valueNamed(i < near ? usual! : dice.pick(others), view));
  const coordinators = Array.from({ length: dice.between(1, COORDINATIONS_MAX) }, () =>
    dice.below(view.size),
  );
  return { view, notices, coordinators, joinerOf: joinerAt };
}

/** Picks the event that comes next; what is late stays late until its priority changes. */
class Schedule {
  readonly #dice: Stream;
  readonly #priorities = new Map<string, number>();
  readonly #ofKind = new Map<string, number>();
  readonly #ofReceiver = new Map<number, number>();
  readonly #changesAt: Set<number>;
  #done = 0;

  constructor(dice: Stream, events: number) {
    this.#dice = dice;
    this.#changesAt = new Set(Array.from({ length: dice.below(CHANGES_MAX + 1) }, () => dice.below(events)));
  }

  next(pending: Iterable<Pending>): Pending | undefined {
    let best: Pending | undefined;
    let highest = -1;
    for (const event of pending) {
      const priority = this.#priorityOf(event);
      if (priority <= highest) continue;
      highest = priority;
      best = event;
    }
    if (best !== undefined && this.#changesAt.has(this.#done)) {
      this.#changesAt.delete(this.#done);
      this.#ofKind.clear();
      this.#ofReceiver.clear();
      this.#priorities.clear();
      this.#priorities.set(best.name, 0);
      return this.next(pending);
    }
    this.#done += 1;
    return best;
  }

  #priorityOf({ name, kind, to }: Pending): number {
    const draw = <K>(drawn: Map<K, number>, key: K): number => {
      const known = drawn.get(key);
      if (known !== undefined) return known;
      const fresh = this.#dice.below(1000);
      drawn.set(key, fresh);
      return fresh;
    };
    return draw(this.#ofKind, kind) + draw(this.#ofReceiver, to) + draw(this.#priorities, name);
  }
}

export const voteSchedules: Search = {
  name: "vote-schedules",
  about:
    "votes, promises and acceptances around the quorum, by priorities: 3 to 9 members of two minds, up to five coordinations",
  run({ seed, keepsTranscript }) {
    const streams = new Streams(seed);
    const dice = streams.of("vote schedules");
    const one = drawCase(dice);
    return goThrough({ scenario: "vote-schedules", seed, count: SCHEDULES }, (councilSeed) => {
      const council = new Council({ ...one, seed: councilSeed, keepsLines: keepsTranscript });
      playOut(council, dice, one.view.size);
      return council;
    });
  },
};

/** Some of what is left when nothing more happens of itself is lost, and some arrives twice. */
function playOut(council: Council, dice: Stream, members: number): void {
  const schedule = new Schedule(dice, EVENTS_PER_MEMBER * members);
  const [loss, doubles] = [dice.pick([0, 0, 0.05, 0.2]), dice.pick([0, 0, 0.3])];
  for (;;) {
    const event = schedule.next(council.pending.values());
    if (event === undefined || council.violations.length > 0) return;
    if (event.kind !== "notice" && event.kind !== "wake" && dice.chance(loss))
      council.pending.delete(event.name);
    else council.happen(event, dice.chance(doubles) ? 2 : 1);
  }
}
