// The addresses to which a network delivers, numbered. A member tells the same audience of a thousand things, so what was
// looked up for it once is kept.

import type { Endpoint } from "../core/endpoint.ts";
import { Marks } from "./marks.ts";
import type { Host } from "./process.ts";

export interface Place {
  readonly endpoint: Endpoint;
  readonly number: number;
  /** The numbers of the broadcasts that it has been given, where that is of interest. */
  readonly known: Marks;
  /** What is at this address, as soon as something is. */
  host: Host | undefined;
}

export class Places {
  readonly #hosts: ReadonlyMap<Endpoint, Host>;
  readonly #places = new Map<Endpoint, Place>();
  readonly #audiences = new WeakMap<readonly Endpoint[], readonly Place[]>();
  /** Who was looked up last: in a large mesh each member tells much in a row. */
  #lastEndpoints: readonly Endpoint[] | undefined;
  #lastAudience: readonly Place[] | undefined;

  constructor(hosts: ReadonlyMap<Endpoint, Host>) {
    this.#hosts = hosts;
  }

  at(endpoint: Endpoint): Place {
    let place = this.#places.get(endpoint);
    if (place === undefined) {
      place = { endpoint, number: this.#places.size, known: new Marks(), host: undefined };
      this.#places.set(endpoint, place);
    }
    return place;
  }

  /** Those who are told something. */
  of(endpoints: readonly Endpoint[]): readonly Place[] {
    if (this.#lastAudience !== undefined && this.#lastEndpoints === endpoints) return this.#lastAudience;
    let audience = this.#audiences.get(endpoints);
    if (audience === undefined) {
      audience = endpoints.map((endpoint) => this.at(endpoint));
      this.#audiences.set(endpoints, audience);
    }
    this.#lastEndpoints = endpoints;
    this.#lastAudience = audience;
    return audience;
  }

  hostAt(place: Place): Host | undefined {
    place.host ??= this.#hosts.get(place.endpoint);
    return place.host;
  }
}
