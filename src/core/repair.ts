// Brings one Rust member that was left behind up to date. It knows nothing of certificates, but nothing is signed, so
// it counts a vote that is said to it again (PITFALLS E3). First find out which configuration it is in, then say
// again what ended that and each later one: of a view change with joiners first all alerts, then the votes, or it
// panics (B1). One that cannot follow is told, in its own configuration, that it was removed; then it joins anew.

import { evictionRank, replayOf } from "./certificates.ts";
import type { Endpoint } from "./endpoint.ts";
import { inquiry, isHere } from "./inquiry.ts";
import type { Accepted, Certificate, ConfigurationId, Gossip, Reply } from "./messages.ts";
import { refuse } from "./refusals.ts";
import type { View } from "./view.ts";

/** A configuration, and what ended it. */
interface Ended {
  readonly view: View;
  readonly certificate: Certificate;
}

/** Attempts at one message. */
const SAID_MAX = 2;

export class Repair {
  readonly node: Endpoint;
  /** Our past with this member in it, newest first. */
  readonly #past: readonly View[];
  readonly #stepsFrom: (view: View) => readonly Ended[] | undefined;
  readonly #triedIn: ConfigurationId | undefined;
  /** What is still to be said, one after the other. */
  #queue: Gossip[];
  #said: Gossip | undefined;
  /** How often this was lost, or its answer. */
  #lost = 0;
  #located: View | undefined;
  #isLocating = true;
  #isEvicting = false;
  /** To be said to evict it. */
  #votes = 0;
  /**
   * It is astray where nothing leads on from where it was found, and somebody else has to say whether to evict it; unknown
   * is, the first time, what led on from there, and nowhere is one that answers, but is in no configuration that we know.
   */
  result: "under way" | "replayed" | "evicted" | "astray" | "unknown" | "nowhere" | "failed" = "under way";

  /** `triedIn`: the configuration in which saying it again did not help the last time. */
  constructor(
    node: Endpoint,
    past: readonly View[],
    stepsFrom: (view: View) => readonly Ended[] | undefined,
    triedIn: ConfigurationId | undefined,
  ) {
    this.node = node;
    this.#triedIn = triedIn;
    this.#past = past.filter((view) => view.has(node));
    this.#stepsFrom = stepsFrom;
    this.#queue = this.#past.map((view) => inquiry(node, view.id));
  }

  /** What to say to it first; its answer tells what is next. */
  begin(): Gossip | undefined {
    return this.#next("nowhere");
  }

  /** Takes the answer to what was said; says what is next, unless that was the last. */
  answered(reply: Reply): Gossip | undefined {
    const isLost =
      reply.kind === "refused" && (reply.code === "unavailable" || reply.code === "deadline_exceeded");
    if (this.#isEvicting && (isLost || isElsewhere(reply)) && this.#hasSaidMost) {
      this.#queue = [];
      return this.#next("evicted");
    }
    if (isLost) {
      this.#lost += 1;
      if (reply.code === "deadline_exceeded" && this.#lost < SAID_MAX) return this.#said;
      this.result = "failed";
      return undefined;
    }
    this.#lost = 0;
    if (this.#isLocating) return this.#locate(isHere(reply));
    // It made its mind up before it knew of these joiners: a vote for them would make it panic.
    if (
      this.#said?.kind === "alerts" &&
      reply.kind === "refused" &&
      reply.why === refuse.alreadyAnnounced.why
    ) {
      return this.evict();
    }
    return this.#next(this.#isEvicting ? "evicted" : "replayed");
  }

  /** Where it was found. */
  get located(): View | undefined {
    return this.#located;
  }

  /** Where nothing is left to be said, this is what has come of it. */
  #next(result: "replayed" | "evicted" | "nowhere" | "failed"): Gossip | undefined {
    this.#said = this.#queue.shift();
    if (this.#said === undefined) this.result = result;
    return this.#said;
  }

  /**
   * Nothing but joining anew will help it. Half a decision that it panicked at may have brought it more members than there
   * are (B1), so that more votes than a majority are needed, and those who joined by it vote, too.
   */
  evict(): Gossip | undefined {
    this.#isEvicting = true;
    this.result = "under way";
    const { id: configuration, members } = this.#located!;
    const rank = evictionRank(this.node);
    const [ended] = this.#stepsFrom(this.#located!) ?? [];
    const voters = new Set([...members, ...(ended?.certificate.value ?? [])]);
    this.#queue = [...voters].map((sender): Accepted => {
      return { kind: "accepted", sender, configuration, rank, value: [this.node] };
    });
    this.#votes = this.#queue.length;
    return this.#next("evicted");
  }

  /** Votes of a majority were said before the one that was said last: by now it may be on its way in again, and silent. */
  get #hasSaidMost(): boolean {
    return this.#votes - this.#queue.length > this.#located!.majority;
  }

  #locate(isThere: boolean): Gossip | undefined {
    if (!isThere) return this.#next("nowhere");
    this.#isLocating = false;
    this.#located = this.#past[this.#past.length - this.#queue.length - 1]!;
    const steps = this.#stepsFrom(this.#located);
    const hasTried = this.#located.id === this.#triedIn;
    if (steps === undefined || steps.length === 0) {
      this.result = steps === undefined || hasTried ? "astray" : "unknown";
      return undefined;
    }
    if (hasTried) return this.evict();
    const queue: Gossip[] = [];
    for (const { view, certificate } of steps) {
      const { alerts, votes } = replayOf(view, certificate);
      queue.push(...alerts, ...votes);
      if (certificate.value.includes(this.node) && view.has(this.node)) break;
    }
    this.#queue = queue;
    return this.#next("failed");
  }
}

function isElsewhere(reply: Reply): boolean {
  return reply.kind === "refused" && reply.why === refuse.wrongConfiguration.why;
}
