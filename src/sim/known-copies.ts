// Who has been given which broadcast. In a flood everybody is told of everything about ten times and passes over nine
// of them; a network that leaves those out makes a mesh of thousands ten times cheaper to simulate.

import type { Endpoint } from "../core/endpoint.ts";
import type { Request } from "../core/messages.ts";

export class KnownCopies {
  readonly #given = new WeakMap<object, Set<Endpoint>>();

  has(request: Request, to: Endpoint): boolean {
    return request.kind === "broadcast" && this.#given.get(request.gossip)?.has(to) === true;
  }

  add(request: Request, to: Endpoint): void {
    if (request.kind !== "broadcast") return;
    const given = this.#given.get(request.gossip);
    if (given === undefined) this.#given.set(request.gossip, new Set([to, request.gossip.sender]));
    else given.add(to);
  }
}
