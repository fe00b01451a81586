// Everything that lives exactly as long as one configuration: reports, votes, ranks, joiners. It is thrown away at
// the next view, so nothing has to be reset. A round hears and answers; it sends nothing and sets no timer.

import { certify } from "./certificates.ts";
import { ClassicPaxos } from "./classic-paxos.ts";
import { type Conclusion, type Draft, emptyDraft, type Heard } from "./conclusion.ts";
import { choose } from "./coordinator-choice.ts";
import { patienceMs, retryMs, turnMs } from "./coordinator-timing.ts";
import { CutDetector, faultInEdge } from "./cut-detector.ts";
import type { Millis } from "./doorway.ts";
import { compareEndpoints, type Endpoint } from "./endpoint.ts";
import { FastPaxos } from "./fast-paxos.ts";
import { isWhole } from "./identity.ts";
import { JoinerLedger, missingJoinerMs } from "./joiner-ledger.ts";
import {
  type Alerts,
  ack,
  type Edge,
  type Gossip,
  type Join,
  type Proposal,
  type Refused,
  type Reply,
} from "./messages.ts";
import type { Random } from "./random.ts";
import { refuse } from "./refusals.ts";
import { Reinforcement } from "./reinforcement.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

/** How long a coordinator waits for votes that make its choice safe against Rust's late voters (PITFALLS B2). */
const UNSAFE_CHOICE_MS = 5000;

export class Round {
  readonly view: View;
  readonly #self: Endpoint;
  readonly #random: Random;
  readonly #detector: CutDetector;
  readonly #reinforcement: Reinforcement;
  readonly #ledger = new JoinerLedger();
  /** Members that somebody reported to be down. */
  readonly #accused = new Set<Endpoint>();
  readonly #fast: FastPaxos;
  readonly #classic: ClassicPaxos;
  #announced: Proposal | undefined;
  #decision: { readonly value: Proposal; readonly until: Millis } | undefined;
  #settlesAt: Millis = Infinity;
  #unstableAt: Millis = Infinity;
  #attemptAt: Millis = Infinity;
  #firstAttemptAt: Millis | undefined;
  /** When to begin a round because nobody can tell us what is decided: promises come straight to us. */
  #deafAt: Millis = Infinity;
  /** The fast round turned out to be hopeless and our turn is set, or somebody else was first. */
  #isHurried = false;
  #unsafeUntil: Millis = Infinity;
  /** Members that an operator declared dead. */
  #dead: ReadonlySet<Endpoint> = new Set();
  #draft: Draft = emptyDraft();

  constructor(view: View, self: Endpoint, settings: Settings, random: Random) {
    this.view = view;
    this.#self = self;
    this.#random = random;
    this.#detector = new CutDetector(view, settings.cutDetector, self);
    this.#reinforcement = new Reinforcement(this.#detector, settings);
    this.#fast = new FastPaxos(view);
    this.#classic = new ClassicPaxos(view, self);
  }

  /** When time alone may change something. */
  get wakeAt(): Millis {
    if (this.#decision !== undefined) return this.#decision.until;
    return Math.min(this.#settlesAt, this.#unstableAt, this.#attemptAt, this.#unsafeUntil, this.#deafAt);
  }

  /** It is decided, but we lack what we need to apply it. */
  get isIncomplete(): boolean {
    return this.#decision !== undefined;
  }

  get hasAnnounced(): boolean {
    return this.#announced !== undefined;
  }

  /** Not once we voted for it as somebody else, beside Rust members, whose votes do not say as whom (PITFALLS B3). */
  mayTellOf({ sender, uuid }: Join): boolean {
    return this.view.isAllNode || !this.#announced?.includes(sender) || this.#ledger.hasAs(sender, uuid);
  }

  /** We have neither voted nor promised, and nothing that is decided here can depend on us. */
  get isFree(): boolean {
    return this.#classic.isFree;
  }

  /** Where our last vote leads, if it is decided. Others who are there prove that it is. */
  get awaited(): View | undefined {
    const value = this.#classic.value;
    const joiners = value.length === 0 ? undefined : this.#ledger.resolve(value, this.view);
    return joiners && this.view.next(value, joiners);
  }

  /** Hears a message that was written under this configuration. */
  hear(gossip: Gossip, now: Millis): Heard {
    this.#draft = emptyDraft();
    this.#draft.reply = this.#hear(gossip, now);
    this.#choose(now);
    this.#conclude(now);
    return this.#draft;
  }

  /** Time has passed. */
  wake(now: Millis): Conclusion {
    this.#draft = emptyDraft();
    if (this.#decision === undefined) {
      if (now >= this.#unstableAt) {
        this.#draft.report = this.#reinforcement.wake(now).flatMap((node) => this.#echoesOf(node));
      }
      if (now >= this.#settlesAt || now >= this.#unstableAt) this.#announce(now);
      if (now >= Math.min(this.#attemptAt, this.#deafAt)) this.#attempt(now);
      this.#choose(now);
    }
    this.#conclude(now);
    return this.#draft;
  }

  /** Decides without these, who are dead for good: the others must promise, and for the dead is spoken (PITFALLS E9). */
  bury(dead: ReadonlySet<Endpoint>, now: Millis): Conclusion {
    this.#draft = emptyDraft();
    this.#dead = dead;
    if (this.#decision === undefined) this.#attempt(now);
    return this.#draft;
  }

  /** Members that are not buried and did not promise our round. */
  get unheard(): readonly Endpoint[] {
    return this.view.members.filter((node) => !this.#dead.has(node) && !this.#classic.hasPromised(node));
  }

  #hear(gossip: Gossip, now: Millis): Reply {
    const member = this.view.indexOf(gossip.sender);
    if (member < 0) return refuse.notMember(gossip.sender);
    this.#detector.hears(member, now);
    if (!this.#detector.isCompany(gossip.sender)) this.#deafAt = Infinity;
    if (gossip.kind === "alerts") return this.#hearAlerts(gossip, now);
    if (this.#decision !== undefined) return ack;
    if ("value" in gossip && !isWhole(gossip.value, this.view)) return refuse.notWhole;
    switch (gossip.kind) {
      case "fastAccepted":
        return this.#hearVote(member, gossip.value, now);
      case "prepare": {
        const answer = this.#classic.prepare(gossip);
        if (answer.kind === "refused") return answer;
        this.#draft.promise = { to: gossip.sender, message: answer };
        this.#standBack(now);
        return ack;
      }
      case "promise":
        return this.#classic.promise(gossip) ?? ack;
      case "accept": {
        const answer = this.#classic.accept(gossip);
        if (answer.kind === "refused") return answer;
        this.#draft.say = [...this.#draft.say, answer];
        this.#standBack(now);
        return ack;
      }
      case "accepted":
        this.#arm(now);
        this.#decide(this.#classic.accepted(gossip), now);
        return ack;
    }
  }

  #hearAlerts({ sender, edges }: Alerts, now: Millis): Reply {
    let fault: Refused | undefined;
    for (const edge of edges) {
      const { node, ring, join } = edge;
      const wrong = faultInEdge(edge, sender, this.view);
      if (wrong !== undefined) {
        fault ??= wrong;
        continue;
      }
      // Joiners are recorded even when our mind is made up: the decision may name them (PITFALLS B1).
      // One that cannot be recorded is not counted either, or a decision about it could not be applied.
      if (join !== undefined && !this.#ledger.record(node, ring, join, now)) continue;
      if (join === undefined) this.#accused.add(node);
      if (this.#announced === undefined) this.#detector.report(node, ring, now);
    }
    if (this.#announced !== undefined) {
      this.#arm(now);
      return refuse.alreadyAnnounced;
    }
    this.#detector.infer(now);
    this.#reinforcement.reconsider(now);
    this.#announce(now);
    const isCutOff = this.#attemptAt === Infinity && this.#detector.isCutOff(this.#self);
    if (isCutOff) this.#deafAt = Math.min(this.#deafAt, now + this.#reinforcement.unstableMs);
    return fault ?? ack;
  }

  #hearVote(member: number, value: Proposal, now: Millis): Reply {
    if (this.#fast.hasVoted(member)) return refuse.alreadyVoted;
    this.#decide(this.#fast.count(member, value), now);
    this.#arm(now);
    return ack;
  }

  /** Makes our mind up, once, when the detector has a proposal whose joiners have stopped changing. */
  #announce(now: Millis): void {
    this.#settlesAt = Infinity;
    this.#unstableAt = this.#announced === undefined ? this.#reinforcement.dueAt : Infinity;
    if (this.#announced !== undefined) return;
    const proposal = this.#detector.proposal();
    if (proposal === undefined) return;
    const { value, againAt } = this.#ledger.settled(proposal, now);
    this.#settlesAt = againAt;
    if (value.length === 0) return;
    const configuration = this.view.id;
    const idea = this.#ledger.identified(value, this.view);
    this.#announced = idea;
    this.#unstableAt = Infinity;
    if (this.#classic.voteFast(idea)) {
      const vote: Gossip = { kind: "fastAccepted", sender: this.#self, configuration, value: idea };
      this.#draft.say = [...this.#draft.say, vote];
    }
    this.#arm(now);
  }

  #echoesOf(node: Endpoint): readonly Edge[] {
    const join = this.view.has(node) ? undefined : this.#ledger.joinerOf(node);
    const rings = this.view.ringsHeld(this.#self, node);
    const owed = rings.filter((ring) => !this.#detector.isReported(node, ring));
    return owed.map((ring) => (join === undefined ? { node, ring } : { node, ring, join }));
  }

  /** There is something to decide here: see to it that a classic round decides it should the fast one fail. */
  #arm(now: Millis): void {
    if (this.#decision !== undefined) return;
    if (this.#attemptAt === Infinity) this.#attemptAt = now + patienceMs(this.view, this.#random);
    if (this.#isHurried || this.#firstAttemptAt !== undefined) return;
    // Votes are split so that no value can reach the quorum, or those are missing who are about to be removed.
    const silentMax = (this.#announced?.length ?? 0) + this.#accused.size; // Said at once; who they are takes longer.
    if (this.#fast.canDecide(silentMax) || this.#fast.canDecide(this.#silent.size)) return;
    this.#isHurried = true;
    const waitMs = turnMs(this.view, this.#self, this.#silent, this.#random);
    this.#attemptAt = Math.min(this.#attemptAt, now + waitMs);
  }

  /** Members that are about to be removed and have not voted; where all are Node, also those who are only accused. */
  get #silent(): ReadonlySet<Endpoint> {
    const leaving = [...(this.#announced ?? []), ...(this.view.isAllNode ? this.#accused : [])];
    return new Set(
      leaving.filter((node) => this.view.has(node) && !this.#fast.hasVoted(this.view.indexOf(node))),
    );
  }

  /** Somebody else coordinates: give that round its time before starting one of our own. */
  #standBack(now: Millis): void {
    this.#isHurried = true;
    this.#arm(now);
    this.#attemptAt = Math.max(this.#attemptAt, now + retryMs(this.#classic.highestRound, this.#random));
  }

  #attempt(now: Millis): void {
    this.#deafAt = Infinity;
    this.#firstAttemptAt ??= now;
    this.#draft.say = [...this.#draft.say, this.#classic.begin()];
    this.#attemptAt = now + retryMs(this.#classic.highestRound, this.#random);
  }

  /** As coordinator with a majority of promises: put the right value to the vote. */
  #choose(now: Millis): void {
    this.#unsafeUntil = Infinity;
    const promises = this.#decision === undefined ? this.#classic.awaitingChoice(this.#dead) : undefined;
    if (promises === undefined) return;
    const candidate =
      this.#announced ?? (this.#dead.size > 0 ? [...this.#dead].sort(compareEndpoints) : undefined);
    const choice = choose(this.view, promises, this.#fast, candidate);
    if (choice === undefined) return;
    const until = this.#firstAttemptAt! + UNSAFE_CHOICE_MS;
    if (!choice.isSafe && now < until) this.#unsafeUntil = until;
    else {
      const value = this.#ledger.advised(choice.value, this.view);
      this.#draft.say = [...this.#draft.say, ...this.#classic.propose(value, this.#dead)];
    }
  }

  #decide(value: Proposal | undefined, now: Millis): void {
    if (value !== undefined) this.#decision ??= { value, until: now + missingJoinerMs(this.view) };
  }

  #conclude(now: Millis): void {
    if (this.#decision === undefined) return;
    const { value, until } = this.#decision;
    const joiners = this.#ledger.resolve(value, this.view, now >= until);
    this.#draft.isLost = joiners === undefined && now >= until;
    if (joiners === undefined) return;
    this.#draft.decided = certify(this.view, value, joiners, this.#fast, this.#classic);
    if (value.identities === undefined) this.#draft.variants = this.#ledger.contested(joiners);
  }
}
