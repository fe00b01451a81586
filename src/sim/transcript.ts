// What happened, one line each, in words that somebody can read who was not there. The last lines are always kept, for
// the case that something breaks; all of them where they are wanted.

import type { Effect, Event, Millis } from "../core/doorway.ts";
import { addressOf, type Endpoint } from "../core/endpoint.ts";
import type { Gossip, Request } from "../core/messages.ts";

const TAIL_MAX = 400;

export interface Line {
  readonly atMs: Millis;
  /** Whose step it was; absent where it befell the world. */
  readonly who: string | undefined;
  readonly what: string;
}

export class Transcript {
  readonly #isWhole: boolean;
  readonly #lines: (Line | undefined)[] = [];
  #count = 0;

  constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  add(atMs: Millis, what: string, who?: string): void {
    const line = { atMs, who, what };
    if (this.#isWhole || this.#lines.length < TAIL_MAX) this.#lines.push(line);
    else this.#lines[this.#count % TAIL_MAX] = line;
    this.#count += 1;
  }

  /** The last of what happened, oldest first. */
  get lines(): readonly Line[] {
    if (this.#isWhole || this.#count <= TAIL_MAX) return this.#lines as Line[];
    const from = this.#count % TAIL_MAX;
    return [...this.#lines.slice(from), ...this.#lines.slice(0, from)] as Line[];
  }
}

/** What of a step is worth a line: what a member says of its own, takes, and notes. Probes and relays are not. */
export function tellStep(event: Event, effects: readonly Effect[]): readonly string[] {
  const lines: string[] = [];
  for (const effect of effects) {
    switch (effect.kind) {
      case "send":
        if (event.kind === "request" && event.request === effect.request) break;
        lines.push(`${tellRequest(effect.request)}${tellAudience(effect.request, effect.to)}`);
        break;
      case "call":
        if (effect.request.kind === "probe") break;
        lines.push(`${tellRequest(effect.request)}, asking ${nameOf(effect.to)}`);
        break;
      case "cut": {
        const { view, joined, kicked, degraded } = effect.cut;
        const came = joined.length > 0 ? `, +${namesOf(joined)}` : "";
        const went = kicked.length > 0 ? `, -${namesOf(kicked)}` : "";
        lines.push(
          `takes ${idOf(view.id)} of ${view.size}${came}${went}${degraded ? ", without itself" : ""}`,
        );
        break;
      }
      case "left":
        lines.push(`has left${effect.removed ? "" : " without being removed"}`);
        break;
      case "note":
        lines.push(`notes: ${effect.text}`);
        break;
    }
  }
  return lines;
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
    default:
      return tellGossip(request);
  }
}

function tellGossip(gossip: Gossip): string {
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
