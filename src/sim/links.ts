// Which way is open, and how much is lost on it.

import type { Endpoint } from "../core/endpoint.ts";
import type { Stream } from "./streams.ts";

export class Links {
  readonly #dice: Stream;
  readonly #conditions: { readonly loss: number };
  readonly #blocked = new Map<Endpoint, Set<Endpoint>>();
  readonly #lossTo = new Map<Endpoint, number>();
  readonly #lossFrom = new Map<Endpoint, number>();

  constructor(dice: Stream, conditions: { readonly loss: number }) {
    this.#dice = dice;
    this.#conditions = conditions;
  }

  /** Nothing gets from one to the other any more, in this direction. */
  block(from: Endpoint, to: Endpoint): void {
    const targets = this.#blocked.get(from) ?? new Set();
    this.#blocked.set(from, targets.add(to));
  }

  unblock(from: Endpoint, to: Endpoint): void {
    const targets = this.#blocked.get(from);
    if (targets?.delete(to) && targets.size === 0) this.#blocked.delete(from);
  }

  /** The share of all that comes to, and goes from, this address which is lost, beyond what is lost anyway. */
  setLoss(endpoint: Endpoint, { inbound = 0, outbound = 0 }: { inbound?: number; outbound?: number }): void {
    if (inbound > 0) this.#lossTo.set(endpoint, inbound);
    else this.#lossTo.delete(endpoint);
    if (outbound > 0) this.#lossFrom.set(endpoint, outbound);
    else this.#lossFrom.delete(endpoint);
  }

  /** Something of what comes to this address, or goes from it, is lost beyond what is lost anyway. */
  isTroubled(endpoint: Endpoint): boolean {
    const isLossy = this.#lossTo.has(endpoint) || this.#lossFrom.has(endpoint);
    return (
      isLossy ||
      this.#blocked.has(endpoint) ||
      [...this.#blocked.values()].some((targets) => targets.has(endpoint))
    );
  }

  clear(): void {
    this.#blocked.clear();
    this.#lossTo.clear();
    this.#lossFrom.clear();
  }

  /** Draws whether this message is lost. */
  isLost(from: Endpoint, to: Endpoint): boolean {
    if (this.#blocked.size > 0 && this.#blocked.get(from)?.has(to)) return true;
    const { loss } = this.#conditions;
    if (loss > 0 && this.#dice.chance(loss)) return true;
    if (this.#lossFrom.size > 0 && this.#dice.chance(this.#lossFrom.get(from) ?? 0)) return true;
    return this.#lossTo.size > 0 && this.#dice.chance(this.#lossTo.get(to) ?? 0);
  }
}
