// Brings one Rust member that was left behind up to date. It knows nothing of certificates, but nothing is signed, so
// it counts a vote that is said to it again (PITFALLS E3). First find out which configuration it is in, then say
// again what ended that and each later one: of a view change with joiners first all alerts, then the votes, or it
// panics (B1). One that cannot follow is told, in its own configuration, that it was removed; then it joins anew.

import { replayOf } from "./certificates.ts";
import type { Endpoint } from "./endpoint.ts";
import { nodeIndexOf } from "./hash.ts";
import { inquiry, isHere } from "./inquiry.ts";
import type { Accepted, Certificate, ConfigurationId, Gossip, Rank, Reply } from "./messages.ts";
import { refuse } from "./refusals.ts";
import type { View } from "./view.ts";

export interface Step {
  readonly view: View;
  readonly certificate: Certificate;
}

/** Above any round that the configuration is likely to have seen. */
const EVICTION_ROUND = 9;

export class Repair {
  readonly node: Endpoint;
  /** Our past with this member in it, newest first. */
  readonly #past: readonly View[];
  readonly #stepsFrom: (view: View) => readonly Step[];
  #stages: (readonly Gossip[])[];
  readonly #triedIn: ConfigurationId | undefined;
  #located: View | undefined;
  #isLocating = true;
  #open = 0;
  #mustEvict = false;
  #hasJoins = false;
  result: "under way" | "replayed" | "evicted" | "failed" = "under way";

  /** `triedIn`: the configuration in which saying it again did not help the last time. */
  constructor(
    node: Endpoint,
    past: readonly View[],
    stepsFrom: (view: View) => readonly Step[],
    triedIn: ConfigurationId | undefined,
  ) {
    this.node = node;
    this.#triedIn = triedIn;
    this.#past = past.filter((view) => view.has(node));
    this.#stepsFrom = stepsFrom;
    this.#stages = this.#past.map((view) => [inquiry(node, view.id)]);
  }

  /** What to say to it now; once all of that is answered there may be more. */
  next(): readonly Gossip[] {
    const stage = this.#stages.shift() ?? [];
    this.#open = stage.length;
    this.#hasJoins = stage[0]?.kind === "alerts";
    if (stage.length === 0 && this.result === "under way") this.result = "failed";
    return stage;
  }

  /** Takes one answer; says what is next when it was the last one of its stage. */
  answered(reply: Reply): readonly Gossip[] {
    if (this.result !== "under way") return [];
    this.#open -= 1;
    if (reply.kind === "refused" && (reply.code === "unavailable" || reply.code === "deadline_exceeded")) {
      this.#stages = [];
      this.result = "failed";
      return [];
    }
    if (this.#isLocating) return this.#locate(isHere(reply));
    // It made its mind up before it knew of these joiners: a vote for them would make it panic.
    if (this.#hasJoins && reply.kind === "refused" && reply.why === refuse.alreadyAnnounced.why) {
      this.#mustEvict = true;
    }
    if (this.#open > 0) return [];
    if (this.#mustEvict) return this.#evict();
    if (this.#stages.length > 0) return this.next();
    if (this.result === "under way") this.result = "replayed";
    return [];
  }

  /** Nothing but joining anew will help it. */
  #evict(): readonly Gossip[] {
    this.#stages = [];
    this.result = "evicted";
    const { id: configuration, members, majority } = this.#located!;
    const rank: Rank = { round: EVICTION_ROUND, nodeIndex: nodeIndexOf(this.node) };
    return members
      .slice(0, majority)
      .map((sender): Accepted => ({ kind: "accepted", sender, configuration, rank, value: [this.node] }));
  }

  /** Where it was found. */
  get configuration(): ConfigurationId | undefined {
    return this.#located?.id;
  }

  #locate(isThere: boolean): readonly Gossip[] {
    if (!isThere) return this.next();
    this.#isLocating = false;
    this.#located = this.#past[this.#past.length - this.#stages.length - 1];
    if (this.#located?.id === this.#triedIn) return this.#evict();
    const stages: (readonly Gossip[])[] = [];
    for (const { view, certificate } of this.#stepsFrom(this.#located!)) {
      const { alerts, votes } = replayOf(view, certificate);
      if (alerts.length > 0) stages.push(alerts);
      stages.push(votes);
      if (certificate.value.includes(this.node) && view.has(this.node)) break;
    }
    this.#stages = stages;
    return this.next();
  }
}
