// What happened, one line each, in words that somebody can read who was not there. The last lines are always kept, for
// the case that something breaks; all of them where they are wanted.

import type { Effect, Millis } from "../core/doorway.ts";
import { addressOf, type Endpoint } from "../core/endpoint.ts";
import { INQUIRY_RANK } from "../core/inquiry.ts";
import { compareRanks, type Gossip, type Request } from "../core/messages.ts";

const TAIL_MAX = 400;

export interface Line {
  readonly atMs: Millis;
  /** Whose step it was; absent where it befell the world. */
  readonly who: string | undefined;
  readonly what: string;
}

/** What befell the world, in words already, or what a member did, which is put into words when somebody reads it. */
type Entry = Line | { readonly atMs: Millis; readonly by: Endpoint; readonly effect: Effect };

export class Transcript {
  readonly #isWhole: boolean;
  readonly #entries: Entry[] = [];
  #count = 0;

  constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  add(atMs: Millis, what: string, who?: string): void {
    this.#keep({ atMs, who, what });
  }

  /** What a member did, where that is worth a line: what it says of its own, takes, and notes. Probes are not. */
  addEffect(atMs: Millis, by: Endpoint, effect: Effect): void {
    if (!isTold(effect)) return;
    const entry = { atMs, by, effect };
    // Who wants all of it reads it; of a tail that nobody will read, the words would cost more than the steps.
    this.#keep(this.#isWhole ? lineOf(entry) : entry);
  }

  /** The last of what happened, oldest first. */
  get lines(): readonly Line[] {
    const from = this.#isWhole || this.#count <= TAIL_MAX ? 0 : this.#count % TAIL_MAX;
    return [...this.#entries.slice(from), ...this.#entries.slice(0, from)].map(lineOf);
  }

  #keep(entry: Entry): void {
    if (this.#isWhole || this.#entries.length < TAIL_MAX) this.#entries.push(entry);
    else this.#entries[this.#count % TAIL_MAX] = entry;
    this.#count += 1;
  }
}

function isTold(effect: Effect): boolean {
  switch (effect.kind) {
    case "send":
    case "cut":
    case "left":
    case "note":
      return true;
    case "call":
      return effect.request.kind !== "probe";
    default:
      return false;
  }
}

function lineOf(entry: Entry): Line {
  if ("what" in entry) return entry;
  return { atMs: entry.atMs, who: nameOf(entry.by), what: tellEffect(entry.effect) };
}

function tellEffect(effect: Effect): string {
  switch (effect.kind) {
    case "send":
      return `${tellRequest(effect.request)}${tellAudience(effect.request, effect.to)}`;
    case "call":
      return `${tellRequest(effect.request)}, asking ${nameOf(effect.to)}`;
    case "cut": {
      const { view, joined, kicked, degraded } = effect.cut;
      const came = joined.length > 0 ? `, +${namesOf(joined)}` : "";
      const went = kicked.length > 0 ? `, -${namesOf(kicked)}` : "";
      return `takes ${idOf(view.id)} of ${view.size}${came}${went}${degraded ? ", without itself" : ""}`;
    }
    case "left":
      return `has left${effect.removed ? "" : " without being removed"}`;
    case "note":
      return `notes: ${effect.text}`;
    default:
      return effect.kind;
  }
}

function tellRequest(request: Request): string {
  switch (request.kind) {
    case "broadcast":
      return tellGossip(request.gossip);
    case "probe":
      return "probes";
    case "preJoin":
      return "asks who would observe it";
    case "join":
      return `wants to join ${idOf(request.configuration)} on ring ${request.ring}`;
    case "leave":
      return "asks to be reported, since it leaves";
    case "compare":
      return `asks who else is in ${idOf(request.configuration)}`;
    case "declareDead":
      return `has ${request.dead.map(nameOf).join(", ")} declared dead`;
    case "forceNew":
      return `has ${request.abandoned.map(nameOf).join(", ")} given up for a new mesh`;
    default:
      return tellGossip(request);
  }
}

export function tellGossip(gossip: Gossip): string {
  switch (gossip.kind) {
    case "alerts": {
      const edges = new Map<string, number[]>();
      for (const { node, ring, join } of gossip.edges) {
        const what = `${nameOf(node)} ${join === undefined ? "down" : "joins"}`;
        edges.set(what, [...(edges.get(what) ?? []), ring]);
      }
      return `reports ${[...edges].map(([what, rings]) => `${what} (rings ${rings.join(" ")})`).join(", ")}`;
    }
    case "fastAccepted":
      return `votes for {${namesOf(gossip.value)}}`;
    case "prepare":
      return `prepares round ${gossip.rank.round}`;
    case "promise":
      if (compareRanks(gossip.rank, INQUIRY_RANK) === 0) return "asks whether all is well";
      return `promises round ${gossip.rank.round}`;
    case "accept":
      return `puts {${namesOf(gossip.value)}} to the vote in round ${gossip.rank.round}`;
    case "accepted":
      return `accepts {${namesOf(gossip.value)}} in round ${gossip.rank.round}`;
  }
}

function tellAudience(request: Request, to: readonly Endpoint[]): string {
  return request.kind === "broadcast" ? "" : ` to ${namesOf(to)}`;
}

function namesOf(endpoints: readonly Endpoint[]): string {
  if (endpoints.length <= 12) return endpoints.map(nameOf).join(" ");
  return `${endpoints.slice(0, 10).map(nameOf).join(" ")} and ${endpoints.length - 10} more`;
}

/** The addresses of a simulation differ in their last numbers only. */
export function nameOf(endpoint: Endpoint): string {
  return addressOf(endpoint).replace(/^127\.0\.0\.1:/, ":");
}

export function secondsOf(atMs: Millis): string {
  return (atMs / 1000).toFixed(3).padStart(9);
}

/** Enough of an id to tell it from others. */
function idOf(id: bigint): string {
  return (id >> 40n).toString(16).padStart(6, "0");
}
