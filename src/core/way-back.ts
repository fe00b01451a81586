// The way back into our own mesh that has gone on, where nobody gives us the evidence: those who have it are gone, or do
// not say that they have it. A member there gives its configuration to whoever is in it as the one that asks, as it does
// to a joiner that lost the answer. We believe it as a joiner does, and only where we would have to join anew otherwise.
// Rust members give it to nobody, but say whether they are where our own last vote leads, if it was decided. Where members
// only know a joiner as another one, who is not bound yet goes where more of them are (PITFALLS B3), also before that.

import type { Remedy } from "./conclusion.ts";
import type { ConfigurationCheck, Finding } from "./configuration-check.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import type { History } from "./history.ts";
import { claim, givenBy, inquiry, isHere } from "./inquiry.ts";
import type { Reply } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

/** "Is it us whom you have as a member, and where?" */
export interface ReturnCall {
  readonly kind: "return";
  /** "Are you there?" instead. */
  readonly awaited?: View | undefined;
  /** "Are you there?", asked of this one about where we may go aside to. */
  readonly aside?: { readonly view: View; readonly of: Endpoint };
}

/** How bound we are in our configuration. */
export interface Bonds {
  /** We have neither voted nor promised. */
  readonly isFree: boolean;
  /** Where our last vote leads, if it is decided. */
  readonly awaited: View | undefined;
}

/** What it looks like. */
type Circumstances = Pick<
  ConfigurationCheck,
  "elsewhere" | "locate" | "outweighs" | "suspectsStale" | "isMajorityHere"
>;

/** Asked at a time; any of them can tell. */
const ASKED_MAX = 4;
/** Times that we ask before we give up. */
const TIMES = 2;

export class WayBack {
  readonly #self: Endpoint;
  readonly #timeoutMs: Millis;
  readonly #check: Circumstances;
  readonly #history: Pick<History, "mayGoTo" | "turn" | "wasIn">;
  readonly #out: Pick<Outgoing<ReturnCall>, "call" | "countOpen" | "note">;
  #round: Bonds | undefined;
  /** Those who are no members here, or no more, and are somewhere else that has us as a member. */
  readonly #met = new Set<Endpoint>();
  /** Where we may go aside to, once it is known who is there. */
  #aside: View | undefined;
  #times = 0;

  constructor(
    { self, settings }: { readonly self: Endpoint; readonly settings: Settings },
    check: Circumstances,
    history: Pick<History, "mayGoTo" | "turn" | "wasIn">,
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
    this.#aside = undefined;
    this.#met.clear();
  }

  /** A Node member that is not in our configuration said where it is. In another one that has us, it can tell us the way. */
  met(node: Endpoint, finding: Finding): void {
    if (finding === "other" && this.#met.size < ASKED_MAX) this.#met.add(node);
  }

  /**
   * If we seem to be left behind, or in one of several places, or our vote may have been decided, asks those who are
   * elsewhere and have us as a member; false where that has been in vain, or there is nobody to ask.
   */
  seek(uuid: NodeId, view: View, round: Bonds): boolean {
    const { elsewhere, suspectsStale, isMajorityHere } = this.#check;
    const mayKnow = !view.isAllNode && !isMajorityHere && (round.isFree || round.awaited !== undefined);
    const { awaited } = view.isAllNode ? {} : round;
    // Before we seem to be left behind, only those who can tell us more than that they are elsewhere.
    const telling = suspectsStale
      ? [...this.#met, ...elsewhere]
      : elsewhere.filter((to) => view.isNode(to) || awaited);
    if (telling.length === 0 || !(suspectsStale || mayKnow)) return false;
    if (this.#out.countOpen("return") > 0) return true;
    if (suspectsStale && this.#times === TIMES) return false;
    if (suspectsStale) this.#times += 1;
    this.#round = round;
    this.#aside = undefined;
    const join = claim(this.#self, uuid, view.id);
    const givesItself = (to: Endpoint): boolean => view.isNode(to) || this.#met.has(to);
    telling.sort((a, b) => Number(givesItself(b)) - Number(givesItself(a)));
    for (const to of telling.slice(0, ASKED_MAX)) {
      const isThere = givesItself(to) ? undefined : awaited;
      const request = isThere ? inquiry(this.#self, isThere.id) : join;
      this.#out.call({ kind: "return", awaited: isThere }, to, request, this.#timeoutMs);
    }
    return true;
  }

  /** Where we are a member still, further on than in `view`, or beside it. */
  answered({ awaited, aside }: ReturnCall, reply: Reply, uuid: NodeId, view: View): Remedy | undefined {
    // Nobody is in that configuration unless what leads to it was decided.
    if (awaited !== undefined && isHere(reply)) return this.#go(awaited, {});
    if (aside !== undefined && isHere(reply)) this.#check.locate(aside.of, aside.view.id);
    const given = awaited === undefined && aside === undefined ? givenBy(reply) : undefined;
    if (given?.hasAs(this.#self, uuid)) {
      if (given.isAfter(view)) return this.#go(given, { isJump: true });
      if (given.isBeside(view)) this.#lookAside(given, view);
    }
    return this.#goAside(view);
  }

  /**
   * Finds out which of the Rust members are in this configuration, of the same members as ours. Nobody goes back, but once
   * where we were not bound and seem to be left behind: who goes where more seem to be may pass those who come from there.
   */
  #lookAside(other: View, view: View): void {
    const { suspectsStale } = this.#check;
    const mayGo = suspectsStale ? this.#history.mayGoTo(other.id) : !this.#history.wasIn(other.id);
    if (this.#aside !== undefined || !mayGo) return;
    this.#aside = other;
    for (const of of this.#check.elsewhere.filter((member) => !view.isNode(member))) {
      const request = inquiry(this.#self, other.id);
      this.#out.call({ kind: "return", aside: { view: other, of } }, of, request, this.#timeoutMs);
    }
  }

  /** Once all have answered. Who neither voted nor promised here decides nothing in both. */
  #goAside(view: View): Remedy | undefined {
    const other = this.#aside;
    if (other === undefined || this.#out.countOpen("return") > 0) return undefined;
    if (this.#round?.isFree !== true || !this.#check.outweighs(other.id)) return undefined;
    this.#out.note("info", "most members know another variant of a joiner; going where they are");
    this.#history.turn(view, other, true);
    return { kind: "go", steps: [{ view: other }] };
  }

  #go(view: View, how: { readonly isJump?: true }): Remedy {
    this.#out.note("info", "missed view changes that nobody proved; going where the others are");
    return { kind: "go", steps: [{ view }], ...how };
  }
}
