// Brings members back into one configuration when a partition heals, when messages were lost, or when a process came
// back as somebody else (PITFALLS B4, B5). Asks where others are, follows evidence of what we missed, tells it to those
// who missed it, and says when nothing is left but to join anew. Evidence is always checked; nobody is just believed.

import { stepsAlong } from "./certificates.ts";
import type { Remedy } from "./conclusion.ts";
import { ConfigurationCheck, type Finding } from "./configuration-check.ts";
import { Departed } from "./departed.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import { HeldMessages } from "./held-messages.ts";
import { History } from "./history.ts";
import { comparison, elderIn, findingOf, inquiry, PAST_TOLD, placeIn } from "./inquiry.ts";
import { Laggards, type RepairCall } from "./laggards.ts";
import type {
  Certificate,
  Compare,
  Compared,
  ConfigurationId,
  Gossip,
  Joiner,
  PromiseMessage,
  Reply,
} from "./messages.ts";
import { type Claim, Origins } from "./origins.ts";
import type { CancelsByKind, Outgoing } from "./outgoing.ts";
import type { Random } from "./random.ts";
import type { Settings } from "./settings.ts";
import { type Turn, Turns } from "./turns.ts";
import type { View } from "./view.ts";
import { type Bonds, type ReturnCall, WayBack } from "./way-back.ts";

export interface HealingOptions {
  readonly self: Endpoint;
  readonly settings: Settings;
  readonly random: Random;
}

/** A call whose answer tells where somebody is. */
export type HealingCall =
  | { readonly kind: "check"; readonly to: Endpoint; readonly configuration: ConfigurationId }
  | Claim
  /** To one that is gone. */
  | { readonly kind: "greeting"; readonly to: Endpoint }
  | ReturnCall
  | RepairCall;

type Voice = Pick<Outgoing<HealingCall>, "call" | "countOpen" | "note"> & CancelsByKind;

export class Healing {
  readonly #options: HealingOptions;
  readonly #out: Voice;
  readonly #check: ConfigurationCheck;
  readonly #held = new HeldMessages();
  readonly #history = new History();
  readonly #departed: Departed;
  readonly #turns = new Turns();
  /** The configuration that we take part in. */
  #view: View | undefined;
  #bonds: Bonds | undefined;
  readonly #origins: Origins;
  readonly #laggards: Laggards;
  readonly #wayBack: WayBack;
  /** As whom we were let in. */
  #uuid: NodeId | undefined;

  constructor(options: HealingOptions, out: Voice) {
    this.#options = options;
    this.#out = out;
    this.#departed = new Departed(options.self, options.random);
    this.#check = new ConfigurationCheck(options.self, options.settings, options.random);
    this.#origins = new Origins(options.settings, out);
    this.#wayBack = new WayBack(options, this.#check, this.#history, out);
    this.#laggards = new Laggards(this.#history, options.settings, out);
  }

  get wakeAt(): Millis {
    return this.#check.wakeAt;
  }

  /** What it looks like from here. */
  get prospect(): Pick<ConfigurationCheck, "suspectsNoQuorum" | "suspectsStale"> {
    return this.#check;
  }

  /** We founded a mesh; by an operator's order, where it replaces a configuration. */
  founded(uuid: NodeId, replaced?: View): void {
    this.#uuid = uuid;
    this.#origins.founded(replaced);
  }

  /** We entered a mesh that others founded; some may still be in the configurations in which we asked to be let in. */
  entered(view: View, uuid: NodeId, askedIn: readonly ConfigurationId[]): void {
    this.#uuid = uuid;
    this.#origins.entered();
    this.#history.enter(view, askedIn);
  }

  /** A configuration begins, for us where `view` is given; answers what was said in it already. */
  follow(
    view: View | undefined,
    before: View | undefined,
    by: Certificate | undefined,
    now: Millis,
  ): readonly Gossip[] {
    this.#history.follow(before, by, view);
    if (before !== undefined && view !== undefined) this.#departed.follow(view, before, now);
    this.#view = view;
    this.#bonds = undefined;
    this.#turns.follow();
    this.#laggards.follow(view);
    this.#origins.follow();
    this.#wayBack.follow();
    this.#check.follow(view, now);
    const over = view === undefined ? ["check", "return", "greeting", "claim"] : ["check", "return"];
    this.#out.cancelThose(({ kind }) => over.includes(kind));
    return view === undefined ? [] : this.#held.take(view.id, now);
  }

  /** The step to this view could have been taken in several ways. Whom it removes joins anew, whichever is right. */
  atCrossroads(by: Certificate, variants: ReadonlyMap<Endpoint, readonly Joiner[]>, taken: View): void {
    if (taken !== this.#view) return;
    this.#history.strayTo(this.#turns.at(this.#history.newest[0]!, by, variants, taken));
  }

  get history(): Pick<History, "isPast" | "hasEnded" | "mayGoTo"> {
    return this.#history;
  }

  /** A message from a configuration that we do not know is kept; it may tell which turn most others took. */
  hold(gossip: Gossip, now: Millis): Remedy | undefined {
    this.#held.hold(gossip, now);
    if (this.#view?.has(gossip.sender)) this.doubt(now);
    const turn = this.#turns.hear(gossip.sender, gossip.configuration);
    return turn && this.#turn(turn);
  }

  /** Something does not fit: look soon where the others are. */
  doubt(now: Millis): void {
    this.#check.hurry(now);
  }

  /** A Node subject may have said where it is, with its answer to a probe. */
  probed(subject: Endpoint, reply: Reply, now: Millis): void {
    const view = this.#view;
    if (view?.isNode(subject) !== true || (reply.kind !== "ack" && reply.kind !== "refused")) return;
    const { configuration } = reply;
    if (configuration === view.id) this.#check.agrees(subject);
    else if (configuration !== undefined && !this.#history.isPast(configuration)) this.doubt(now);
  }

  /** The answer to one who asks where we are. */
  compare({ sender, configuration, past, uuid }: Compare, now: Millis): Compared {
    const view = this.#view;
    const ids = [configuration, ...past.slice(0, PAST_TOLD)];
    if (view?.has(sender)) this.#laggards.hasAsked(sender);
    if (view !== undefined && configuration !== view.id && !this.#history.isPast(configuration)) {
      if (view.has(sender)) this.doubt(now);
      else this.#wayBack.met(sender, "other");
      if (!view.has(sender) && this.#origins.isFounder)
        this.#origins.claim(sender, true, this.#comparison(view), now);
    }
    return {
      kind: "compared",
      sender: this.#options.self,
      configuration: view?.id ?? 0n,
      size: view?.size ?? 0,
      isMember: view?.has(sender) ?? false,
      wasMember: view !== undefined && this.#history.wasMember(sender),
      chain: configuration === view?.id ? [] : this.#history.chainFrom(ids),
      ...this.#origins.told,
      hasAdmitted: uuid !== undefined && (view?.knows(uuid) ?? false),
    };
  }

  /** Said by us, whom a decision removed, to who has us as a member still and may lack it: so that it asks us. */
  get reminder(): Compare | undefined {
    const last = this.#history.newest.slice(0, 1).map(({ id }) => id);
    return this.#history.chainFrom(last).length > 0 ? this.#comparison(undefined) : undefined;
  }

  /** Does what is due. */
  wake(now: Millis, round: Bonds): Remedy | undefined {
    const view = this.#view;
    if (view === undefined || now < this.#check.wakeAt) return undefined;
    this.#bonds = round;
    const { faultTimeoutMs } = this.#options.settings;
    const asked = this.#check.due(now);
    const mayReturn = this.#wayBack.seek(this.#uuid!, view, round);
    if (this.#check.isStale && !mayReturn) {
      this.#history.gaveUp(view.id, this.#check.isOver, round.isFree);
      const why = "most members are in another configuration";
      return { kind: "joinAnew", why, contacts: this.#check.movedOn };
    }
    // Who is left behind with the most of us goes on; who is left behind without them cannot.
    const { successor } = this.#origins;
    if (successor !== undefined && !this.#check.isAmongMost) {
      const why = "an operator founded a new mesh in place of this one";
      return { kind: "joinAnew", why, contacts: [successor], isForGood: true };
    }
    for (const { node: to, isNode } of this.#departed.due(view, now, this.#out.countOpen("greeting"))) {
      // Another process may have taken its address; our question tells it of us.
      if (isNode) this.#out.call({ kind: "greeting", to }, to, this.#comparison(view), faultTimeoutMs);
      else this.#laggards.lookAfter(to, now);
    }
    // Where timers are late, some of the last round may still be waited for.
    this.#out.cancelThose(({ kind }) => kind === "check");
    for (const to of asked) {
      const request = this.question(to, view);
      this.#out.call({ kind: "check", to, configuration: view.id }, to, request, faultTimeoutMs);
    }
    return undefined;
  }

  /** "Where are you?", in words that this member understands, asked from this view. */
  question(to: Endpoint, view: View): Compare | PromiseMessage {
    if (this.#laggards.asksItself(to, view)) return this.#comparison(view);
    const { self, random } = this.#options;
    if (!this.#check.isStrange(to)) return inquiry(self, view.id);
    return inquiry(elderIn(this.#history.newest.at(-1) ?? view, view, [self, to], random) ?? self, view.id);
  }

  answered(call: HealingCall, reply: Reply, now: Millis): Remedy | undefined {
    if (call.kind === "repair") return this.#onRepair(call, reply);
    if (this.#view === undefined) return undefined;
    if (call.kind === "greeting") this.#wayBack.met(call.to, findingOf(reply, this.#view, this.#history));
    if (call.kind === "greeting") return this.#learnOfMove(reply, now);
    if (call.kind === "return") return this.#wayBack.answered(call, reply, this.#uuid!, this.#view);
    if (call.kind === "claim") {
      const elder = this.#origins.judge(call, reply, this.#view);
      return elder && { kind: "joinAnew", why: elder.why, contacts: [elder.to], isForGood: true };
    }
    if (call.configuration !== this.#view.id) return undefined;
    this.#check.answered(call.to, this.locate(call.to, reply, this.#view, now), placeIn(reply));
    const isImpostor = this.#check.isImpostor(call.to);
    if (isImpostor) this.#origins.noteSplit(`a process of another mesh has the address of ${call.to}`);
    const isLost = this.#check.isMajorityHere && this.#laggards.isLost(call.to);
    if (isImpostor || isLost) return { kind: "report", subject: call.to };
    return reply.kind === "compared" ? this.#onCompared(this.#view, call.to, reply, now) : undefined;
  }

  #onRepair({ repair }: RepairCall, reply: Reply): Remedy | undefined {
    this.#laggards.answered(repair, reply);
    if (this.#laggards.isBehind(repair.node)) this.#check.answered(repair.node, "behind");
    if (repair.result !== "astray") return undefined;
    // Rust members cannot change over. Where most are there, it is we who do.
    const view = this.#view;
    const isDrawn = this.#bonds?.isFree === true && this.#check.needsRust;
    const turn = view && this.#turns.found(repair.node, repair.located!, view, isDrawn);
    this.#laggards.decide(repair, turn === undefined && this.#check.isMajorityHere);
    return turn && this.#turn(turn);
  }

  /** Where this member is by its answer, seen from this view. One that is behind and does not ask is told what it missed. */
  locate(node: Endpoint, reply: Reply, view: View, now: Millis): Finding {
    const said = findingOf(reply, view, this.#history);
    const finding = said === "other" && this.#laggards.isBehind(node) ? "behind" : said;
    this.#laggards.found(node, finding, view, now);
    this.#turns.heard(node, finding, view);
    return finding;
  }

  #comparison(view: View | undefined): Compare {
    return comparison(this.#options.self, view, view && this.#uuid, this.#history.newest);
  }

  #onCompared(view: View, to: Endpoint, reply: Compared, now: Millis): Remedy | undefined {
    if (reply.configuration === view.id) return undefined;
    if (this.#origins.isSucceededBy(to, reply, view)) return void this.doubt(now);
    const [first] = reply.chain;
    if (first === undefined) return this.#learnOfMove(reply, now);
    if (first.configuration === view.id) return this.#go(view, reply.chain, now);
    const other = this.#history.otherTurn(first);
    if (other === undefined || other.id === view.id || this.#history.wasIn(other.id)) return undefined;
    this.doubt(now);
    return this.#turns.proves(to, other, view) ? this.#turn({ view: other, by: first }) : undefined;
  }

  /** Follows a chain as far as it proves itself. */
  #go(view: View, chain: readonly Certificate[], now: Millis): Remedy | undefined {
    const steps = stepsAlong(view, chain, this.#options.self);
    this.doubt(now);
    if (steps.length === 0) return undefined;
    this.#out.note("info", `missed ${steps.length} view changes; following the others`);
    return { kind: "go", steps };
  }

  /** The others took another turn than we did out of the configuration before ours. */
  #turn({ view, by }: Turn): Remedy {
    this.#out.note("info", "most members applied another variant of a joiner; following them");
    this.#history.turn(this.#view!, view, this.#bonds?.isFree === true, by);
    return { kind: "go", steps: [{ view }] };
  }

  /** The founder of our mesh may have gone back to an older one. */
  #learnOfMove(reply: Reply, now: Millis): undefined {
    if (reply.kind !== "compared" || reply.isMember || reply.contacts.length === 0) return;
    this.#origins.claim(reply.contacts[0]!, false, this.#comparison(this.#view), now);
  }
}
