// Who has been given which broadcast. In a flood everybody is told of everything about ten times and passes over nine
// of them; a network that leaves those out makes a mesh of thousands ten times cheaper to simulate.

import type { Endpoint } from "../core/endpoint.ts";
import type { Request } from "../core/messages.ts";
import { Marks } from "./marks.ts";
import type { Places } from "./places.ts";

export class KnownCopies {
  readonly #places: Places;
  readonly #given = new WeakMap<object, Marks>();

  constructor(places: Places) {
    this.#places = places;
  }

  /**
   * The numbers of the places that know of this broadcast; of anything else nobody does. Who says it first knows of it;
   * that need not be whom it names as its sender, since leavers speak for their observers.
   */
  of(request: Request, from: Endpoint): Marks | undefined {
    if (request.kind !== "broadcast") return undefined;
    let given = this.#given.get(request.gossip);
    if (given === undefined) {
      given = new Marks();
      given.add(this.#places.at(from).number);
      this.#given.set(request.gossip, given);
    }
    return given;
  }
}
