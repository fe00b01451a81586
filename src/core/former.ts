// Who we were before we gave a configuration up. Those who went on may have us as that member still: they let nobody else in
// at our address, and where too many gave up they cannot remove us either. They give their configuration to whoever asks as
// the member that it is, as they do to a joiner that lost the answer, and we go on as that one: also in the very configuration
// that we gave up, where our promises and votes hold as they did, since we said nothing meanwhile.

import type { Endpoint, NodeId } from "./endpoint.ts";
import type { History } from "./history.ts";
import { claim, givenBy } from "./inquiry.ts";
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

  get question(): Join {
    return claim(this.#self, this.uuid, this.#round.view.id);
  }

  /**
   * Where we are that member still: further on, or where we were, unless what is decided there is beyond us, or nothing can be
   * decided there any more: we would have to give it up again at once, and again. Among Rust members also where another turn
   * than ours led, if nothing that is decided where we were depends on us, since we neither voted nor promised there or nothing
   * can be decided, and if nothing binds us there, since we come for the first time or left it unbound.
   */
  viewIn(reply: Reply, history: Pick<History, "hasEnded" | "mayGoTo">): View | undefined {
    const view = givenBy(reply);
    const { view: left, isIncomplete, isFree } = this.#round;
    if (view?.id === left.id) return isIncomplete || history.hasEnded(left.id) ? undefined : left;
    if (view?.hasAs(this.#self, this.uuid) !== true) return undefined;
    const isUnbound = isFree || history.hasEnded(left.id);
    const mayGoAcross = isUnbound && !left.isAllNode && !left.isAfter(view) && history.mayGoTo(view.id);
    return view.isAfter(left) || mayGoAcross ? view : undefined;
  }

  /** All that we promised and voted for in this configuration, if it is the one that we gave up. */
  roundIn(view: View): Round | undefined {
    return view === this.#round.view ? this.#round : undefined;
  }
}
