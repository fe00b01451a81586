// Classic rounds of several coordinators, each with a part of the members: one round after the other plays in a group that
// hardly makes a majority, some of what is said in it is held back and comes in the middle of a later round, and promises
// arrive twice. What holds the rounds together is that any two majorities share a member, and that a promise counts for
// the round that it was made in; nothing else is left here to help (PITFALLS B6, B8).

import type { Endpoint } from "../../core/endpoint.ts";
import { type Stream, Streams } from "../streams.ts";
import { joinerAt, valueNamed, viewOf } from "./case.ts";
import { Council, type Pending } from "./council.ts";
import { goThrough } from "./schedules.ts";
import type { Search } from "./search.ts";

const SCHEDULES = 150;
const COORDINATORS = 3;
const KINDS: readonly Pending["kind"][] = ["promise", "promise", "accept", "accepted", "prepare"];

/** One round and who takes part in it. */
interface Act {
  readonly coordinator: number;
  readonly group: ReadonlySet<number>;
  /** Held back until later, if anything is. */
  readonly late: Pending["kind"] | undefined;
  /** What was held back before comes now. */
  readonly hearsOld: boolean;
}

function drawCouncil(dice: Stream, seed: bigint, keepsLines: boolean | undefined): Council {
  const view = viewOf(dice.between(3, 5));
  const letters = dice.pick(["ab", "ab-", "a-", "abc"]);
  const notices = view.members.map(() => valueNamed(dice.pick([...letters]), view));
  const coordinators = Array.from({ length: COORDINATORS * view.size }, (_, i) => i % view.size);
  return new Council({ view, notices, coordinators, joinerOf: joinerAt, seed, keepsLines });
}

function drawAct(dice: Stream, size: number, coordinator: number): Act {
  const others = Array.from({ length: size }, (_, i) => i).filter((one) => one !== coordinator);
  const most = Math.floor(size / 2) + dice.pick([0, 0, 0, -1, 1]);
  const group = new Set([coordinator]);
  while (group.size < most + 1 && others.length > 0)
    group.add(others.splice(dice.below(others.length), 1)[0]!);
  return {
    coordinator,
    group,
    late: dice.chance(0.4) ? dice.pick(KINDS) : undefined,
    hearsOld: dice.chance(0.4),
  };
}

function playOut(council: Council, dice: Stream, members: readonly Endpoint[]): void {
  const isOver = (): boolean => council.violations.length > 0;
  const hear = (event: Pending): void =>
    council.happen(event, event.kind === "promise" && dice.chance(0.5) ? 2 : 1);
  const one = (isMeant: (event: Pending) => boolean): Pending | undefined => {
    const meant = [...council.pending.values()].filter(isMeant);
    return meant.length === 0 ? undefined : dice.pick(meant);
  };
  const all = (isMeant: (event: Pending) => boolean): void => {
    for (let event = one(isMeant); event !== undefined && !isOver(); event = one(isMeant)) hear(event);
  };
  all(({ kind }) => kind === "notice");
  const heard = dice.pick([0, 0.5, 1]);
  const early = [...council.pending.values()].filter((event) => event.kind !== "wake" && dice.chance(heard));
  for (const event of early) if (!isOver() && council.pending.has(event.name)) hear(event);
  const rivals = [dice.below(members.length), dice.below(members.length)];
  for (let acts = dice.between(2, 5); acts > 0 && !isOver(); acts--) {
    const { coordinator, group, late, hearsOld } = drawAct(dice, members.length, dice.pick(rivals));
    const old = new Set(council.pending.keys());
    const wake = one(({ kind, to }) => kind === "wake" && to === coordinator);
    if (wake !== undefined) hear(wake);
    all(({ name, kind, to, gossip }) => {
      if (kind === "wake" || !group.has(to)) return false;
      if (old.has(name)) return hearsOld;
      return kind !== late && group.has(members.indexOf(gossip[0]!.sender));
    });
  }
  all(({ kind }) => kind !== "wake");
}

export const splitRounds: Search = {
  name: "split-rounds",
  about:
    "classic rounds of several coordinators, each in a part of the members, with messages of one coming in another",
  run({ seed, keepsTranscript }) {
    const dice = new Streams(seed).of("split rounds");
    return goThrough({ scenario: "split-rounds", seed, count: SCHEDULES }, (councilSeed) => {
      const council = drawCouncil(dice, councilSeed, keepsTranscript);
      playOut(council, dice, council.members);
      return council;
    });
  },
};
