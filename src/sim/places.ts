// The addresses to which a network delivers, numbered. A member tells the same audience of a thousand things, so what was
// looked up for it once is kept.

import type { Endpoint } from "../core/endpoint.ts";
import type { Host } from "./process.ts";

export interface Place {
  readonly endpoint: Endpoint;
  readonly number: number;
  /** What is at this address, as soon as something is. */
  host: Host | undefined;
}

export class Places {
  readonly #hosts: ReadonlyMap<Endpoint, Host>;
  readonly #places = new Map<Endpoint, Place>();
  readonly #audiences = new WeakMap<readonly Endpoint[], readonly Place[]>();

  constructor(hosts: ReadonlyMap<Endpoint, Host>) {
    this.#hosts = hosts;
  }

  at(endpoint: Endpoint): Place {
    let place = this.#places.get(endpoint);
    if (place === undefined) {
      place = { endpoint, number: this.#places.size, host: undefined };
      this.#places.set(endpoint, place);
    }
    return place;
  }

  of(audience: readonly Endpoint[]): readonly Place[] {
    let places = this.#audiences.get(audience);
    if (places === undefined) {
      places = audience.map((endpoint) => this.at(endpoint));
      this.#audiences.set(audience, places);
    }
    return places;
  }

  hostAt(place: Place): Host | undefined {
    place.host ??= this.#hosts.get(place.endpoint);
    return place.host;
  }
}
