// One member of a mesh. Rule 1: only this file acts; its parts answer questions. Rule 2: a
// step runs to its end, and what a member says to itself waits in #own until the event is done.

import { AlertBatch } from "./alert-batch.ts";
import { isEvidence } from "./certificates.ts";
import type { Conclusion, JoinAnew, Remedy } from "./conclusion.ts";
import { Condition } from "./condition.ts";
import { Dissemination } from "./dissemination.ts";
import type { CallId, Effect, Event, Machine, Millis, Token } from "./doorway.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import { Entrance, type EntranceOptions, type JoinCall } from "./entrance.ts";
import { Exit, type PartingCall } from "./exit.ts";
import { FailureDetector, type ProbeCall, probeReply, type Verdict } from "./failure-detector.ts";
import { Former } from "./former.ts";
import { contactsFor, edgesOf, Gatekeeper } from "./gatekeeper.ts";
import { Healing, type HealingCall } from "./healing.ts";
import { elsewhere } from "./inquiry.ts";
import { type Inquest, LastResort, type Ruling } from "./last-resort.ts";
import { accusations, edgesOfLeaver } from "./leaving.ts";
import {
  ack,
  type Broadcast,
  type Certificate,
  type Gossip,
  type Join,
  type Leave,
  type Reply,
  type Request,
} from "./messages.ts";
import { Outgoing } from "./outgoing.ts";
import { drawNodeId } from "./random.ts";
import { refuse } from "./refusals.ts";
import { Round } from "./round.ts";
import { View } from "./view.ts";

export interface MemberOptions extends EntranceOptions {
  /** Found a mesh instead of joining one. */
  readonly founder: boolean;
}

/** An outbound call whose answer matters. */
type Call = ProbeCall | JoinCall | HealingCall | Inquest | PartingCall;

export class Member implements Machine {
  readonly #options: MemberOptions;
  readonly #self: Endpoint;
  readonly #batch = new AlertBatch();
  readonly #gatekeeper = new Gatekeeper();
  readonly #detector: FailureDetector;
  #dissemination: Dissemination | undefined;
  readonly #out = new Outgoing<Call>();
  readonly #healing: Healing;
  readonly #lastResort: LastResort;
  readonly #condition = new Condition(this.#out);
  /** The newest view we had, be we in it or not. */
  #view: View | undefined;
  /** In the configuration that we take part in; absent while there is none. */
  #round: Round | undefined;
  /** Present while we are on our way in, for the first time or again. */
  #entrance: Entrance | undefined;
  /** As whom we were let in last. */
  #uuid: NodeId | undefined;
  readonly #exit: Exit;
  readonly #own: Gossip[] = [];
  #now: Millis = 0;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#self = options.self;
    this.#detector = new FailureDetector(options.self, options.settings, this.#out);
    this.#healing = new Healing(options, this.#out);
    this.#exit = new Exit(options, this.#out, this.#healing);
    this.#lastResort = new LastResort(options.self, this.#out);
  }

  get wakeAt(): Millis {
    if (this.#exit.isDone) return Infinity;
    let at = Math.min(this.#exit.wakeAt, this.#entrance?.wakeAt ?? Infinity);
    if (this.#round !== undefined) {
      at = Math.min(at, this.#batch.dueAt, this.#round.wakeAt, this.#gatekeeper.wakeAt);
      if (!this.#exit.isLeaving) at = Math.min(at, this.#healing.wakeAt);
    }
    return Math.min(at, this.#detector.wakeAt, this.#lastResort.wakeAt);
  }

  step(event: Event, now: Millis): readonly Effect[] {
    this.#now = now;
    this.#dissemination ??= new Dissemination(this.#self, this.#options.random, now);
    this.#detector.pulse(now);
    this.#take(event);
    if (!this.#exit.isDone) this.#doWhatIsDue();
    for (let gossip = this.#own.shift(); gossip !== undefined; gossip = this.#own.shift()) this.#hear(gossip);
    this.#condition.look(this.#healing.prospect, this.#dissemination.skewSeconds);
    return this.#out.take();
  }

  #take(event: Event): void {
    switch (event.kind) {
      case "start":
        return this.#options.founder ? this.#found() : this.#join([]);
      case "seeds":
        this.#entrance?.seeds(event.seeds, this.#now);
        return this.#leaveUnlessKnocking();
      case "request":
        return this.#onRequest(event.token, event.request);
      case "hangup":
        this.#lastResort.hangup(event.token);
        return this.#gatekeeper.hangup(event.token);
      case "answer":
        return this.#onAnswer(event.call, event.reply);
      case "disconnected":
        return this.#detector.doubt(event.peer, this.#now);
      case "dialled":
        this.#heed(this.#detector.dialled(event.at, event.found, this.#now));
        return this.#obey(this.#lastResort.dialled(event.at, event.found, this.#open));
      case "leave":
        return this.#leave(event.timeoutMs);
    }
  }

  #doWhatIsDue(): void {
    const now = this.#now;
    if (this.#exit.wake(now)) return this.#finish(this.#exit.isParting);
    this.#entrance?.wake(now);
    const round = this.#round;
    if (round === undefined) return this.#leaveUnlessKnocking();
    if (now >= this.#lastResort.wakeAt) this.#lastResort.wake(now, round.unheard);
    // Before what we report: a round of our own has our promise before anything else may have us vote (B2).
    if (now >= round.wakeAt) this.#follow(round.wake(now));
    if (this.#exit.mustAskAgain(now)) this.#askToBeReported();
    if (now >= this.#batch.dueAt) {
      const edges = this.#batch.take();
      this.#say({ kind: "alerts", sender: this.#self, configuration: round.view.id, edges });
    }
    for (const edge of this.#gatekeeper.repeat(now)) if (!round.hasAnnounced) this.#batch.add(edge, now);
    this.#detector.wake(now);
    if (this.#round && !this.#exit.isLeaving) this.#remedy(this.#healing.wake(now, this.#round));
  }

  // What others ask of us.

  #onRequest(token: Token, request: Request): void {
    // Who has left tells the others' broadcasts on for as long as it can, and nothing else.
    if (this.#exit.isDone && request.kind !== "broadcast" && request.kind !== "probe") {
      return this.#out.reply(token, refuse.closed);
    }
    switch (request.kind) {
      case "probe":
        return this.#out.reply(token, this.#onProbe());
      case "preJoin":
        this.#batch.expect(request.sender, this.#now);
        return this.#out.reply(token, contactsFor(request, this.#open, this.#self));
      case "join":
        return this.#onJoin(token, request);
      case "leave":
        return this.#out.reply(token, this.#onLeave(request));
      case "compare":
        this.#entrance?.hear(request.sender, this.#now);
        return this.#out.reply(token, this.#healing.compare(request, this.#now));
      case "declareDead":
      case "forceNew":
        return this.#lastResort.take(token, request, this.#open, this.#now);
      case "broadcast":
        return this.#out.reply(token, this.#onBroadcast(request));
      default:
        return this.#out.reply(token, this.#onDirect(request));
    }
  }

  #onProbe(): Reply {
    const isThere = this.#round !== undefined || (this.#entrance?.answersProbes(this.#now) ?? false);
    const isWell = isThere && !this.#exit.isLeaving && !this.#exit.isDone;
    return probeReply(isWell, this.#entrance?.uuid ?? this.#uuid, this.#round?.view.id);
  }

  /** The configuration into which we can help others. */
  get #open(): View | undefined {
    return this.#exit.isLeaving ? undefined : this.#round?.view;
  }

  #onJoin(token: Token, join: Join): void {
    const reply = this.#gatekeeper.judge(join, this.#round?.view, this.#self);
    if (reply !== undefined) return this.#out.reply(token, reply);
    // A second call of the same joiner waits like the first: any of them lets it in.
    if (this.#round!.mayTellOf(join)) for (const edge of edgesOf(join)) this.#batch.add(edge, this.#now);
    this.#gatekeeper.admit(token, join, this.#now);
  }

  #onLeave(leave: Leave): Reply {
    const edges = edgesOfLeaver(this.#round?.view, this.#self, leave);
    if (!("kind" in edges)) this.#batch.hurry(edges, this.#now);
    return "kind" in edges ? edges : ack;
  }

  #onBroadcast(broadcast: Broadcast): Reply {
    const to = this.#dissemination!.receive(broadcast, this.#now);
    if (to === undefined) return refuse.redundant;
    this.#out.send(to, broadcast);
    return this.#hear(broadcast.gossip);
  }

  /** A message that was meant for us alone is not kept for later: its sender learns where we are. */
  #onDirect(gossip: Gossip): Reply {
    const view = this.#round?.view;
    return view === undefined || view.id === gossip.configuration
      ? this.#hear(gossip)
      : elsewhere(view, gossip);
  }

  #hear(gossip: Gossip): Reply {
    if (this.#exit.isDone) return refuse.closed;
    if (this.#round?.view.id === gossip.configuration) {
      const heard = this.#round.hear(gossip, this.#now);
      if (gossip.kind === "alerts" && heard.reply.kind === "ack") {
        for (const { node, join } of gossip.edges) if (join === undefined) this.#doubt(node);
      }
      this.#follow(heard);
      return heard.reply;
    }
    if (this.#healing.history.isPast(gossip.configuration)) return elsewhere(this.#round?.view, gossip);
    this.#remedy(this.#healing.hold(gossip, this.#now));
    return ack;
  }

  /** Others report it. Where we observe it too, we look for ourselves at once. */
  #doubt(node: Endpoint): void {
    this.#dissemination!.suspect(node);
    this.#detector.doubt(node, this.#now);
  }

  // What we do about it.

  #follow({ say, promise, report, decided, variants, isLost }: Conclusion): void {
    for (const gossip of say) this.#say(gossip);
    if (promise?.to === this.#self) this.#own.push(promise.message);
    else if (promise !== undefined) this.#out.send([promise.to], promise.message);
    for (const edge of report) this.#batch.add(edge, this.#now);
    if (decided !== undefined) {
      const after = this.#round!.view.next(decided.value, decided.joiners);
      const by = isEvidence(decided, this.#self, after, variants !== undefined) ? decided : undefined;
      for (const token of by ? [] : this.#gatekeeper.close()) this.#out.reply(token, refuse.joining);
      this.#install(after, by);
      if (variants !== undefined) this.#healing.atCrossroads(decided, variants, after);
    }
    if (isLost) this.#giveUp({ why: "missed what a decision was about", contacts: [] });
    else if (this.#round?.isIncomplete) this.#healing.doubt(this.#now);
  }

  #remedy(remedy: Remedy | undefined): void {
    if (remedy?.kind === "go" && remedy.isJump) this.#turnTo(this.#view!, false);
    if (remedy?.kind === "go") for (const { view, by } of remedy.steps) this.#install(view, by);
    if (remedy?.kind === "joinAnew") this.#giveUp(remedy);
    if (remedy?.kind !== "report") return;
    for (const said of accusations(this.#round!.view, this.#self, remedy.subject)) this.#say(said);
  }

  #obey(ruling: Ruling | undefined): void {
    if (ruling?.kind === "bury") this.#follow(this.#round!.bury(ruling.dead, this.#now));
    if (ruling?.kind === "found") this.#found(this.#view);
  }

  /** Alone, in a new configuration. It remembers whoever was admitted to the one that it replaces, if any. */
  #found(replaced?: View): void {
    const { metadata, random, settings } = this.#options;
    const joiner = { uuid: drawNodeId(random), metadata };
    this.#uuid = joiner.uuid;
    this.#healing.founded(joiner.uuid, replaced);
    this.#install(View.founding(settings.cutDetector.observers, this.#self, joiner, replaced?.uuids));
  }

  /** Takes the next view; `by` tells what ended the one before. */
  #install(view: View, by?: Certificate): void {
    this.#turnTo(view, view.has(this.#self), by);
    if (this.#round === undefined) this.#removed(view);
    else if (this.#exit.isLeaving) this.#askToBeReported();
  }

  /** Is in this configuration from now on, or in none, and says so. */
  #turnTo(view: View, isIn: boolean, by?: Certificate): void {
    const before = this.#view;
    const { settings, random } = this.#options;
    this.#view = view;
    const round = this.#entrance?.roundIn(view) ?? new Round(view, this.#self, settings, random);
    this.#entrance = undefined;
    this.#round = isIn ? round : undefined;
    this.#batch.follow(view.size === 1 && isIn);
    this.#dissemination!.follow(view);
    this.#detector.follow(this.#round?.view, this.#now);
    for (const { token, reply } of this.#gatekeeper.release(view, this.#self)) this.#out.reply(token, reply);
    this.#out.add({ kind: "cut", cut: { view, ...view.since(before), degraded: !isIn } });
    this.#own.push(...this.#healing.follow(this.#round?.view, before, by, this.#now));
    this.#obey(this.#lastResort.follow(this.#open));
  }

  #removed(view: View): void {
    if (this.#exit.isLeaving) return this.#exit.part(view, this.#now);
    this.#out.note("warn", "the other members removed this one; joining again");
    if (view.size === 0 && this.#options.founder) return this.#found();
    this.#join(view.members);
  }

  /** The others went on with something that we cannot follow: what we know is outdated, so join anew. */
  #giveUp({ why, contacts, isForGood }: Omit<JoinAnew, "kind">): void {
    this.#out.note("warn", `${why}; joining again`);
    const former = isForGood ? undefined : new Former(this.#self, this.#uuid!, this.#round!);
    this.#turnTo(this.#view!, false);
    if (this.#exit.isLeaving) return this.#finish(false);
    this.#join(this.#view!.members, contacts, former);
  }

  #join(lastKnown: readonly Endpoint[], first: readonly Endpoint[] = [], former?: Former): void {
    this.#entrance = new Entrance(this.#options, { lastKnown, first, former }, this.#healing, this.#out);
    this.#leaveUnlessKnocking();
  }

  #onAnswer(id: CallId, reply: Reply): void {
    const call = this.#out.answered(id);
    if (call === undefined) return;
    if (call.kind === "probe") {
      this.#healing.probed(call.subject, reply, this.#now);
      return this.#heed(this.#detector.probed(call.subject, reply, this.#now));
    }
    if (call.kind === "inquest") return this.#obey(this.#lastResort.answered(call, reply, this.#open));
    if (call.kind === "parting") return this.#exit.answered(call.to, reply, this.#now);
    if (!("attempt" in call)) return this.#remedy(this.#healing.answered(call, reply, this.#now));
    const view = this.#entrance?.answered(call, reply, this.#now);
    if (view === undefined) return this.#leaveUnlessKnocking();
    this.#uuid = this.#entrance!.uuid;
    this.#healing.entered(view, this.#uuid, this.#entrance!.askedIn);
    this.#install(view);
  }

  #heed(verdict: Verdict | undefined): void {
    if (verdict === undefined) return;
    if (verdict.isWell) this.#dissemination!.trust(verdict.subject);
    else this.#dissemination!.suspect(verdict.subject);
    for (const edge of verdict.report) this.#batch.add(edge, this.#now);
  }

  #leave(timeoutMs: Millis): void {
    if (this.#exit.isLeaving || this.#exit.isDone) return;
    this.#exit.begin(this.#now + timeoutMs);
    if (this.#round !== undefined) this.#askToBeReported();
    else this.#leaveUnlessKnocking();
  }

  /** Observers may be letting us in already: then we have to be in before we can be reported. */
  #leaveUnlessKnocking(): void {
    if (!this.#exit.isLeaving || this.#exit.isParting || this.#round !== undefined) return;
    if (!this.#entrance?.isKnocking) this.#finish(true);
  }

  #askToBeReported(): void {
    const { view } = this.#round!;
    if (view.size === 1) return this.#finish(true);
    for (const alerts of this.#exit.ask(view, this.#now)) this.#say(alerts);
  }

  #finish(removed: boolean): void {
    this.#exit.end();
    this.#entrance = undefined;
    this.#lastResort.follow(undefined);
    this.#detector.follow(undefined, this.#now);
    for (const token of this.#gatekeeper.close()) this.#out.reply(token, refuse.closed);
    this.#out.add({ kind: "left", removed });
  }

  /** To everybody, ourselves included. */
  #say(gossip: Gossip): void {
    const { broadcast, to } = this.#dissemination!.originate(gossip, this.#now);
    this.#out.send(to, broadcast);
    this.#own.push(gossip);
  }
}
