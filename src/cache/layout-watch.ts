// Do Rust members place keys by the layout that we go by? A Rust member asks for a key only whom it takes for the owner.
// So each of its questions rules out the layouts by which the key is not ours. Nothing is asked in order to find out: a
// Rust member that owned the key would load it from its users' source.

import type { Key } from "./key.ts";
import type { Placement } from "./placement.ts";
import { ADDRESS_LAYOUTS, type AddressLayout, RustRing } from "./rust-ring.ts";

/** Rust members that go by another layout. */
export interface LayoutMismatch {
  /** The IP that they call from. */
  readonly from: string;
  /** The layout by which they place keys: what `rustLayout` should be. */
  readonly layout: AddressLayout;
  readonly message: string;
}

export interface LayoutWatchOptions {
  readonly name: string;
  readonly layout: AddressLayout;
  /** The own address. */
  readonly self: string;
  readonly found: (mismatch: LayoutMismatch) => void;
}

/** Keys that are asked for and not ours: one may be chance, so many under one other layout are none. */
const DISPUTED_MIN = 5;
/** A member that is ahead of us is in another configuration only for as long. */
const SETTLING_MS = 2000;
/** One that lags is behind by so many configurations at most. */
const FORMER_MAX = 8;
const CALLERS_MAX = 64;

/** What the questions of one caller have shown in this configuration. */
interface Evidence {
  /** Keys that are not ours by our layout. */
  readonly disputed: Set<Key>;
  /** Other layouts by which all keys were ours that it asked for. Once there are none, there is nothing to be found. */
  possible: readonly AddressLayout[];
  verdict: NodeJS.Timeout | undefined;
}

export class LayoutWatch {
  readonly #options: LayoutWatchOptions;
  readonly #found = new Set<AddressLayout>();
  readonly #callers = new Map<string, Evidence>();
  readonly #rings = new Map<AddressLayout, Placement>();
  #addresses: readonly string[] = [];
  #placement: Placement | undefined;
  #former: readonly Placement[] = [];

  constructor(options: LayoutWatchOptions) {
    this.#options = options;
  }

  /** A new configuration; without a placement, nothing is watched in it. */
  follow(addresses: readonly string[], placement: Placement | undefined): void {
    if (this.#placement !== undefined) {
      this.#former = [this.#placement, ...this.#former].slice(0, FORMER_MAX);
    }
    for (const { verdict } of this.#callers.values()) clearTimeout(verdict);
    this.#callers.clear();
    this.#rings.clear();
    this.#addresses = addresses;
    this.#placement = placement?.kind === "blip" ? placement : undefined;
  }

  /** A Rust member that calls from this IP takes us for the owner of the key. */
  asked(key: Key, from: string): void {
    const placement = this.#placement;
    if (placement === undefined) return;
    let evidence = this.#callers.get(from);
    if (evidence === undefined) {
      if (this.#callers.size >= CALLERS_MAX) return;
      const possible = ADDRESS_LAYOUTS.filter((layout) => layout !== this.#options.layout);
      evidence = { disputed: new Set(), possible, verdict: undefined };
      this.#callers.set(from, evidence);
    }
    if (evidence.possible.length === 0) return;
    if (!this.#isOurs(placement, key)) {
      // It may not have heard yet that the key moved.
      if (this.#former.some((former) => this.#isOurs(former, key))) return;
      if (evidence.disputed.size < DISPUTED_MIN) evidence.disputed.add(key);
    }
    evidence.possible = evidence.possible.filter((layout) => this.#isOurs(this.#ringOf(layout), key));
    if (evidence.disputed.size < DISPUTED_MIN || evidence.possible.length !== 1) return;
    evidence.verdict ??= setTimeout(() => this.#judge(from, evidence), SETTLING_MS).unref();
  }

  #judge(from: string, { possible: [theirs] }: Evidence): void {
    if (theirs === undefined || this.#found.has(theirs)) return;
    this.#found.add(theirs);
    const { name, layout } = this.#options;
    const message =
      `${name}: a Rust member at ${from} was built with a compiler of ${JSON.stringify(theirs)}, and this member goes ` +
      `by ${JSON.stringify(layout)}, so that they see different owners of the same keys, and load them twice. Set ` +
      `rustLayout to ${JSON.stringify(theirs)} on all Node members.`;
    this.#options.found({ from, layout: theirs, message });
  }

  #isOurs(placement: Placement, key: Key): boolean {
    for (const owner of placement.owners(key)) return owner === this.#options.self;
    return false;
  }

  #ringOf(layout: AddressLayout): Placement {
    let ring = this.#rings.get(layout);
    if (ring === undefined) {
      ring = new RustRing(this.#addresses, layout);
      this.#rings.set(layout, ring);
    }
    return ring;
  }
}
