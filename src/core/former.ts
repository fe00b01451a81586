// Who we were before we gave a configuration up. Those who went on may have us as that member still: they let nobody else in
// at our address, and where too many gave up they cannot remove us either. They give their configuration to whoever asks as
// the member that it is, as they do to a joiner that lost the answer, and we go on as that one.

import type { Endpoint, NodeId } from "./endpoint.ts";
import type { Join, Reply } from "./messages.ts";
import type { View } from "./view.ts";

export class Former {
  readonly uuid: NodeId;
  readonly #self: Endpoint;
  readonly #view: View;

  /** `view` is the one that we gave up: we may have voted in it, and do not go back there. */
  constructor(self: Endpoint, uuid: NodeId, view: View) {
    this.#self = self;
    this.uuid = uuid;
    this.#view = view;
  }

  /** "Is it me whom you have as a member, and where?" */
  get question(): Join {
    const { id: configuration } = this.#view;
    return { kind: "join", sender: this.#self, ring: 0, uuid: this.uuid, configuration, metadata: {} };
  }

  /** Where we are that member still, further on than we were. */
  viewIn(reply: Reply): View | undefined {
    if (reply.kind !== "joined" || reply.view.id !== reply.configuration) return undefined;
    return reply.view.hasAs(this.#self, this.uuid) && reply.view.isAfter(this.#view) ? reply.view : undefined;
  }
}
