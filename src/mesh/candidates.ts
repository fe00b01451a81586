// Whom the calls of one client may go to: the members that serve it and are accepted, of them a part where they are
// too many, and of these the ones that answer. Computed anew when the configuration changes, or the standing of a
// member does; not for each call.

import type { Cut, Member } from "./cut.ts";
import type { Line } from "./line.ts";
import { subsetOf } from "./subset.ts";
import type { UserCalls } from "./user-calls.ts";

/** Of the members that may be called, at most this share is avoided at a time. */
const AVOIDED_SHARE_MAX = 0.5;

export interface CandidatesOptions {
  readonly service: string;
  readonly where: ((member: Member) => boolean) | undefined;
  /** At most so many are called as long as they answer. */
  readonly subset: number;
}

export class Candidates {
  readonly #calls: UserCalls;
  readonly #options: CandidatesOptions;
  #cut: Cut | undefined;
  #judgements = -1;
  #all: readonly Line[] = [];
  #subset: readonly Line[] = [];
  #usable: readonly Line[] = [];

  constructor(calls: UserCalls, options: CandidatesOptions) {
    this.#calls = calls;
    this.#options = options;
  }

  /** Everybody that a call may go to, in the order of the cut. */
  all(cut: Cut): readonly Line[] {
    if (this.#cut !== cut) this.#follow(cut);
    return this.#all;
  }

  /** Those that are to be connected to, whether they answer or not. */
  subset(cut: Cut): readonly Line[] {
    if (this.#cut !== cut) this.#follow(cut);
    return this.#subset;
  }

  /** Those that it should go to now. The same array for as long as they are the same. */
  usable(cut: Cut): readonly Line[] {
    if (this.#cut !== cut) this.#follow(cut);
    if (this.#judgements !== this.#calls.judgements) {
      this.#judgements = this.#calls.judgements;
      this.#usable = usableOf(this.#subset, performance.now());
    }
    return this.#usable;
  }

  #follow(cut: Cut): void {
    const { service, where, subset } = this.#options;
    const serving = cut.members.filter(
      (member) => member.has(service) && (where === undefined || where(member)),
    );
    this.#all = serving.map((member) => this.#calls.lineTo(member));
    const clients = cut.members.map(({ address }) => address);
    this.#subset = subsetOf(this.#all, ({ member }) => member.address, cut.localAddress, clients, subset);
    this.#judgements = -1;
    this.#cut = cut;
  }
}

/** Without those to avoid; but of these not more than may be, the ones that were heard last first. */
function usableOf(lines: readonly Line[], nowMs: number): readonly Line[] {
  const avoided = lines.filter(({ standing }) => standing.isAvoided(nowMs));
  if (avoided.length === 0) return lines;
  const readmitted = avoided.length - Math.floor(lines.length * AVOIDED_SHARE_MAX);
  const spared = new Set(avoided.sort((a, b) => b.heardMs - a.heardMs).slice(0, Math.max(0, readmitted)));
  return lines.filter((line) => spared.has(line) || !line.standing.isAvoided(nowMs));
}
