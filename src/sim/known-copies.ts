// Who has been given which broadcast. In a flood everybody is told of everything about ten times and passes over nine
// of them; a network that leaves those out makes a mesh of thousands ten times cheaper to simulate.

import type { Endpoint } from "../core/endpoint.ts";
import type { Request } from "../core/messages.ts";
import type { Mail } from "./call.ts";
import { Marks } from "./marks.ts";
import type { Places } from "./places.ts";

/** How far a broadcast has come. */
export interface Spread {
  /** The numbers of the places that know of it. */
  readonly given: Marks;
  /** In which it was sent last. */
  mail: Mail | undefined;
}

export class KnownCopies {
  readonly #places: Places;
  readonly #spreads = new WeakMap<object, Spread>();

  constructor(places: Places) {
    this.#places = places;
  }

  /**
   * Who knows of this broadcast; of anything else nobody does. Who says it first knows of it; that need not be whom it
   * names as its sender, since leavers speak for their observers.
   */
  of(request: Request, from: Endpoint): Spread | undefined {
    if (request.kind !== "broadcast") return undefined;
    let spread = this.#spreads.get(request.gossip);
    if (spread === undefined) {
      spread = { given: new Marks(), mail: undefined };
      spread.given.add(this.#places.at(from).number);
      this.#spreads.set(request.gossip, spread);
    }
    return spread;
  }
}
