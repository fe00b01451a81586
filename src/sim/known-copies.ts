// Who has been given which broadcast. In a flood everybody is told of everything about ten times and passes over nine
// of them; a network that leaves those out makes a mesh of thousands ten times cheaper to simulate.

import type { Endpoint } from "../core/endpoint.ts";
import type { Request } from "../core/messages.ts";
import type { Mail } from "./call.ts";
import type { Places } from "./places.ts";

/** A broadcast. By its number it is marked at the places that know of it: a place mostly hears, and tells, much in a row. */
export interface Spread {
  readonly number: number;
  /** In which it was sent last. */
  mail: Mail | undefined;
}

export class KnownCopies {
  readonly #places: Places;
  readonly #spreads = new WeakMap<object, Spread>();
  #count = 0;

  constructor(places: Places) {
    this.#places = places;
  }

  /**
   * This broadcast; nobody keeps to whom anything else was given. Who says it first knows of it; that need not be whom it
   * names as its sender, since leavers speak for their observers.
   */
  of(request: Request, from: Endpoint): Spread | undefined {
    if (request.kind !== "broadcast") return undefined;
    let spread = this.#spreads.get(request.gossip);
    if (spread === undefined) {
      spread = { number: this.#count, mail: undefined };
      this.#count += 1;
      this.#places.at(from).known.add(spread.number);
      this.#spreads.set(request.gossip, spread);
    }
    return spread;
  }
}
