// Delays for messages that are told on: all copies of one message reach one receiver no sooner than was decided for both,
// whoever tells it on. Delaying single copies would delay nothing, since the others bring it.

import type { Millis } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Gossip } from "../../core/messages.ts";
import type { Letter } from "../call.ts";
import type { Fate } from "../network.ts";

/** How much later than usual this receiver hears this message; Infinity where it never does. */
export type DrawDelay = (gossip: Gossip, to: Endpoint) => Millis;

export class Lanes {
  readonly #now: () => Millis;
  readonly #draw: DrawDelay;
  readonly #opensAt = new WeakMap<Gossip, Map<Endpoint, Millis>>();

  constructor(now: () => Millis, draw: DrawDelay) {
    this.#now = now;
    this.#draw = draw;
  }

  fateOf({ to, request }: Letter): Fate {
    const gossip = request.kind === "broadcast" ? request.gossip : request;
    if (!isGossip(gossip)) return "pass";
    const now = this.#now();
    const lanes = this.#opensAt.get(gossip) ?? new Map<Endpoint, Millis>();
    this.#opensAt.set(gossip, lanes);
    let opensAt = lanes.get(to);
    if (opensAt === undefined) {
      opensAt = now + this.#draw(gossip, to);
      lanes.set(to, opensAt);
    }
    if (opensAt === Infinity) return "drop";
    return opensAt <= now ? "pass" : { delayMs: opensAt - now };
  }
}

const GOSSIP: ReadonlySet<string> = new Set<Gossip["kind"]>([
  "alerts",
  "fastAccepted",
  "prepare",
  "promise",
  "accept",
  "accepted",
]);

function isGossip(request: { readonly kind: string }): request is Gossip {
  return GOSSIP.has(request.kind);
}
