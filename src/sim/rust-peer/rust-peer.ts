// A model of a member that runs the Rust crate blip 0.3.0, with its bugs: what it says and refuses, when, and how it comes
// to grief (PROTOCOL, PITFALLS B1 to B20). In a simulation it stands in for the real one; test/dialogues hold it to what the
// real one said.

import type { Effect, Event, Machine, Millis, Token } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { nodeIndexOf } from "../../core/hash.ts";
import {
  ack,
  type Broadcast,
  type ConfigurationId,
  type Gossip,
  type Join,
  type Refused,
  type Reply,
  type Request,
} from "../../core/messages.ts";
import { Outgoing } from "../../core/outgoing.ts";
import { refuse, refused } from "../../core/refusals.ts";
import type { StartOptions } from "../population.ts";
import type { MachineOptions } from "../process.ts";
import { AlertBatch } from "./alert-batch.ts";
import { asRead } from "./as-read.ts";
import { BroadcastFilter, secondsOf } from "./broadcast-filter.ts";
import { type Applied, Configuration, Panic } from "./configuration.ts";
import { Consensus } from "./consensus.ts";
import { Doors } from "./doors.ts";
import { FaultDetector } from "./fault-detector.ts";
import { sortedEndpoints } from "./sorted.ts";
import { type JoinCall, WayIn } from "./way-in.ts";

type Call = JoinCall | { readonly kind: "probe"; readonly subject: Endpoint };

/** The task that had the call is gone, and the call with it. */
const PANICKED: Refused = refused("cancelled", "the stream ended without a status");
const UNIMPLEMENTED: Refused = refused("unimplemented", "");
/** Cuts that wait for whoever reads them. */
const CUTS_MAX = 8;
const FALLBACK_LEAST_MS = 1000;

/** What makes a process of a world such a member. */
export const AS_RUST_PEER: Pick<StartOptions, "isForeign" | "model" | "makeMachine"> = {
  isForeign: true,
  model: "rust",
  makeMachine: (options) => new RustPeer(options),
};

class RustPeer implements Machine {
  readonly #options: MachineOptions;
  readonly #self: Endpoint;
  readonly #configuration: Configuration;
  readonly #consensus: Consensus;
  readonly #faultDetector: FaultDetector;
  readonly #batch = new AlertBatch();
  readonly #filter = new BroadcastFilter();
  readonly #out = new Outgoing<Call>();
  readonly #wayIn: WayIn;
  #seed: Endpoint | undefined;
  readonly #doors: Doors;
  /** What came while an attempt to join held the lock. */
  readonly #waiting = new Map<Token, Request>();
  readonly #own: Gossip[] = [];
  /** Views without this node that nobody has acted on yet. */
  readonly #degraded: (readonly Endpoint[])[] = [];
  #fallback: { readonly configuration: ConfigurationId; readonly dueAt: Millis } | undefined;
  #isDone = false;
  #now: Millis = 0;

  constructor(options: MachineOptions) {
    const { self, settings } = options;
    this.#options = options;
    this.#self = self;
    this.#configuration = new Configuration(settings.cutDetector.observers);
    this.#consensus = new Consensus(self, this.#configuration, settings.cutDetector);
    this.#faultDetector = new FaultDetector(settings);
    this.#doors = new Doors(self);
    this.#wayIn = new WayIn(options, this.#out);
  }

  get wakeAt(): Millis {
    if (this.#isDone) return Infinity;
    if (this.#wayIn.holdsLock) return this.#wayIn.wakeAt;
    const fallbackAt = this.#fallback?.dueAt ?? Infinity;
    return Math.min(this.#wayIn.wakeAt, this.#batch.dueAt, fallbackAt, this.#faultDetector.wakeAt);
  }

  step(event: Event, now: Millis): readonly Effect[] {
    this.#now = now;
    if (!this.#isDone) this.#take(event);
    if (!this.#isDone) this.#wayIn.wake(now);
    if (!this.#isDone && !this.#wayIn.holdsLock) this.#doWhatIsDue();
    return this.#out.take();
  }

  #take(event: Event): void {
    switch (event.kind) {
      case "start":
        if (this.#options.founder) this.#found();
        else this.#out.add({ kind: "findSeeds" });
        return;
      case "seeds":
        // The crate is told of one.
        this.#seed = event.seeds[0];
        if (this.#seed !== undefined) this.#wayIn.begin(() => this.#seed!, this.#now);
        return;
      case "request":
        if (this.#wayIn.holdsLock) this.#waiting.set(event.token, event.request);
        else this.#onRequest(event.token, event.request);
        return;
      case "hangup":
        this.#waiting.delete(event.token);
        return this.#doors.hangUp(event.token);
      case "answer":
        return this.#onAnswer(event.call, event.reply);
      case "leave":
        // The crate has no word for it: it is gone, and the others will find out.
        this.#isDone = true;
        this.#out.cancelThose(() => true);
        return this.#out.add({ kind: "left", removed: false });
    }
  }

  #doWhatIsDue(): void {
    this.#hearWhoWaited();
    if (this.#wayIn.holdsLock) return;
    if (this.#now >= this.#batch.dueAt) {
      const { configuration, edges } = this.#batch.take();
      if (edges.length > 0) this.#own.push({ kind: "alerts", sender: this.#self, configuration, edges });
    }
    if (this.#fallback !== undefined && this.#now >= this.#fallback.dueAt) this.#fallBack();
    if (this.#now >= this.#faultDetector.wakeAt) {
      const { report, probe } = this.#faultDetector.endRound(this.#now);
      this.#batch.add(report, this.#configuration.id, this.#now);
      this.#probe(probe);
    }
    while (this.#own.length > 0 && !this.#wayIn.holdsLock) {
      this.#originate(this.#own.shift()!);
      this.#joinWhereDegraded();
    }
  }

  /** The lock is given in the order in which it was asked for: the next attempt to join has it after those who waited. */
  #hearWhoWaited(): void {
    for (const [token, request] of this.#waiting) {
      this.#waiting.delete(token);
      this.#onRequest(token, request);
    }
    this.#joinWhereDegraded();
  }

  // What others ask.

  #onRequest(token: Token, request: Request): void {
    const reply = this.#guarded(() => this.#replyTo(token, asRead(request)));
    if (reply !== undefined) this.#out.reply(token, reply);
  }

  /** A panic ends what was being done, and nothing else. */
  #guarded(handle: () => Reply | undefined): Reply | undefined {
    try {
      return handle();
    } catch (error) {
      if (!(error instanceof Panic)) throw error;
      this.#out.note("warn", `panicked: ${error.message}`);
      return PANICKED;
    }
  }

  #replyTo(token: Token, request: Request): Reply | undefined {
    switch (request.kind) {
      case "probe":
        return this.#configuration.view.has(this.#self) ? ack : refuse.degraded;
      case "preJoin":
        return this.#doors.contacts(request, this.#configuration);
      case "join":
        return this.#onJoin(token, request);
      case "broadcast":
        return this.#onBroadcast(request);
      case "leave":
      case "compare":
      case "declareDead":
      case "forceNew":
        return UNIMPLEMENTED;
      default:
        return this.#hear(request);
    }
  }

  #onJoin(token: Token, join: Join): Reply | undefined {
    const no = this.#doors.judge(join, this.#configuration);
    if (no !== undefined) return no;
    const { sender: node, ring, uuid, metadata } = join;
    this.#batch.add([{ node, ring, join: { uuid, metadata } }], this.#configuration.id, this.#now);
    return this.#doors.wait(node, token);
  }

  /** Told on before it is looked at, whatever it says; its id is used up even where it is refused (PITFALLS B16). */
  #onBroadcast(broadcast: Broadcast): Reply {
    if (!this.#filter.add(broadcast, this.#options.wallClock())) return refuse.redundant;
    const successors = new Set(this.#configuration.view.subjectsOf(this.#self));
    successors.delete(this.#self); // A lone node tells itself, and passes over it.
    this.#out.send(sortedEndpoints(successors), broadcast);
    return this.#hear(broadcast.gossip);
  }

  #originate(gossip: Gossip): void {
    const unix = secondsOf(this.#options.wallClock());
    const broadcast: Broadcast = { kind: "broadcast", unix, unique: this.#options.random.u64(), gossip };
    this.#guarded(() => this.#onBroadcast(broadcast));
  }

  #hear(gossip: Gossip): Reply {
    const { reply, say, promise, hasAnnounced, applied } = this.#consensus.hear(gossip);
    if (say !== undefined) this.#own.push(say);
    if (promise !== undefined) this.#out.send([gossip.sender], promise);
    if (hasAnnounced) this.#fallback = { configuration: gossip.configuration, dueAt: this.#fallbackAt() };
    if (applied !== undefined) {
      this.#letIn(applied.joined);
      this.#publish(applied);
    }
    return reply;
  }

  #fallbackAt(): Millis {
    const mostMs = Math.floor(4000 * Math.log2(this.#configuration.view.size + 1));
    return this.#now + FALLBACK_LEAST_MS + this.#options.random.below(mostMs - FALLBACK_LEAST_MS);
  }

  #fallBack(): void {
    const { configuration } = this.#fallback!;
    this.#fallback = undefined;
    if (configuration !== this.#configuration.id) return;
    const prepare = this.#consensus.begin(nodeIndexOf(this.#self));
    if (prepare !== undefined) this.#own.push(prepare);
  }

  // What comes of it.

  #found(): void {
    const { metadata } = this.#options;
    this.#configuration.found(this.#self, { uuid: this.#wayIn.uuid, metadata });
    this.#publish({ joined: [this.#self], kicked: [] });
  }

  /** Those who wait at the door hear of a decision that names them; not where the peer comes back to a view with them. */
  #letIn(joined: readonly Endpoint[]): void {
    const { view, id: configuration } = this.#configuration;
    for (const token of this.#doors.release(joined))
      this.#out.reply(token, { kind: "joined", sender: this.#self, configuration, view });
  }

  #publish({ joined, kicked }: Applied): void {
    const { view } = this.#configuration;
    this.#consensus.clear();
    const degraded = !view.has(this.#self);
    this.#out.add({ kind: "cut", cut: { view, joined, kicked, degraded } });
    this.#out.cancelThose(({ kind }) => kind === "probe");
    this.#probe(this.#faultDetector.restart(view, this.#self, this.#now));
    if (!degraded) return;
    this.#degraded.push(view.members);
    if (this.#degraded.length > CUTS_MAX) this.#degraded.shift();
  }

  /** One removal after the other, also those that came before it was let in again (PITFALLS A13). */
  #joinWhereDegraded(): void {
    while (!this.#wayIn.isUnderWay) {
      const members = this.#degraded.shift();
      if (members === undefined) return;
      const { random } = this.#options;
      if (members.length > 0) this.#wayIn.begin(() => members[random.below(members.length)]!, this.#now);
      else if (this.#seed !== undefined) this.#wayIn.begin(() => this.#seed!, this.#now);
      else this.#found();
    }
  }

  #onAnswer(id: number, reply: Reply): void {
    const call = this.#out.answered(id);
    if (call === undefined) return;
    if (call.kind === "probe") return this.#faultDetector.probed(call.subject, reply.kind === "ack");
    const view = this.#wayIn.answered(call, reply, this.#now);
    if (view === undefined) return;
    this.#configuration.replace(view);
    this.#publish({ joined: view.members, kicked: [] });
  }

  #probe(subjects: readonly Endpoint[]): void {
    const { faultTimeoutMs } = this.#options.settings;
    for (const subject of subjects)
      this.#out.call({ kind: "probe", subject }, subject, { kind: "probe" }, faultTimeoutMs);
  }
}
