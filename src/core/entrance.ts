// A member on its way into a mesh: asks what `joining.ts` wants asked, and tells when it is in.

import type { Acquaintance } from "./candidates.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import type { Former } from "./former.ts";
import type { History } from "./history.ts";
import { Joining, type Move } from "./joining.ts";
import type { Compare, ConfigurationId, Metadata, Reply } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Random } from "./random.ts";
import { refuse, refused } from "./refusals.ts";
import type { Round } from "./round.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

/** A call to somebody who may let us in, or have us as a member still. */
export interface JoinCall {
  readonly kind: "preJoin" | "join" | "resume";
  readonly attempt: number;
  readonly to: Endpoint;
}

export interface EntranceOptions {
  readonly self: Endpoint;
  readonly metadata: Metadata;
  readonly settings: Settings;
  readonly random: Random;
}

/** What is left of an earlier membership. */
export interface Past extends Acquaintance {
  /** Where we gave up: as whom others may have us still. */
  readonly former?: Former | undefined;
}

/** Where we have been. */
interface Memory {
  readonly history: Pick<History, "hasEnded" | "mayGoTo">;
  /**
   * Where a decision removed us: what to say to those who have us as a member still. The decision may have taken our vote, and
   * they lack it and cannot decide without us.
   */
  readonly reminder: Compare | undefined;
}

/** How it speaks. */
interface Voice extends Pick<Outgoing<JoinCall>, "add" | "call" | "countOpen" | "note" | "send"> {
  cancelThose(
    isOver: (purpose: JoinCall | { readonly kind: string; readonly attempt?: never }) => boolean,
  ): void;
}

export class Entrance {
  readonly #joining: Joining;
  readonly #observers: number;
  readonly #timeoutMs: Millis;
  readonly #out: Voice;
  readonly #memory: Memory;
  /** Absent once we asked to be let in as somebody new: whoever is told of may be let in. */
  #former: Former | undefined;
  #isFormer = false;

  constructor(options: EntranceOptions, past: Past, memory: Memory, out: Voice) {
    this.#joining = new Joining(options.self, options.metadata, past, options.random);
    this.#observers = options.settings.cutDetector.observers;
    this.#timeoutMs = options.settings.faultTimeoutMs;
    this.#out = out;
    this.#former = past.former;
    this.#memory = memory;
    this.#move(this.#joining.start());
  }

  get wakeAt(): Millis {
    return this.#joining.wakeAt;
  }

  get uuid(): NodeId {
    return this.#isFormer ? this.#former!.uuid : this.#joining.joiner.uuid;
  }

  /** What holds of us in this configuration since before we were on our way. */
  roundIn(view: View): Round | undefined {
    return this.#isFormer ? this.#former!.roundIn(view) : undefined;
  }

  get askedIn(): readonly ConfigurationId[] {
    return this.#joining.askedIn;
  }

  get isKnocking(): boolean {
    return this.#joining.isKnocking;
  }

  answersProbes(now: Millis): boolean {
    return this.#joining.answersProbes(now);
  }

  seeds(seeds: readonly Endpoint[], now: Millis): void {
    this.#move(this.#joining.seeds(seeds, now));
  }

  /** Somebody that takes us for a member already spoke to us. */
  hear(sender: Endpoint, now: Millis): void {
    this.#joining.hear(sender, now);
  }

  wake(now: Millis): void {
    if (now >= this.#joining.wakeAt) this.#move(this.#joining.wake(now));
  }

  /** Takes an answer; where it lets us in, the first view that has us in it. */
  answered({ kind, attempt, to }: JoinCall, reply: Reply, now: Millis): View | undefined {
    if (kind === "resume") return this.#resumed(reply);
    if (reply.kind === "contacts") {
      this.#compareObservers(reply.observers.length, to);
      // Who has no configuration names nobody, and so lets nobody in.
      if (reply.observers.length > 0) this.#former = undefined;
      this.#move(this.#joining.contacts(attempt, reply, to, now));
    } else if (reply.kind === "joined") {
      const fault = this.#joining.faultIn(reply.view, reply.configuration);
      if (fault === undefined) return this.#enter(reply.view);
      this.#out.note("warn", `${to} sent a configuration that cannot be: ${fault}`);
      this.#move(this.#joining.turnedAway(attempt, refused("failed_precondition", fault), to, now));
    } else {
      const why = reply.kind === "refused" ? reply : refused("unknown", "an answer to another question");
      if (why.why === refuse.hostExists.why) this.#recall(to);
      if (kind === "preJoin") this.#move(this.#joining.contacts(attempt, why, to, now));
      else this.#move(this.#joining.turnedAway(attempt, why, to, now));
    }
    return undefined;
  }

  /** It has us as a member. */
  #recall(to: Endpoint): void {
    const former = this.#former;
    const { reminder } = this.#memory;
    if (reminder !== undefined) this.#out.send([to], reminder);
    if (former === undefined || this.#out.countOpen("resume") > 0) return;
    this.#out.call({ kind: "resume", attempt: Infinity, to }, to, former.question, this.#timeoutMs);
  }

  #resumed(reply: Reply): View | undefined {
    const view = this.#former?.viewIn(reply, this.#memory.history);
    if (view === undefined) return undefined;
    this.#isFormer = true;
    this.#out.note("info", "the others have this member still; going on as before");
    return this.#enter(view);
  }

  #enter(view: View): View {
    this.#out.cancelThose((call) => call.attempt !== undefined);
    return view;
  }

  #compareObservers(theirs: number, from: Endpoint): void {
    const ours = this.#observers;
    if (theirs === ours || theirs === 0) return;
    this.#out.note("warn", `${from} has ${theirs} observers per member, we have ${ours}: they must be equal`);
  }

  #move({ note, findSeeds, ask = [] }: Move): void {
    if (note !== undefined) this.#out.note("info", note);
    if (findSeeds) this.#out.add({ kind: "findSeeds" });
    const [first] = ask;
    // Observers of the last attempt may still let us in. Those asked before it would have by now, and where answers
    // are lost, calls to ever more of them would stay open.
    if (first !== undefined) {
      this.#out.cancelThose((call) => call.attempt !== undefined && call.attempt < first.attempt - 1);
    }
    for (const { to, request, timeoutMs, attempt } of ask) {
      this.#out.call({ kind: request.kind, attempt, to }, to, request, timeoutMs);
    }
  }
}
