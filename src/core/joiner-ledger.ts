// What observers said about those who want to join: uuid and metadata. A joiner that changed its uuid within one
// configuration is told of in variants; all members must pick the same one or their configuration ids part for ever
// (PITFALLS B3). Node members vote on that too. In a configuration with Rust members nobody can, so there the latest
// word of every ring is kept, and what most rings hold is the one to pick.

import type { Millis } from "./doorway.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import { advised, identified, identityOf } from "./identity.ts";
import { type Joiner, type Proposal, sameJoiner } from "./messages.ts";
import type { View } from "./view.ts";

/** How long no new variant may have come before a joiner with several is proposed. */
export const VARIANTS_SETTLE_MS = 500;
/** How long joiners that keep changing may hold a proposal back. */
const UNSETTLED_MAX_MS = 2000;
/** Joiners recorded in one configuration; more are not admitted before the next one. */
const JOINERS_MAX = 20_000;
/** Variants of one joiner that are remembered, the newest. */
const VARIANTS_MAX = 8;

interface Entry {
  /** Ring → the latest word of its observer. Insertion order is arrival order. */
  readonly byRing: Map<number, Joiner>;
  readonly variants: Joiner[];
  newestAt: Millis;
}

const MISSING_JOINER_MS = 2000;

/**
 * How long a decision may wait for the data of a joiner that it names (PITFALLS B1). Where all members are Node, one of
 * them will tell as soon as it can be reached; whoever gives up before that takes its vote away from the others.
 */
export function missingJoinerMs({ isAllNode }: View): Millis {
  return isAllNode ? Infinity : MISSING_JOINER_MS;
}

export class JoinerLedger {
  readonly #entries = new Map<Endpoint, Entry>();
  #waitUntil: Millis | undefined;

  /** False where there is no room for one more joiner. */
  record(node: Endpoint, ring: number, joiner: Joiner, now: Millis): boolean {
    let entry = this.#entries.get(node);
    if (entry === undefined) {
      if (this.#entries.size >= JOINERS_MAX) return false;
      entry = { byRing: new Map(), variants: [], newestAt: now };
      this.#entries.set(node, entry);
    }
    const known = entry.variants.find((variant) => sameJoiner(variant, joiner));
    entry.byRing.delete(ring);
    entry.byRing.set(ring, known ?? joiner);
    if (known !== undefined) return true;
    // Also one that no ring holds any more, for others may have applied it.
    if (entry.variants.length === VARIANTS_MAX) entry.variants.shift();
    entry.variants.push(joiner);
    entry.newestAt = now;
    return true;
  }

  /** The variant that most rings hold; of several, the one told last. */
  joinerOf(node: Endpoint): Joiner | undefined {
    const entry = this.#entries.get(node);
    if (entry === undefined) return undefined;
    const rings = new Map<Joiner, number>();
    let best: Joiner | undefined;
    for (const joiner of entry.byRing.values()) {
      const count = (rings.get(joiner) ?? 0) + 1;
      rings.set(joiner, count);
    }
    for (const joiner of entry.byRing.values()) {
      if (best === undefined || rings.get(joiner)! >= rings.get(best)!) best = joiner;
    }
    return best;
  }

  /** Whether this joiner, as most rings hold it, came by this uuid. */
  hasAs(node: Endpoint, uuid: NodeId): boolean {
    return this.joinerOf(node)?.uuid === uuid;
  }

  /** All that was told of this joiner, oldest first. */
  variantsOf(node: Endpoint): readonly Joiner[] {
    return this.#entries.get(node)?.variants ?? [];
  }

  /**
   * What of a proposal may be announced by now; where that is nothing, when to ask again. A joiner whose data keeps
   * changing, like a process that starts again and again, holds the others back for a while only.
   */
  settled(proposal: Proposal, now: Millis): { readonly value: Proposal; readonly againAt: Millis } {
    const settlesAt = Math.max(...proposal.map((node) => this.settledAt(node)));
    if (settlesAt <= now) return { value: proposal, againAt: Infinity };
    this.#waitUntil ??= now + UNSETTLED_MAX_MS;
    if (now < this.#waitUntil) return { value: [], againAt: Math.min(settlesAt, this.#waitUntil) };
    const value = proposal.filter((node) => this.settledAt(node) <= now);
    return { value, againAt: value.length > 0 ? Infinity : settlesAt };
  }

  /** From when on a proposal with this joiner may be announced. */
  settledAt(node: Endpoint): Millis {
    const entry = this.#entries.get(node);
    return entry === undefined || entry.variants.length < 2 ? -Infinity : entry.newestAt + VARIANTS_SETTLE_MS;
  }

  /** All that was told of these joiners, where any of them may be taken for another than it is taken for here. */
  contested(joiners: ReadonlyMap<Endpoint, Joiner>): ReadonlyMap<Endpoint, readonly Joiner[]> | undefined {
    const variants = new Map([...joiners.keys()].map((node) => [node, this.variantsOf(node)]));
    return [...variants.values()].some(({ length }) => length > 1) ? variants : undefined;
  }

  /** The value with its joiners as they are known here by now, where votes can say that. */
  identified(value: Proposal, view: View): Proposal {
    if (!view.isAllNode) return value;
    const joining = value.filter((node) => !view.has(node));
    return identified(
      value,
      joining.map((node) => identityOf(this.joinerOf(node)!)),
    );
  }

  /** The value with advice to take its joiners as they are known here, where nobody gave any and votes do not say it. */
  advised(value: Proposal, view: View): Proposal {
    if (view.isAllNode || value.advice !== undefined) return value;
    const joiners = this.resolve(value, view);
    return joiners === undefined ? value : advised(value, [...joiners.values()].map(identityOf));
  }

  /**
   * The joiners that a decision names, or `undefined` while one of them is not recorded here as it was decided, or as it
   * was advised to take it; who has waited for that for long takes it as it is known here.
   */
  resolve(decision: Proposal, view: View, isLate = false): ReadonlyMap<Endpoint, Joiner> | undefined {
    const identities = decision.identities ?? decision.advice;
    const joiners = new Map<Endpoint, Joiner>();
    for (const endpoint of decision) {
      if (view.has(endpoint)) continue;
      const identity = identities?.[joiners.size];
      const isFree = identity === undefined || (isLate && decision.identities === undefined);
      const named = this.variantsOf(endpoint).find((variant) => identityOf(variant) === identity);
      const joiner = named ?? (isFree ? this.joinerOf(endpoint) : undefined);
      if (joiner === undefined) return undefined;
      joiners.set(endpoint, joiner);
    }
    return joiners;
  }
}
