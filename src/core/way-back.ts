// The way back into our own mesh that has gone on, where nobody gives us the evidence: those who have it are gone, or do
// not say that they have it. A member there gives its configuration to whoever is in it as the one that asks, as it does
// to a joiner that lost the answer. We believe it as a joiner does, and only where we would have to join anew otherwise.
// Rust members give it to nobody, but say whether they are where our own last vote leads, if it was decided. Where members
// only know a joiner as another one, who is not bound yet goes where more of them are (PITFALLS B3).

import type { Remedy } from "./conclusion.ts";
import type { ConfigurationCheck } from "./configuration-check.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import type { History } from "./history.ts";
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
  readonly #check: Pick<ConfigurationCheck, "elsewhere" | "outweighs">;
  readonly #history: Pick<History, "isPast" | "turn">;
  readonly #out: Pick<Outgoing<ReturnCall>, "call" | "countOpen" | "note">;
  #round: Bonds | undefined;
  #times = 0;

  constructor(
    { self, settings }: { readonly self: Endpoint; readonly settings: Settings },
    check: Pick<ConfigurationCheck, "elsewhere" | "outweighs">,
    history: Pick<History, "isPast" | "turn">,
    out: Pick<Outgoing<ReturnCall>, "call" | "countOpen" | "note">,
  ) {
    this.#self = self;
    this.#timeoutMs = settings.faultTimeoutMs;
    this.#check = check;
    this.#history = history;
    this.#out = out;
  }

  /** Another configuration begins. */
  follow(): void {
    this.#times = 0;
    this.#round = undefined;
  }

  /** Asks those who are elsewhere and have us as a member; false where that has been in vain, or there is nobody to ask. */
  seek(uuid: NodeId, view: View, round: Bonds): boolean {
    const { elsewhere } = this.#check;
    if (this.#out.countOpen("return") > 0) return true;
    if (this.#times === TIMES || elsewhere.length === 0) return false;
    this.#times += 1;
    this.#round = round;
    const [self, configuration] = [this.#self, view.id];
    const join: Join = { kind: "join", sender: self, ring: 0, uuid, configuration, metadata: {} };
    const { awaited } = view.isAllNode ? {} : round;
    const telling = [...elsewhere].sort((a, b) => Number(view.isNode(b)) - Number(view.isNode(a)));
    for (const to of telling.slice(0, ASKED_MAX)) {
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
    if (!reply.view.hasAs(this.#self, uuid)) return undefined;
    if (isLater(reply.view, view)) return this.#go(reply.view, { isJump: true });
    return this.#isToGoAside(reply.view, view) ? this.#goAside(reply.view, view) : undefined;
  }

  /**
   * Most are there, in a configuration of the same members, one of which came as another one. Who neither voted nor promised
   * here decides nothing in both, and nobody goes back to where it was.
   */
  #isToGoAside(other: View, view: View): boolean {
    if (this.#round?.isFree !== true || this.#history.isPast(other.id)) return false;
    return isBeside(other, view) && this.#check.outweighs(other.id);
  }

  #goAside(other: View, view: View): Remedy {
    this.#out.note("info", "most members know another variant of a joiner; going where they are");
    this.#history.turn(view, other);
    return { kind: "go", steps: [{ view: other }] };
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

/** The same decisions led there, by which some members were let in as others than here. */
function isBeside(view: View, before: View): boolean {
  const areSame = view.members.join() === before.members.join() && view.uuids.length === before.uuids.length;
  return areSame && view.id !== before.id && !before.isAllNode;
}
