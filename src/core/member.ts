// One member of a mesh. Rule 1: only this file makes effects; its parts answer questions and never act. Rule 2: a
// step runs to its end, and what a member says to itself waits in #own until the event is done.

import { AlertBatch } from "./alert-batch.ts";
import { Crossroads } from "./crossroads.ts";
import { Dissemination, type Telling } from "./dissemination.ts";
import type { CallId, Effect, Event, Level, Machine, Millis, Token } from "./doorway.ts";
import { EdgeMonitor } from "./edge-monitor.ts";
import type { Endpoint } from "./endpoint.ts";
import { edgeOf, Gatekeeper } from "./gatekeeper.ts";
import { HeldMessages } from "./held-messages.ts";
import { Joining, type Move } from "./joining.ts";
import {
  ack,
  type Broadcast,
  type ConfigurationId,
  type Gossip,
  type Join,
  type Leave,
  type Metadata,
  type PreJoin,
  type Reply,
  type Request,
} from "./messages.ts";
import { drawNodeId, type Random } from "./random.ts";
import { refuse, refused } from "./refusals.ts";
import { type Conclusion, Round } from "./round.ts";
import type { Settings } from "./settings.ts";
import { View } from "./view.ts";

export interface MemberOptions {
  readonly self: Endpoint;
  readonly metadata: Metadata;
  readonly settings: Settings;
  /** Found a mesh instead of joining one. */
  readonly founder: boolean;
  readonly random: Random;
}

/** An outbound call whose answer matters. */
type Call =
  | { readonly kind: "probe"; readonly subject: Endpoint }
  | { readonly kind: "preJoin" | "join"; readonly attempt: number; readonly to: Endpoint };

/** A configuration that we take part in. */
interface Membership {
  readonly view: View;
  readonly round: Round;
}

/** How many configurations of the past are told from those that we are not in yet. */
const PAST_MAX = 64;

export class Member implements Machine {
  readonly #options: MemberOptions;
  readonly #self: Endpoint;
  readonly #batch = new AlertBatch();
  readonly #gatekeeper = new Gatekeeper();
  readonly #held = new HeldMessages();
  readonly #monitor: EdgeMonitor;
  #dissemination: Dissemination | undefined;
  readonly #calls = new Map<CallId, Call>();
  #lastCall: CallId = 0;
  readonly #past = new Set<ConfigurationId>();
  /** The newest view we had, be we in it or not. */
  #view: View | undefined;
  /** Absent while we are in no configuration. */
  #membership: Membership | undefined;
  /** Present where the last view change could have been applied in several ways. */
  #crossroads: Crossroads | undefined;
  /** Present while we are on our way in, for the first time or again. */
  #joining: Joining | undefined;
  #leaveBy: Millis | undefined;
  #isDone = false;
  readonly #own: Gossip[] = [];
  #out: Effect[] = [];
  #now: Millis = 0;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#self = options.self;
    this.#monitor = new EdgeMonitor(options.self, options.settings);
  }

  get wakeAt(): Millis {
    if (this.#isDone) return Infinity;
    let at = Math.min(this.#leaveBy ?? Infinity, this.#joining?.wakeAt ?? Infinity);
    if (this.#membership !== undefined) {
      at = Math.min(at, this.#batch.dueAt, this.#membership.round.wakeAt, this.#gatekeeper.wakeAt);
    }
    return Math.min(at, this.#monitor.wakeAt);
  }

  step(event: Event, now: Millis): readonly Effect[] {
    this.#now = now;
    this.#out = [];
    this.#dissemination ??= new Dissemination(this.#self, this.#options.random, now);
    this.#monitor.pulse(now);
    this.#take(event);
    if (!this.#isDone) this.#doWhatIsDue();
    for (let gossip = this.#own.shift(); gossip !== undefined; gossip = this.#own.shift()) this.#hear(gossip);
    return this.#out;
  }

  #take(event: Event): void {
    switch (event.kind) {
      case "start":
        return this.#options.founder ? this.#found() : this.#join([]);
      case "seeds":
        return this.#move(this.#joining?.seeds(event.seeds, this.#now));
      case "request":
        return this.#onRequest(event.token, event.request);
      case "hangup":
        return this.#gatekeeper.hangup(event.token);
      case "answer":
        return this.#onAnswer(event.call, event.reply);
      case "leave":
        return this.#leave(event.timeoutMs);
      case "wake":
        return;
    }
  }

  #doWhatIsDue(): void {
    const now = this.#now;
    if (this.#leaveBy !== undefined && now >= this.#leaveBy) return this.#finish(false);
    if (this.#joining !== undefined && now >= this.#joining.wakeAt) this.#move(this.#joining.wake(now));
    if (this.#membership === undefined) return;
    const { view, round } = this.#membership;
    if (now >= this.#batch.dueAt) {
      const edges = this.#batch.take();
      this.#say({ kind: "alerts", sender: this.#self, configuration: view.id, edges });
    }
    if (now >= this.#gatekeeper.wakeAt) {
      for (const edge of this.#gatekeeper.repeat(now)) if (!round.hasAnnounced) this.#batch.add(edge, now);
    }
    for (const subject of this.#monitor.due(now)) {
      const { faultTimeoutMs } = this.#options.settings;
      this.#call({ kind: "probe", subject }, subject, { kind: "probe" }, faultTimeoutMs);
    }
    if (now >= round.wakeAt) this.#follow(round.wake(now));
  }

  // What others ask of us.

  #onRequest(token: Token, request: Request): void {
    // Who has left tells the others' broadcasts on for as long as it can, and nothing else.
    if (this.#isDone && request.kind !== "broadcast" && request.kind !== "probe") {
      return this.#reply(token, refuse.closed);
    }
    switch (request.kind) {
      case "probe":
        return this.#reply(token, this.#isWell ? ack : refuse.degraded);
      case "preJoin":
        return this.#reply(token, this.#onPreJoin(request));
      case "join":
        return this.#onJoin(token, request);
      case "leave":
        return this.#reply(token, this.#onLeave(request));
      case "broadcast":
        return this.#reply(token, this.#onBroadcast(request));
      default:
        return this.#reply(token, this.#onDirect(request));
    }
  }

  get #isWell(): boolean {
    if (this.#leaveBy !== undefined || this.#isDone) return false;
    return this.#membership !== undefined || (this.#joining?.answersProbes ?? false);
  }

  #onPreJoin({ sender, uuid }: PreJoin): Reply {
    if (this.#membership === undefined || this.#leaveBy !== undefined) return refuse.joining;
    const { view } = this.#membership;
    // A member that never got its view, as its uuid tells, is let through to its observers, who will give it.
    if (!view.hasAs(sender, uuid)) {
      if (view.has(sender)) return refuse.hostExists;
      if (view.knows(uuid)) return refuse.uuidExists;
    }
    return {
      kind: "contacts",
      sender: this.#self,
      configuration: view.id,
      observers: view.observersOf(sender),
    };
  }

  #onJoin(token: Token, join: Join): void {
    const reply = this.#judge(join);
    if (reply !== undefined) return this.#reply(token, reply);
    // A second call of the same joiner waits like the first: any of them lets it in.
    this.#batch.add(edgeOf(join), this.#now);
    this.#gatekeeper.admit(token, join, this.#now);
  }

  /** The answer to a Join that need not wait. */
  #judge({ sender, uuid, configuration, ring }: Join): Reply | undefined {
    if (this.#membership === undefined) return refuse.joining;
    const { view } = this.#membership;
    if (view.hasAs(sender, uuid)) {
      return { kind: "joined", sender: this.#self, configuration: view.id, view };
    }
    if (configuration !== view.id) return refuse.wrongConfiguration;
    if (view.has(sender)) return refuse.hostExists;
    if (view.knows(uuid)) return refuse.uuidExists;
    if (view.observersOf(sender)[ring] !== this.#self) return refuse.invalidRing;
    return this.#gatekeeper.isFull ? refuse.tooMany : undefined;
  }

  #onLeave({ sender, configuration }: Leave): Reply {
    if (this.#membership === undefined) return refuse.joining;
    const { view } = this.#membership;
    if (!view.has(sender)) return refuse.notMember(sender);
    if (configuration !== view.id) return refuse.wrongConfiguration;
    const rings = ringsOf(view, this.#self, sender);
    if (rings.length === 0 || sender === this.#self) return refuse.invalidRing;
    for (const ring of rings) this.#batch.add({ node: sender, ring }, this.#now);
    this.#batch.hurry(this.#now);
    return ack;
  }

  #onBroadcast(broadcast: Broadcast): Reply {
    const telling = this.#dissemination!.receive(broadcast, this.#now);
    if (telling === undefined) return refuse.redundant;
    this.#tell(telling);
    const skew = this.#dissemination!.compareClocks(broadcast, this.#now);
    if (skew !== undefined) this.#note("warn", skew);
    return this.#hear(broadcast.gossip);
  }

  /** A message that was meant for us alone is not kept for later: its sender learns where we are. */
  #onDirect(gossip: Gossip): Reply {
    if (this.#membership !== undefined && gossip.configuration !== this.#membership.view.id) {
      const isMember = this.#membership.view.has(gossip.sender);
      return isMember ? refuse.wrongConfiguration : refuse.notMember(gossip.sender);
    }
    return this.#hear(gossip);
  }

  #hear(gossip: Gossip): Reply {
    if (this.#isDone) return refuse.closed;
    if (this.#membership?.view.id === gossip.configuration) {
      const heard = this.#membership.round.hear(gossip, this.#now);
      if (gossip.kind === "alerts" && heard.reply.kind === "ack") {
        for (const { node, join } of gossip.edges) if (join === undefined) this.#dissemination!.suspect(node);
      }
      this.#follow(heard);
      return heard.reply;
    }
    if (this.#past.has(gossip.configuration)) {
      const isStranger = this.#membership?.view.has(gossip.sender) === false;
      return isStranger ? refuse.notMember(gossip.sender) : refuse.wrongConfiguration;
    }
    this.#held.hold(gossip, this.#now);
    const turn = this.#crossroads?.hear(gossip.sender, gossip.configuration);
    if (turn !== undefined) {
      this.#note("info", "most members applied another variant of a joiner; following them");
      this.#install(turn);
    }
    return ack;
  }

  // What we do about it.

  #follow({ say, promise, report, decided, variants, isLost }: Conclusion): void {
    for (const gossip of say) this.#say(gossip);
    if (promise?.to === this.#self) this.#own.push(promise.message);
    else if (promise !== undefined) this.#send([promise.to], promise.message);
    for (const edge of report) this.#batch.add(edge, this.#now);
    if (decided !== undefined) {
      const before = this.#membership!.view;
      const after = before.next(decided.value, decided.joiners);
      this.#install(after);
      if (variants !== undefined) {
        this.#crossroads = new Crossroads(before, decided.value, variants, after);
      }
    }
    if (isLost) this.#giveUp();
  }

  #found(): void {
    const { metadata, random, settings } = this.#options;
    const joiner = { uuid: drawNodeId(random), metadata };
    this.#install(View.founding(settings.cutDetector.observers, this.#self, joiner));
  }

  #install(view: View): void {
    const before = this.#view;
    if (before !== undefined) this.#remember(before.id);
    const { settings, random } = this.#options;
    this.#view = view;
    this.#joining = undefined;
    this.#crossroads = undefined;
    this.#membership = view.has(this.#self)
      ? { view, round: new Round(view, this.#self, settings, random) }
      : undefined;
    this.#batch.clear();
    this.#dissemination!.follow(view);
    this.#monitor.follow(view, this.#now);
    for (const { token, reply } of this.#gatekeeper.release(view, this.#self)) this.#reply(token, reply);
    const joined = view.members.filter((node) => before?.has(node) !== true);
    const kicked = before?.members.filter((node) => !view.has(node)) ?? [];
    this.#out.push({ kind: "cut", cut: { view, joined, kicked, degraded: this.#membership === undefined } });
    this.#own.push(...this.#held.take(view.id, this.#now));
    if (this.#membership === undefined) this.#removed(view);
    else if (this.#leaveBy !== undefined) this.#askToBeReported();
  }

  #removed(view: View): void {
    if (this.#leaveBy !== undefined) return this.#finish(true);
    this.#note("warn", "the other members removed this one; joining again");
    if (view.size === 0 && this.#options.founder) return this.#found();
    this.#join(view.members);
  }

  /** The others went on with something that we cannot follow: what we know is outdated, so join anew. */
  #giveUp(): void {
    const view = this.#view!;
    this.#note("warn", "missed what a decision was about; joining again");
    this.#membership = undefined;
    this.#batch.clear();
    this.#monitor.follow(undefined, this.#now);
    for (const { token, reply } of this.#gatekeeper.release(view, this.#self)) this.#reply(token, reply);
    this.#out.push({ kind: "cut", cut: { view, joined: [], kicked: [], degraded: true } });
    if (this.#leaveBy !== undefined) return this.#finish(false);
    this.#join(view.members);
  }

  #join(lastKnown: readonly Endpoint[]): void {
    this.#joining = new Joining(this.#self, this.#options.metadata, lastKnown, this.#options.random);
    this.#move(this.#joining.start());
  }

  #move(move: Move | undefined): void {
    if (move?.note !== undefined) this.#note("info", move.note);
    if (move?.findSeeds) this.#out.push({ kind: "findSeeds" });
    for (const { to, request, timeoutMs, attempt } of move?.ask ?? []) {
      this.#call({ kind: request.kind, attempt, to }, to, request, timeoutMs);
    }
    if (this.#leaveBy !== undefined && this.#joining !== undefined) this.#leaveUnlessKnocking();
  }

  #onAnswer(id: CallId, reply: Reply): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    if (call.kind === "probe") {
      const isLate = reply.kind === "refused" && reply.code === "deadline_exceeded";
      const result = reply.kind === "ack" ? "healthy" : isLate ? "late" : "refused";
      if (result === "healthy") this.#dissemination!.trust(call.subject);
      else this.#dissemination!.suspect(call.subject);
      for (const edge of this.#monitor.answered(call.subject, result)) this.#batch.add(edge, this.#now);
      return;
    }
    if (this.#joining === undefined) return;
    const { attempt, to } = call;
    if (reply.kind === "contacts") {
      this.#compareObservers(reply.observers.length, to);
      this.#move(this.#joining.contacts(attempt, reply, to, this.#now));
    } else if (reply.kind === "joined") {
      const fault = this.#faultIn(reply.view, reply.configuration);
      if (fault === undefined) return this.#enter(reply.view);
      this.#note("warn", `${to} sent a configuration that cannot be: ${fault}`);
      this.#move(this.#joining.turnedAway(attempt, refused("failed_precondition", fault), to, this.#now));
    } else {
      const why = reply.kind === "refused" ? reply : refused("unknown", "an answer to another question");
      if (call.kind === "preJoin") this.#move(this.#joining.contacts(attempt, why, to, this.#now));
      else this.#move(this.#joining.turnedAway(attempt, why, to, this.#now));
    }
  }

  #compareObservers(theirs: number, from: Endpoint): void {
    const ours = this.#options.settings.cutDetector.observers;
    if (theirs === ours || theirs === 0) return;
    this.#note("warn", `${from} has ${theirs} observers per member, we have ${ours}: they must be equal`);
  }

  #faultIn(view: View, claimed: ConfigurationId): string | undefined {
    if (view.id !== claimed)
      return `its id is ${view.id} by its members and uuids, but ${claimed} by its word`;
    if (!view.has(this.#self)) return "we are not in it";
    if (!view.knows(this.#joining!.joiner.uuid)) return "our uuid is not in it";
    return undefined;
  }

  #enter(view: View): void {
    for (const id of this.#calls.keys()) this.#out.push({ kind: "cancel", call: id });
    this.#calls.clear();
    this.#install(view);
  }

  #leave(timeoutMs: Millis): void {
    if (this.#leaveBy !== undefined || this.#isDone) return;
    this.#leaveBy = this.#now + timeoutMs;
    if (this.#membership === undefined) return this.#leaveUnlessKnocking();
    this.#askToBeReported();
  }

  /** Observers may be letting us in already: then we have to be in before we can be reported. */
  #leaveUnlessKnocking(): void {
    if (!this.#joining?.isKnocking) this.#finish(true);
  }

  /**
   * Nobody can report itself, so our observers must: Node members are asked to, and for Rust members, who cannot be
   * asked, we say it in their name (PITFALLS E5). All at once, since view changes are held back meanwhile.
   */
  #askToBeReported(): void {
    const { view } = this.#membership!;
    if (view.size === 1) return this.#finish(true);
    const configuration = view.id;
    for (const sender of new Set(view.observersOf(this.#self))) {
      if (view.isNode(sender)) {
        this.#send([sender], { kind: "leave", sender: this.#self, configuration });
      } else {
        const edges = ringsOf(view, sender, this.#self).map((ring) => ({ node: this.#self, ring }));
        this.#say({ kind: "alerts", sender, configuration, edges });
      }
    }
  }

  #finish(removed: boolean): void {
    this.#isDone = true;
    this.#leaveBy = undefined;
    this.#joining = undefined;
    this.#monitor.follow(undefined, this.#now);
    for (const token of this.#gatekeeper.close()) this.#reply(token, refuse.closed);
    this.#out.push({ kind: "left", removed });
  }

  #remember(id: ConfigurationId): void {
    this.#past.add(id);
    if (this.#past.size > PAST_MAX) this.#past.delete(this.#past.keys().next().value!);
  }

  /** To everybody, ourselves included. */
  #say(gossip: Gossip): void {
    this.#tell(this.#dissemination!.originate(gossip, this.#now));
    this.#own.push(gossip);
  }

  #tell({ broadcast, to }: Telling): void {
    if (to.length > 0) this.#send(to, broadcast);
  }

  #send(to: readonly Endpoint[], request: Request): void {
    this.#out.push({ kind: "send", to, request });
  }

  #call(call: Call, to: Endpoint, request: Request, timeoutMs: Millis): void {
    this.#lastCall += 1;
    this.#calls.set(this.#lastCall, call);
    this.#out.push({ kind: "call", call: this.#lastCall, to, request, timeoutMs });
  }

  #reply(token: Token, reply: Reply): void {
    this.#out.push({ kind: "reply", token, reply });
  }

  #note(level: Level, text: string): void {
    this.#out.push({ kind: "note", level, text });
  }
}

/** The rings on which `observer` holds `subject`. */
function ringsOf(view: View, observer: Endpoint, subject: Endpoint): readonly number[] {
  return [...view.observersOf(subject).entries()].filter(([, o]) => o === observer).map(([ring]) => ring);
}
