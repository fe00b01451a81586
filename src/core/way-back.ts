// The way back into our own mesh that has gone on, where nobody gives us the evidence: those who have it are gone, or do
// not say that they have it. A member there gives its configuration to whoever is in it as the one that asks, as it does
// to a joiner that lost the answer. We believe it as a joiner does, and only where we would have to join anew otherwise.
// Rust members give it to nobody, but say whether they are where our own last vote leads, if it was decided.

import type { Remedy } from "./conclusion.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import { inquiry, isHere } from "./inquiry.ts";
import type { Join, Reply } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

/** "Is it us whom you have as a member, and where?" */
export interface ReturnCall {
  readonly kind: "return";
  /** "Are you there?" instead. */
  readonly awaited?: View | undefined;
}

/** How bound we are in our configuration. */
export interface Bonds {
  /** We have neither voted nor promised. */
  readonly isFree: boolean;
  /** Where our last vote leads, if it is decided. */
  readonly awaited: View | undefined;
}

/** Asked at a time; any of them can tell. */
const ASKED_MAX = 4;
/** Times that we ask before we give up. */
const TIMES = 2;

export class WayBack {
  readonly #self: Endpoint;
  readonly #timeoutMs: Millis;
  readonly #out: Pick<Outgoing<ReturnCall>, "call" | "countOpen" | "note">;
  #times = 0;

  constructor(
    self: Endpoint,
    { faultTimeoutMs }: Settings,
    out: Pick<Outgoing<ReturnCall>, "call" | "countOpen" | "note">,
  ) {
    this.#self = self;
    this.#timeoutMs = faultTimeoutMs;
    this.#out = out;
  }

  /** Another configuration begins. */
  follow(): void {
    this.#times = 0;
  }

  /** Asks these, who are elsewhere and have us as a member; false where that has been in vain, or there is nobody to ask. */
  seek(elsewhere: readonly Endpoint[], uuid: NodeId, view: View, round: Pick<Bonds, "awaited">): boolean {
    if (this.#out.countOpen("return") > 0) return true;
    if (this.#times === TIMES || elsewhere.length === 0) return false;
    this.#times += 1;
    const [self, configuration] = [this.#self, view.id];
    const join: Join = { kind: "join", sender: self, ring: 0, uuid, configuration, metadata: {} };
    const { awaited } = view.isAllNode ? {} : round;
    for (const to of elsewhere.slice(0, ASKED_MAX)) {
      const isThere = view.isNode(to) ? undefined : awaited;
      const request = isThere ? inquiry(self, isThere.id) : join;
      this.#out.call({ kind: "return", awaited: isThere }, to, request, this.#timeoutMs);
    }
    return true;
  }

  /** Where we are a member still, further on than in `view`. */
  answered({ awaited }: ReturnCall, reply: Reply, uuid: NodeId, view: View): Remedy | undefined {
    // Nobody is in that configuration unless what leads to it was decided.
    if (awaited !== undefined) return isHere(reply) ? this.#go(awaited, {}) : undefined;
    if (reply.kind !== "joined" || reply.view.id !== reply.configuration) return undefined;
    if (!reply.view.hasAs(this.#self, uuid) || !isLater(reply.view, view)) return undefined;
    return this.#go(reply.view, { isJump: true });
  }

  #go(view: View, how: { readonly isJump?: true }): Remedy {
    this.#out.note("info", "missed view changes that nobody proved; going where the others are");
    return { kind: "go", steps: [{ view }], ...how };
  }
}

/**
 * A later configuration of the same mesh: uuids are only ever added, and where none were, members are gone. One that we were
 * in is never later, so that nobody votes in it twice.
 */
function isLater(view: View, before: View): boolean {
  if (!before.uuids.every((uuid) => view.knows(uuid))) return false;
  if (view.uuids.length > before.uuids.length) return true;
  return view.size < before.size && view.members.every((member) => before.has(member));
}
