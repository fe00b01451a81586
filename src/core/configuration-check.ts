// Finds out whether we are where the others are. Probes only tell that a process lives, and a member that missed a
// decision lives on in a configuration that is over. Node subjects say where they are with each answer to a probe; every
// few probe periods we ask those that said nothing, and Rust ones (PITFALLS E2). Each ring is a circle, so where all
// members find their subjects where they are, nobody is elsewhere. One answer proves nothing; when most of those who
// answer are elsewhere, twice in a row, it is we who are left behind.

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ConfigurationId } from "./messages.ts";
import { type Random, shuffled } from "./random.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

/**
 * Where a member is: in our configuration, in one that we have left, in another one, in one that we are not in; or it did
 * not say.
 */
export type Finding = "same" | "behind" | "other" | "stranger" | "silent";

/** Probe periods between two rounds of questions, while all is well. */
const PERIODS = 2;
/** Members asked when somebody is elsewhere: all, or a sample of them. */
const ASKED_MAX = 24;
/** Members asked when few are here and the rest are silent: questions to those who say nothing stay open for long. */
const ASKED_OF_SILENT_MAX = 16;
/** Rounds after which all have had their turn who are asked by turns, where so few at a time are enough. */
const ROUNDS_OF_TURNS = 6;
const ASKED_BY_TURNS_MAX = 4;
/** Rounds in a row that must say the same before something is done about it. */
const ROUNDS = 2;
/** The same where it hangs on those who may still turn up: longer than most processes stand still. */
const FORLORN_ROUNDS = 15;

export class ConfigurationCheck {
  readonly #self: Endpoint;
  readonly #periodMs: Millis;
  readonly #random: Random;
  #view: View | undefined;
  #nextAt: Millis = Infinity;
  /** By then the last of those asked has answered; no round begins before, lest questions pile up. */
  #closesAt: Millis = -Infinity;
  #isWide = false;
  /** Somebody said nothing in the last round, so that the circle of those who know of each other may be broken. */
  #isBroken = false;
  /** Who said since the last round, unasked, that it is where we are. */
  readonly #agreeing = new Set<Endpoint>();
  /** Whom we asked in this round, and what they said. */
  readonly #asked = new Map<Endpoint, Finding | undefined>();
  /** Member → rounds in a row in which it did not know us, though it is in our view. */
  readonly #strangers = new Map<Endpoint, number>();
  /** In which configurations those are who said so. */
  readonly #places = new Map<Endpoint, ConfigurationId>();
  /** What members said in the last round. */
  #before: ReadonlyMap<Endpoint, Finding | undefined> = new Map();
  /** Who is asked by turns, and has not been yet. */
  #turns: Endpoint[] = [];
  #staleRounds = 0;
  /** Rounds in a row in which too few answered for anything to be decided, and not because most are elsewhere. */
  #deserted = 0;
  /** Rounds in a row in which some were elsewhere, and too few here for a majority, though all were asked. */
  #forlorn = 0;
  #isOver = false;
  #isAmongMost = true;
  #isMajorityHere = false;

  constructor(self: Endpoint, settings: Settings, random: Random) {
    this.#self = self;
    this.#periodMs = settings.faultTimeoutMs;
    this.#random = random;
  }

  get wakeAt(): Millis {
    return this.#nextAt;
  }

  /** A new configuration: what was found out about the last one does not matter any more, nor does who was asked. */
  follow(view: View | undefined, now: Millis): void {
    this.#view = view;
    this.#agreeing.clear();
    this.#asked.clear();
    this.#strangers.clear();
    this.#places.clear();
    this.#before = new Map();
    this.#turns = [];
    this.#isWide = false;
    this.#isBroken = false;
    this.#closesAt = -Infinity;
    this.#staleRounds = 0;
    this.#deserted = 0;
    this.#forlorn = 0;
    this.#isOver = false;
    this.#isAmongMost = true;
    this.#isMajorityHere = false;
    const isAlone = view === undefined || view.size < 2;
    this.#nextAt = isAlone ? Infinity : now + this.#spread(PERIODS * this.#periodMs);
  }

  /** There is reason for doubt: ask soon, and many. */
  hurry(now: Millis, withinMs: Millis = this.#periodMs / 2): void {
    if (this.#nextAt === Infinity) return;
    this.#isWide = true;
    const soon = now + 1 + this.#random.below(Math.max(1, Math.ceil(withinMs)));
    this.#nextAt = Math.min(this.#nextAt, Math.max(soon, this.#closesAt));
  }

  /** A subject said, with its answer to a probe, that it is where we are. */
  agrees(subject: Endpoint): void {
    this.#agreeing.add(subject);
    this.#strangers.delete(subject);
  }

  /** Whom to ask now. Each of them must be answered for within a probe period. */
  due(now: Millis): readonly Endpoint[] {
    if (now < this.#nextAt || this.#view === undefined) return [];
    const isElsewhere = this.#judge() || this.#isWide;
    const isWide = isElsewhere || !this.#isAmongMost;
    this.#isWide = false;
    // Strictly after the last deadline, so that no question is open when the next ones are asked.
    const overAt = now + this.#periodMs + 1;
    this.#nextAt = overAt + (isWide ? 0 : this.#spread((PERIODS - 1) * this.#periodMs));
    this.#asked.clear();
    const toAsk: Endpoint[] = [];
    const askedMax = isElsewhere ? ASKED_MAX : ASKED_OF_SILENT_MAX;
    for (const member of isWide ? this.#wideCircle(this.#view, askedMax) : this.#circle(this.#view)) {
      const said = !isWide && this.#agreeing.has(member) ? "same" : undefined;
      if (said === undefined && !this.#asked.has(member)) toAsk.push(member);
      this.#asked.set(member, said);
    }
    this.#agreeing.clear();
    this.#closesAt = toAsk.length === 0 ? -Infinity : overAt;
    return toAsk;
  }

  /** What a member said, and in which configuration it is, if it said that; or that it said nothing in time. */
  answered(member: Endpoint, finding: Finding, place?: ConfigurationId): void {
    if (!this.#asked.has(member)) return;
    this.#asked.set(member, finding);
    if (place === undefined) this.#places.delete(member);
    else this.#places.set(member, place);
    if (![...this.#asked.values()].includes(undefined)) this.#closesAt = -Infinity;
    if (finding === "stranger") this.#strangers.set(member, (this.#strangers.get(member) ?? 0) + 1);
    else if (finding !== "silent") this.#strangers.delete(member);
  }

  /** Most of those who answer have been elsewhere for a while; or those who may still turn up did not for long. */
  get isStale(): boolean {
    return this.#staleRounds >= ROUNDS || this.#forlorn >= FORLORN_ROUNDS;
  }

  /** So many were elsewhere in the last round, from where nobody comes back, that nothing can be decided here any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Most of those who were asked last are where we are; the silent are not. */
  get isAmongMost(): boolean {
    return this.#isAmongMost;
  }

  /** So many said in the last round that they are where we are, that most are: of all, or of a large sample. */
  get isMajorityHere(): boolean {
    return this.#isMajorityHere;
  }

  /** Most have been silent for a while: an estimate, where not all were asked. */
  get suspectsNoQuorum(): boolean {
    return this.#deserted >= ROUNDS;
  }

  /** Somebody answers from elsewhere, or has done so lately. */
  get suspectsStale(): boolean {
    return this.#staleRounds > 0 || this.isStale;
  }

  /** Who was elsewhere in the last round, and has us as a member there. */
  get elsewhere(): readonly Endpoint[] {
    return found(this.#before, "other");
  }

  /** Who was elsewhere in the last round, be we a member there or not. */
  get movedOn(): readonly Endpoint[] {
    return [...this.elsewhere, ...found(this.#before, "stranger")];
  }

  /** One that was elsewhere, and did not say where, was found there. */
  locate(member: Endpoint, place: ConfigurationId): void {
    this.#places.set(member, place);
  }

  /** Most are not here, nor could the Node members that answer decide anything by themselves. */
  get needsRust(): boolean {
    const view = this.#view!;
    const said = this.#said;
    const nodes = [...found(said, "same"), ...found(said, "other")].filter((member) => view.isNode(member));
    const sampled = Math.max(said.size, ASKED_MAX) + 1;
    const isMajorityHere = 2 * (1 + found(said, "same").length) > Math.min(view.size, sampled);
    return !isMajorityHere && 1 + nodes.length < view.majority;
  }

  /**
   * That one is where to go of those in which members are, by what is known. Where most Rust members are that answer, since
   * they cannot follow; then where more members are; of two that are equal the one with the greater id, so that not each
   * goes where the other has been.
   */
  outweighs(id: ConfigurationId): boolean {
    const view = this.#view!;
    const said = this.#said;
    const isRust = (member: Endpoint): boolean => !view.isNode(member) && said.get(member) !== "silent";
    const near = found(said, "same");
    const there = found(said, "other").filter((member) => this.#places.get(member) === id);
    const rust = this.needsRust ? view.members.filter(isRust).length : Infinity;
    if (2 * there.filter(isRust).length > rust) return true;
    if (2 * near.filter(isRust).length > rust) return false;
    const here = 1 + near.length;
    return there.length === here ? id > view.id : there.length > here;
  }

  /** It answered well, but from a configuration that does not know whom we spoke of. */
  isStrange(member: Endpoint): boolean {
    return this.#strangers.has(member);
  }

  /**
   * It has been strange for a while, while most others are where we are: another process has taken its address. To be asked
   * right after it answered, for one that was behind may have followed a moment later.
   */
  isImpostor(member: Endpoint): boolean {
    return this.#staleRounds === 0 && (this.#strangers.get(member) ?? 0) > ROUNDS;
  }

  /** What members said last, in the round under way, or else in the one before. */
  get #said(): ReadonlyMap<Endpoint, Finding | undefined> {
    const said = new Map(this.#before);
    for (const [member, finding] of this.#asked) if (finding !== undefined) said.set(member, finding);
    return said;
  }

  /** Draws conclusions from the round that is over; true where somebody is not where we are. */
  #judge(): boolean {
    if (this.#asked.size === 0) return false;
    const { size, majority } = this.#view!;
    const count = (where: Finding): number => found(this.#asked, where).length;
    this.#before = new Map(this.#asked);
    const same = 1 + count("same");
    const elsewhere = count("other") + count("stranger");
    // It is for them to follow. We may be the only one that knows of the decision that they missed.
    const behind = count("behind");
    this.#isBroken = same + elsewhere + behind <= this.#asked.size;
    this.#isAmongMost = 2 * same > this.#asked.size + 1;
    this.#isMajorityHere = 2 * same > Math.min(size, ASKED_MAX + 1);
    this.#isOver = size - elsewhere < majority;
    this.#staleRounds = elsewhere > same || this.#isOver ? this.#staleRounds + 1 : 0;
    const isForlorn = elsewhere > 0 && same + behind < majority && this.#asked.size === size - 1;
    this.#forlorn = isForlorn ? this.#forlorn + 1 : 0;
    // Who is behind is there, and will follow.
    const isDeserted = 2 * (same + behind) <= this.#asked.size + 1 && this.#staleRounds === 0;
    this.#deserted = isDeserted ? this.#deserted + 1 : 0;
    return elsewhere + behind > 0;
  }

  #wideCircle({ members }: View, askedMax: number): readonly Endpoint[] {
    const isOther = (member: Endpoint): boolean => member !== this.#self;
    return this.#sample(members.filter(isOther), askedMax);
  }

  /**
   * Our subjects. A few more, by turns, where they do not tell of all: where some are silent, and among Rust members, which
   * look after nobody, so that some may have no observer that does.
   */
  #circle(view: View): readonly Endpoint[] {
    const subjects = view.subjectsOf(this.#self).filter((subject) => subject !== this.#self);
    if (view.isAllNode && !this.#isBroken) return subjects;
    const known = new Set([this.#self, ...subjects]);
    const others = view.members.filter((one) => !known.has(one) && (this.#isBroken || !view.isNode(one)));
    const count = Math.min(Math.ceil(others.length / ROUNDS_OF_TURNS), ASKED_BY_TURNS_MAX);
    const first = this.#turns.filter((member) => others.includes(member));
    const then =
      first.length < count
        ? shuffled(
            others.filter((one) => !first.includes(one)),
            this.#random,
          )
        : [];
    this.#turns = [...first, ...then];
    return [...subjects, ...this.#turns.splice(0, count)];
  }

  #sample(members: readonly Endpoint[], count: number): readonly Endpoint[] {
    return members.length <= count ? members : shuffled([...members], this.#random).slice(0, count);
  }

  /** Drawn from the upper half, so that members do not ask in step. */
  #spread(ms: Millis): Millis {
    return ms / 2 + this.#random.below(Math.max(1, Math.ceil(ms / 2)));
  }
}

function found(said: ReadonlyMap<Endpoint, Finding | undefined>, where: Finding): readonly Endpoint[] {
  return [...said.keys()].filter((member) => said.get(member) === where);
}
