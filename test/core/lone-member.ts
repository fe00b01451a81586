// One member whose whole surroundings are the test: it is put into any configuration, asked anything, and everything
// that it does is written down.

import assert from "node:assert/strict";
import type { CallId, Effect, Event, Millis, ViewChange } from "../../src/core/doorway.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { Member } from "../../src/core/member.ts";
import {
  ack,
  type Broadcast,
  type Gossip,
  type Joiner,
  type Metadata,
  type PreJoin,
  type Proposal,
  type Reply,
  type Request,
} from "../../src/core/messages.ts";
import { seededRandom } from "../../src/core/random.ts";
import { refused } from "../../src/core/refusals.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src/core/settings.ts";
import { View } from "../../src/core/view.ts";
import { batchesAbout } from "./council.ts";
import { asVoted, foreignMetadata, host, joinerAt, K, nodeMetadata, uuid } from "./sample-views.ts";

type Sent = Extract<Effect, { kind: "send" }>;
type Called = Extract<Effect, { kind: "call" }>;

export interface LoneOptions {
  readonly founder?: boolean;
  readonly seed?: bigint;
  readonly settings?: Settings;
  readonly metadata?: Metadata;
  /** Which of the others are Rust members. */
  readonly isForeign?: (member: Endpoint) => boolean;
}

export class LoneMember {
  readonly self: Endpoint;
  readonly member: Member;
  now: Millis = 1_700_000_000_000;
  readonly cuts: ViewChange[] = [];
  readonly sent: Sent[] = [];
  readonly calls: Called[] = [];
  readonly cancelled: CallId[] = [];
  readonly notes: string[] = [];
  readonly replies = new Map<number, Reply>();
  left: boolean | undefined;
  #token = 0;
  #unique = 0n;

  constructor(
    self: Endpoint,
    { founder = false, seed = 1n, settings = DEFAULT_SETTINGS, metadata = nodeMetadata() }: LoneOptions = {},
  ) {
    this.self = self;
    this.member = new Member({ self, metadata, settings, founder, random: seededRandom(seed) });
  }

  /** A member that joined by the book, and whose first configuration has these others in it. */
  static among(others: readonly Endpoint[], options: LoneOptions = {}): LoneMember {
    const lone = new LoneMember(host(0), options);
    lone.feed({ kind: "start" });
    lone.joinAmong(others, options.isForeign);
    return lone;
  }

  /** The founder of a mesh, alone in it. */
  static founding(self: Endpoint): LoneMember {
    const lone = new LoneMember(self, { founder: true });
    lone.feed({ kind: "start" });
    return lone;
  }

  get view(): View {
    return this.cuts.at(-1)!.view;
  }

  get degraded(): boolean {
    return this.cuts.at(-1)?.degraded ?? true;
  }

  feed(event: Event): readonly Effect[] {
    const effects = this.member.step(event, this.now);
    for (const effect of effects) this.#write(effect);
    return effects;
  }

  /** Asks it something; its answer, or `undefined` while it keeps us waiting. */
  ask(request: Request): Reply | undefined {
    const token = this.open(request);
    return this.replies.get(token);
  }

  /** Probes it: as whom it answers, and from where, is left out. */
  probe(): Reply | undefined {
    const reply = this.ask({ kind: "probe" });
    if (reply?.kind !== "ack" && reply?.kind !== "refused") return reply;
    const { uuid, configuration, ...rest } = reply;
    if (reply.kind === "ack" && configuration !== undefined) assert.equal(configuration, this.view.id);
    if ("uuid" in reply) assert.ok(uuid);
    return rest;
  }

  /** Asks it something; the token under which the answer will be found in `replies`. */
  open(request: Request): number {
    this.#token += 1;
    this.feed({ kind: "request", token: this.#token, request });
    return this.#token;
  }

  hangup(token: number): void {
    this.feed({ kind: "hangup", token });
  }

  /** Tells it a broadcast that nobody told it before. */
  hear(gossip: Gossip): Reply | undefined {
    return this.ask(this.broadcast(gossip));
  }

  broadcast(gossip: Gossip): Broadcast {
    this.#unique += 1n;
    return { kind: "broadcast", unix: BigInt(Math.floor(this.now / 1000)), unique: this.#unique, gossip };
  }

  answer(call: CallId, reply: Reply): void {
    this.feed({ kind: "answer", call, reply });
  }

  /** Lets time pass; probes are answered by `answerTo`, well unless told otherwise, all other calls by nobody. */
  sleep(ms: Millis, answerTo: (subject: Endpoint) => Reply | undefined = () => ack): void {
    const deadline = this.now + ms;
    for (;;) {
      this.#answerProbes(answerTo);
      const { wakeAt } = this.member;
      if (wakeAt > deadline) break;
      this.now = Math.max(this.now, wakeAt);
      this.feed({ kind: "wake" });
    }
    this.now = deadline;
  }

  /** Takes it through a join, from its search for seeds on, that ends among these others. */
  joinAmong(others: readonly Endpoint[], isForeign: (member: Endpoint) => boolean = () => false): void {
    const [seed] = others as [Endpoint];
    this.feed({ kind: "seeds", seeds: [seed] });
    const { call, request } = this.lastCall("preJoin");
    this.answer(call, {
      kind: "contacts",
      sender: seed,
      configuration: 1n,
      observers: new Array(K).fill(seed),
    });
    const uuids = [...others.map((_, i) => uuid(i + 1)), (request as PreJoin).uuid];
    const records = [this.self, ...others].map((endpoint) => ({
      endpoint,
      metadata: isForeign(endpoint) ? foreignMetadata : nodeMetadata(),
    }));
    const view = View.of(K, records, uuids);
    this.answer(this.lastCall("join").call, {
      kind: "joined",
      sender: seed,
      configuration: view.id,
      view,
    });
  }

  /** Everybody reports these, and as many vote for them as it takes. */
  decide(value: Proposal, joinerOf: (node: Endpoint) => Joiner = joinerAt): void {
    const { view } = this;
    for (const batch of batchesAbout(view, value, joinerOf)) this.hear(batch);
    for (const sender of view.members) {
      if (this.view !== view || sender === this.self) continue;
      const said = { sender, configuration: view.id, value: asVoted(view, value, joinerOf) };
      this.hear({ kind: "fastAccepted", ...said });
    }
  }

  lastCall(kind: Request["kind"]): Called {
    const call = this.calls.findLast(({ request }) => request.kind === kind);
    if (call === undefined) throw new Error(`no call of ${kind}`);
    return call;
  }

  /** What it broadcast itself, of this kind. */
  said<K extends Gossip["kind"]>(kind: K): readonly Extract<Gossip, { kind: K }>[] {
    return this.sent.flatMap(({ request }) =>
      request.kind === "broadcast" && request.gossip.kind === kind && request.gossip.sender === this.self
        ? [request.gossip as Extract<Gossip, { kind: K }>]
        : [],
    );
  }

  #answerProbes(answerTo: (subject: Endpoint) => Reply | undefined): void {
    for (let i = 0; i < this.calls.length; i++) {
      const { call, to, request } = this.calls[i]!;
      const reply = request.kind === "probe" ? answerTo(to) : undefined;
      if (reply === undefined) continue;
      this.calls.splice(i--, 1);
      this.answer(call, reply);
    }
  }

  #write(effect: Effect): void {
    switch (effect.kind) {
      case "send":
        return void this.sent.push(effect);
      case "call":
        return void this.calls.push(effect);
      case "cancel":
        return void this.cancelled.push(effect.call);
      case "reply":
        if (this.replies.has(effect.token)) throw new Error(`request ${effect.token} was answered twice`);
        return void this.replies.set(effect.token, effect.reply);
      case "cut":
        return void this.cuts.push(effect.cut);
      case "left":
        this.left = effect.removed;
        return;
      case "note":
        return void this.notes.push(`${effect.level}: ${effect.text}`);
    }
  }
}

export const late = refused("deadline_exceeded", "deadline exceeded");
export const gone = refused("unavailable", "connection refused");
