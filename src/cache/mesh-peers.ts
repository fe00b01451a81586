// The other members, as the cache reaches them through the mesh: Node members by a stream for each, Rust members by
// the crate's own call. Who owns what follows the newest cut.

import { type Client, type Cut, client, type Member, type Mesh } from "../index.ts";
import { Exchange } from "./exchange.ts";
import { failureOf, OwnerFailed, sourceFailedAt } from "./failures.ts";
import { expiryIn, type Held } from "./held.ts";
import { bytesOf, type Key } from "./key.ts";
import { type LayoutMismatch, LayoutWatch } from "./layout-watch.ts";
import type { Peers } from "./peers.ts";
import { extensionOf, type Placement, type PlacementChoice, placementIn, servingIn } from "./placement.ts";
import type { AddressLayout } from "./rust-ring.ts";
import {
  type Answer,
  type CrateService,
  crateService,
  type ExtensionService,
  extensionService,
  KIND,
  type Kind,
  MEMBER_HEADER,
  OUTCOME,
} from "./wire.ts";

export interface MeshPeersOptions {
  readonly name: string;
  readonly placement: PlacementChoice;
  readonly rustLayout: AddressLayout;
  /** For how long after a view change former owners are asked; 0: never. */
  readonly handoffMs: number;
  /** Values that Rust members send may be kept for so long. */
  readonly livesMs: number | undefined;
  /** Rust members place keys by another layout than `rustLayout`. */
  readonly layoutMismatch: (mismatch: LayoutMismatch) => void;
}

/** A placement that was in force until a moment ago. */
interface Former {
  readonly placement: Placement;
  readonly until: number;
}

/** Of view changes in a row, so many are remembered, and so many former owners of one key asked. */
const FORMER_MAX = 8;
const FORMER_OWNERS_MAX = 2;

export class MeshPeers implements Peers {
  readonly self: string;
  readonly #options: MeshPeersOptions;
  readonly #mesh: Mesh;
  readonly #nodes: Client<ExtensionService>;
  readonly #rust: Client<CrateService>;
  readonly #exchanges = new Map<string, Exchange>();
  readonly #layoutWatch: LayoutWatch;
  #cut: Cut | undefined;
  /** Addresses of the Node members that serve this cache. */
  #nodesThere: ReadonlySet<string> = new Set();
  #placement: Placement | undefined;
  #former: readonly Former[] = [];
  #isLeaving = false;

  constructor(mesh: Mesh, options: MeshPeersOptions) {
    this.#mesh = mesh;
    this.self = mesh.localAddress;
    this.#options = options;
    this.#nodes = client(mesh, extensionService(options.name));
    this.#rust = client(mesh, crateService(options.name));
    const { name, rustLayout: layout, layoutMismatch: found } = options;
    this.#layoutWatch = new LayoutWatch({ name, layout, self: this.self, found });
    mesh.on("cut", () => this.#follow());
    mesh.once("leaving", () => {
      this.#isLeaving = true;
      for (const exchange of this.#exchanges.values()) exchange.close();
    });
    this.#follow();
  }

  get epoch(): Cut {
    return this.#mesh.cut;
  }

  /** As of the newest configuration; nothing while this member is in none. */
  get placement(): Placement | undefined {
    this.#follow();
    return this.#placement;
  }

  owners(key: Key): Iterable<string> {
    return this.placement?.owners(key) ?? [];
  }

  formerOwners(key: Key): readonly string[] {
    this.#follow();
    if (this.#former.length === 0) return [];
    const now = performance.now();
    this.#former = this.#former.filter(({ until }) => until > now);
    const found = new Set<string>();
    for (const { placement } of this.#former) {
      const [owner] = placement.owners(key);
      if (owner !== undefined && owner !== this.self && this.#isNode(owner)) found.add(owner);
      if (found.size === FORMER_OWNERS_MAX) break;
    }
    return [...found];
  }

  /** A Rust member at this IP asked for the key, since it takes this member for the owner. */
  askedByRust(key: Key, from: string): void {
    this.#follow();
    this.#layoutWatch.asked(key, from);
  }

  async get(address: string, key: Key, timeoutMs: number): Promise<Held> {
    if (this.#isNode(address)) return heldIn(await this.#ask(address, KIND.get, key, timeoutMs), address);
    try {
      const { buf } = await this.#rust.on(address).get({ key: bytesOf(key) }, { timeoutMs });
      return { bytes: buf, expiresAt: expiryIn(this.#options.livesMs) };
    } catch (error) {
      throw failureOf(address, error);
    }
  }

  async peek(address: string, key: Key, timeoutMs: number): Promise<Held | undefined> {
    const answer = await this.#ask(address, KIND.peek, key, timeoutMs);
    return answer.outcome === OUTCOME.absent ? undefined : heldIn(answer, address);
  }

  async forget(address: string, key: Key, timeoutMs: number): Promise<boolean> {
    if (!this.#isNode(address)) return false;
    const answer = await this.#ask(address, KIND.forget, key, timeoutMs);
    if (answer.outcome === OUTCOME.refused) throw new OwnerFailed(address, answer.reason);
    return true;
  }

  #ask(address: string, kind: Kind, key: Key, timeoutMs: number): Promise<Answer> {
    let exchange = this.#exchanges.get(address);
    if (exchange === undefined) {
      const methods = this.#nodes.on(address);
      exchange = new Exchange(address, methods.exchange, { [MEMBER_HEADER]: this.self });
      if (this.#isLeaving) exchange.close();
      this.#exchanges.set(address, exchange);
    }
    return exchange.ask(kind, key, timeoutMs);
  }

  #isNode(address: string): boolean {
    this.#follow();
    return this.#nodesThere.has(address);
  }

  /** A cut is in force before its event has come round. */
  #follow(): void {
    const { cut } = this.#mesh;
    if (cut === this.#cut) return;
    const { name, placement, rustLayout, handoffMs } = this.#options;
    const place = (members: readonly Member[]): Placement | undefined =>
      placementIn(members, name, placement, rustLayout);
    const before =
      this.#cut === undefined
        ? // One that has just joined owns what others owned a moment ago.
          place(cut.members.filter(({ address }) => address !== this.self))
        : this.#placement;
    if (before !== undefined && handoffMs > 0) {
      const former = { placement: before, until: performance.now() + handoffMs };
      this.#former = [former, ...this.#former].slice(0, FORMER_MAX);
    }
    this.#cut = cut;
    const nodes = cut.members.filter((member) => member.has(extensionOf(name)));
    this.#nodesThere = new Set(nodes.map(({ address }) => address));
    // One that was removed gets no answers: it is on its own until it is back.
    this.#placement = cut.degraded ? undefined : place(cut.members);
    const serving = servingIn(cut.members, name).map(({ address }) => address);
    this.#layoutWatch.follow(serving, this.#placement);
    for (const [address, exchange] of this.#exchanges) {
      if (cut.lookup(address) !== undefined) continue;
      exchange.close();
      this.#exchanges.delete(address);
    }
  }
}

function heldIn({ outcome, value, livesMs, reason, status }: Answer, address: string): Held {
  if (outcome === OUTCOME.value) return { bytes: value, expiresAt: expiryIn(livesMs) };
  if (outcome === OUTCOME.sourceFailed) throw sourceFailedAt(address, reason, status);
  throw new OwnerFailed(address, reason === "" ? "it answered something else than was asked" : reason);
}
