// Those who ask a Rust node to let them in (PROTOCOL §8). One call of each joiner waits; it is answered by the view that has
// the joiner, and by nothing else, however long that takes (PITFALLS B11).

import type { Token } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Join, PreJoin, Reply } from "../../core/messages.ts";
import { refuse } from "../../core/refusals.ts";
import type { Configuration } from "./configuration.ts";

export class Doors {
  readonly #self: Endpoint;
  readonly #waiting = new Map<Endpoint, Token>();

  constructor(self: Endpoint) {
    this.#self = self;
  }

  /** Answers also where it has no configuration, or one that is long over (PITFALLS A11). */
  contacts({ sender, uuid }: PreJoin, { view, id }: Configuration): Reply {
    if (view.has(sender)) return refuse.hostExists;
    if (view.knows(uuid)) return refuse.uuidExists;
    return {
      kind: "contacts",
      sender: this.#self,
      configuration: id,
      observers: view.observersOf(sender),
    };
  }

  /** Why this joiner is not vouched for, where it is not. */
  judge({ sender, uuid, ring, configuration }: Join, { view, id }: Configuration): Reply | undefined {
    if (configuration !== id) return refuse.wrongConfiguration;
    if (view.has(sender)) return refuse.hostExists;
    if (view.knows(uuid)) return refuse.uuidExists;
    return view.observersOf(sender)[ring] === this.#self ? undefined : refuse.invalidRing;
  }

  /** Lets this call wait, unless another one does. */
  wait(joiner: Endpoint, token: Token): Reply | undefined {
    if (this.#waiting.has(joiner)) return refuse.joinPending;
    this.#waiting.set(joiner, token);
    return undefined;
  }

  hangUp(token: Token): void {
    for (const [joiner, waiting] of this.#waiting) if (waiting === token) this.#waiting.delete(joiner);
  }

  /** The calls of those who are in now. */
  release(joined: readonly Endpoint[]): readonly Token[] {
    return joined.flatMap((joiner) => {
      const token = this.#waiting.get(joiner);
      this.#waiting.delete(joiner);
      return token === undefined ? [] : [token];
    });
  }
}
