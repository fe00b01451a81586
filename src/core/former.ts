// Who we were before we gave a configuration up. Those who went on may have us as that member still: they let nobody else in
// at our address, and where too many gave up they cannot remove us either. They give their configuration to whoever asks as
// the member that it is, as they do to a joiner that lost the answer, and we go on as that one: also in the very configuration
// that we gave up, where our promises and votes hold as they did, since we said nothing meanwhile.

import type { Endpoint, NodeId } from "./endpoint.ts";
import type { Join, Reply } from "./messages.ts";
import type { Round } from "./round.ts";
import type { View } from "./view.ts";

export class Former {
  readonly uuid: NodeId;
  readonly #self: Endpoint;
  readonly #round: Round;

  /** `round` belongs to the configuration that we gave up. */
  constructor(self: Endpoint, uuid: NodeId, round: Round) {
    this.#self = self;
    this.uuid = uuid;
    this.#round = round;
  }

  /** "Is it me whom you have as a member, and where?" */
  get question(): Join {
    const { id: configuration } = this.#round.view;
    return { kind: "join", sender: this.#self, ring: 0, uuid: this.uuid, configuration, metadata: {} };
  }

  /**
   * Where we are that member still: further on, or where we were, unless what is decided there is beyond us: we would have to
   * give it up again at once, and again.
   */
  viewIn(reply: Reply): View | undefined {
    if (reply.kind !== "joined" || reply.view.id !== reply.configuration) return undefined;
    if (reply.view.id === this.#round.view.id) return this.#round.isIncomplete ? undefined : this.#round.view;
    return reply.view.hasAs(this.#self, this.uuid) && reply.view.isAfter(this.#round.view)
      ? reply.view
      : undefined;
  }

  /** All that we promised and voted for in this configuration, if it is the one that we gave up. */
  roundIn(view: View): Round | undefined {
    return view === this.#round.view ? this.#round : undefined;
  }
}
