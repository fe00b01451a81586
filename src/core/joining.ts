// Our own way into a mesh: find somebody, ask who would observe us, ask those to vouch for us, and take the first
// view that has us in it (PROTOCOL §8). A dialogue written out as a small state machine; it asks, the member calls.

import { type Acquaintance, Candidates } from "./candidates.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import { callsFor } from "./join-calls.ts";
import { JoinerUuid } from "./joiner-uuid.ts";
import type { ConfigurationId, Contacts, Join, Joiner, Metadata, PreJoin, Refused } from "./messages.ts";
import type { Random } from "./random.ts";
import { refuse } from "./refusals.ts";
import type { View } from "./view.ts";

const ATTEMPT_MIN_MS = 5000;
const ATTEMPT_MAX_MS = 15_000;
const PAUSE_MIN_MS = 200;
const PAUSE_MAX_MS = 4000;
/** Patience with one contact where others are known: it may be dead without a trace, and its host with it. */
const CONTACT_MS = 2000;
/** After a view change in the middle of an attempt: soon, but not all at once. */
const RACE_PAUSE_MS = 50;
/** Rust observers do not end our calls when the configuration changes without us, so we have to ask. */
const ASK_AGAIN_MS = 1000;

const ASKED_IN_MAX = 8;

/** A call to make; its answer comes back with the attempt it belongs to. */
export interface Question {
  readonly to: Endpoint;
  readonly request: PreJoin | Join;
  readonly timeoutMs: Millis;
  readonly attempt: number;
}

/** What to do next. */
export interface Move {
  readonly findSeeds?: true;
  readonly ask?: readonly Question[];
  readonly note?: string;
}

type Phase =
  | { readonly kind: "seeking" }
  /** Waiting for a contact to name our observers. */
  | { readonly kind: "asking"; readonly until: Millis; readonly attemptUntil: Millis }
  /** Waiting for an observer to let us in, and now and then asking whether the configuration is still the same. */
  | {
      readonly kind: "knocking";
      readonly configuration: ConfigurationId;
      readonly observers: readonly Endpoint[];
      readonly contact: Endpoint;
      readonly attemptUntil: Millis;
      /** Observers that are in another configuration. */
      readonly elsewhere: Set<Endpoint>;
      until: Millis;
      askAgainAt: Millis;
      open: number;
    }
  | { readonly kind: "pausing"; readonly until: Millis };

type Knocking = Phase & { readonly kind: "knocking" };

const NOTHING: Move = {};

/** As long as messages for the view that we have not got yet are kept. */
const WELL_AFTER_KNOCK_MS = 30_000;

export class Joining {
  readonly #self: Endpoint;
  readonly #metadata: Metadata;
  readonly #random: Random;
  readonly #uuid: JoinerUuid;
  readonly #candidates: Candidates;
  #phase: Phase = { kind: "seeking" };
  #attempt = 0;
  #attemptMs = ATTEMPT_MIN_MS;
  #pauseMs = PAUSE_MIN_MS;
  #isHostTaken = false;
  /** When observers were last asked to let us in. */
  #knockedAt: Millis = -Infinity;
  readonly #askedIn: ConfigurationId[] = [];
  /** Those that an observer was not in, the last few of them. */
  readonly #disputed: ConfigurationId[] = [];
  #lastFailure = "";

  constructor(self: Endpoint, metadata: Metadata, known: Acquaintance, random: Random) {
    this.#self = self;
    this.#metadata = metadata;
    this.#candidates = new Candidates(self, known, random);
    this.#random = random;
    this.#uuid = new JoinerUuid(random);
  }

  get joiner(): Joiner {
    return { uuid: this.#uuid.uuid, metadata: this.#metadata };
  }

  get wakeAt(): Millis {
    if (this.#phase.kind === "seeking") return Infinity;
    if (this.#phase.kind === "knocking") return Math.min(this.#phase.askAgainAt, this.#phase.until);
    return this.#phase.until;
  }

  /** The configurations whose observers were asked to let us in, the last few of them. */
  get askedIn(): readonly ConfigurationId[] {
    return this.#askedIn;
  }

  /** Observers were asked to let us in, and one of them may do so at any moment. */
  get isKnocking(): boolean {
    return this.#phase.kind === "knocking";
  }

  /**
   * Observers may count us in before we know it, also when we have stopped waiting for them, and probe us: they shall
   * find us well. Not so while an earlier incarnation of ours is still a member, for then probes must fail for it to
   * be removed (PITFALLS B12); and not for ever, for whoever finds nobody to ask may be a member without knowing, that
   * observes nobody and holds up the others.
   */
  answersProbes(now: Millis): boolean {
    return now < this.#knockedAt + WELL_AFTER_KNOCK_MS && !this.#isHostTaken;
  }

  start(): Move {
    this.#phase = { kind: "seeking" };
    return { findSeeds: true };
  }

  /**
   * A member spoke to us. It may have us as one already, while we wait in vain for those who were left behind; where it does not
   * observe us, those who do are given a moment more.
   */
  hear(sender: Endpoint, now: Millis): void {
    const phase = this.#phase;
    const isNews = this.#candidates.hear(sender);
    if (!isNews || phase.kind !== "knocking" || phase.observers.includes(sender)) return;
    phase.until = Math.min(phase.until, now + CONTACT_MS);
  }

  seeds(seeds: readonly Endpoint[], now: Millis): Move {
    if (this.#phase.kind !== "seeking") return NOTHING;
    this.#uuid.judge(now);
    this.#candidates.begin(seeds);
    if (this.#candidates.hasNext) return this.#askNext(now);
    return this.#pause(now, "no seed is known");
  }

  contacts(attempt: number, reply: Contacts | Refused, from: Endpoint, now: Millis): Move {
    if (attempt !== this.#attempt) return NOTHING;
    if (this.#phase.kind === "knocking") return this.#comparedWith(this.#phase, reply, now);
    if (this.#phase.kind !== "asking") return NOTHING;
    if (reply.kind === "refused") {
      this.#learnFrom(reply, now);
      return this.#failed(now, `${from}: ${reply.why}`);
    }
    if (reply.observers.length === 0) return this.#failed(now, `${from}: no observers`);
    // One that was left behind may not know yet that somebody has our host.
    if (!this.#disputed.includes(reply.configuration)) this.#isHostTaken = false;
    this.#uuid.good();
    return this.#knock(reply, from, this.#phase.attemptUntil, now);
  }

  #knock(reply: Contacts, contact: Endpoint, attemptUntil: Millis, now: Millis): Move {
    const { configuration, observers, nodeRings = [] } = reply;
    const attempt = this.#attempt;
    this.#knockedAt = now;
    if (this.#askedIn.at(-1) !== configuration) this.#askedIn.push(configuration);
    if (this.#askedIn.length > ASKED_IN_MAX) this.#askedIn.shift();
    const ask = callsFor(observers, nodeRings).map(({ to, ring, moreRings }): Question => {
      const rings = moreRings.length === 0 ? { ring } : { ring, moreRings };
      const request: Join = { kind: "join", sender: this.#self, configuration, ...rings, ...this.joiner };
      return { to, attempt, timeoutMs: attemptUntil - now, request };
    });
    this.#phase = {
      kind: "knocking",
      configuration,
      observers,
      contact,
      attemptUntil,
      elsewhere: new Set(),
      until: attemptUntil,
      askAgainAt: now + ASK_AGAIN_MS,
      open: ask.length,
    };
    return { ask };
  }

  /** Our contact was asked again: where it has gone on without us, our observers have changed. */
  #comparedWith(phase: Knocking, reply: Contacts | Refused, now: Millis): Move {
    if (reply.kind === "refused" || reply.observers.length === 0) return NOTHING;
    if (reply.configuration === phase.configuration) return NOTHING;
    this.#attempt += 1;
    return this.#knock(reply, phase.contact, phase.attemptUntil, now);
  }

  /** Why the view that we were given cannot be what it is said to be. */
  faultIn(view: View, claimed: ConfigurationId): string | undefined {
    if (view.id !== claimed) {
      return `its id is ${view.id} by its members and uuids, but ${claimed} by its word`;
    }
    if (!view.has(this.#self)) return "we are not in it";
    if (!view.knows(this.#uuid.uuid)) return "our uuid is not in it";
    return undefined;
  }

  /** One observer would not let us in. */
  turnedAway(attempt: number, reply: Refused, from: Endpoint, now: Millis): Move {
    if (attempt !== this.#attempt || this.#phase.kind !== "knocking") return NOTHING;
    // A Rust observer keeps one call per joiner: an earlier one of ours waits there, and will be answered.
    if (isSame(reply, refuse.joinPending)) return NOTHING;
    this.#phase.open -= 1;
    this.#lastFailure = `${from}: ${reply.why}`;
    this.#learnFrom(reply, now);
    if (isSame(reply, refuse.wrongConfiguration)) {
      // The configuration has changed: the other observers' answers will be the same, so ask anew at once. Where a contact
      // names it again, it is the observer that is elsewhere, and the others may let us in.
      if (this.#dispute(this.#phase.configuration)) {
        return this.#pauseFor(now, RACE_PAUSE_MS / 5 + this.#random.below(RACE_PAUSE_MS));
      }
      this.#heedElsewhere(this.#phase, from, now);
    }
    return this.#phase.open === 0 ? this.#failed(now, this.#lastFailure) : NOTHING;
  }

  /** Where most observers are elsewhere, the contact was left behind, and those who were left with it let us wait in vain. */
  #heedElsewhere(phase: Knocking, observer: Endpoint, now: Millis): void {
    phase.elsewhere.add(observer);
    const { length } = phase.observers.filter((node) => phase.elsewhere.has(node));
    const isBehind = 2 * length > phase.observers.length;
    if (isBehind && !this.#candidates.hasOnlyOne) phase.until = Math.min(phase.until, now + CONTACT_MS);
  }

  /** Answers whether this is the first time. */
  #dispute(configuration: ConfigurationId): boolean {
    if (this.#disputed.includes(configuration)) return false;
    this.#disputed.push(configuration);
    if (this.#disputed.length > ASKED_IN_MAX) this.#disputed.shift();
    return true;
  }

  #learnFrom(refusal: Refused, now: Millis): void {
    if (isSame(refusal, refuse.uuidExists)) this.#uuid.used(now);
    if (isSame(refusal, refuse.hostExists)) this.#isHostTaken = true;
  }

  wake(now: Millis): Move {
    if (now < this.wakeAt) return NOTHING;
    if (this.#phase.kind === "knocking" && now < this.#phase.until) {
      this.#phase.askAgainAt = now + ASK_AGAIN_MS;
      return { ask: [this.#preJoin(this.#phase.contact, ASK_AGAIN_MS)] };
    }
    if (this.#phase.kind !== "pausing") return this.#failed(now, this.#lastFailure || "no answer in time");
    return this.#candidates.hasNext ? this.#askNext(now) : this.start();
  }

  #askNext(now: Millis): Move {
    const to = this.#candidates.next()!;
    this.#attempt += 1;
    const timeoutMs = this.#candidates.hasOnlyOne ? this.#attemptMs : Math.min(this.#attemptMs, CONTACT_MS);
    this.#phase = { kind: "asking", until: now + timeoutMs, attemptUntil: now + this.#attemptMs };
    this.#lastFailure = "";
    return { ask: [this.#preJoin(to, timeoutMs)] };
  }

  #preJoin(to: Endpoint, timeoutMs: Millis): Question {
    const request: PreJoin = { kind: "preJoin", sender: this.#self, uuid: this.joiner.uuid };
    return { to, request, timeoutMs, attempt: this.#attempt };
  }

  #failed(now: Millis, why: string): Move {
    if (this.#candidates.hasNext) return { ...this.#askNext(now), note: `cannot join yet: ${why}` };
    this.#attemptMs = Math.min(ATTEMPT_MAX_MS, this.#attemptMs * 1.5);
    return this.#pause(now, why);
  }

  /** Everybody we know of was asked: look around again after a while, drawn at random so that herds spread (A2). */
  #pause(now: Millis, why: string): Move {
    const pauseMs = 1 + this.#random.below(this.#pauseMs);
    this.#pauseMs = Math.min(PAUSE_MAX_MS, this.#pauseMs * 2);
    return { ...this.#pauseFor(now, pauseMs), note: `cannot join yet, will try again: ${why}` };
  }

  #pauseFor(now: Millis, pauseMs: Millis): Move {
    this.#phase = { kind: "pausing", until: now + pauseMs };
    return NOTHING;
  }
}

function isSame(a: Refused, b: Refused): boolean {
  return a.code === b.code && a.why === b.why;
}
