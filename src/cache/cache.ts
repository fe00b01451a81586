// The cache as users hold it: values by their keys, from whoever in the mesh has them, or from the source.

import { EventEmitter } from "node:events";
import type { Mesh, MeshService } from "../index.ts";
import { aborted, invalid } from "../mesh/errors.ts";
import type { Codec } from "./codec.ts";
import { copyOf, keepable } from "./copies.ts";
import { type OwnerFailed, unreadable } from "./failures.ts";
import { Guests } from "./guests.ts";
import type { Kept } from "./held.ts";
import { type Key, keyOf } from "./key.ts";
import { hashOfAscii } from "./key-index.ts";
import type { LayoutMismatch } from "./layout-watch.ts";
import { Lookup } from "./lookup.ts";
import { MeshPeers } from "./mesh-peers.ts";
import { type CacheOptions, type CheckedOptions, checkOptions } from "./options.ts";
import { inTurn } from "./pacing.ts";
import type { Peers } from "./peers.ts";
import { extensionOf } from "./placement.ts";
import { serving } from "./serving.ts";
import type { CacheStats } from "./stats.ts";
import { Stores } from "./stores.ts";

export interface GetOptions {
  /** Ends this caller's wait when it is aborted; others who wait for the same key are not concerned. */
  readonly signal?: AbortSignal;
  /**
   * How long this call may take, in milliseconds. Default: the cache's, which `getMany` counts for each key from when it
   * is that key's turn. Infinity: no limit.
   */
  readonly timeoutMs?: number;
}

/** What a cache emits. */
export interface CacheEvents {
  /** A member did not do what it was asked as the owner of a key; somebody else was asked, or nobody was left. */
  ownerFailed: [failure: { readonly address: string; readonly reason: string }];
  /**
   * Rust members place keys by another layout than `rustLayout` says, so that keys are loaded twice; once for each
   * layout. Where nobody listens it becomes a warning of the process (BLIP_RUST_LAYOUT).
   */
  rustLayoutMismatch: [mismatch: LayoutMismatch];
}

const ALONE: Peers = {
  self: undefined,
  epoch: undefined,
  owners: () => [],
  formerOwners: () => [],
  get: () => Promise.reject(new Error("a cache without a mesh has no peers")),
  peek: () => Promise.resolve(undefined),
  forget: () => Promise.resolve(false),
};

/** A former owner that does not answer soon is worse than the source. */
const HANDOFF_TIMEOUT_MS = 1000;

/**
 * Values that never change, by their keys. On a mesh each key is loaded by the member that owns it, once, however
 * many members ask; so that together they hold more, and ask the source less, than each alone. A cache is passed to
 * `createMesh` as one of its `services`; without a mesh it works on its own.
 */
export class Cache<V = Uint8Array> extends EventEmitter<CacheEvents> implements MeshService {
  /** The full gRPC name. */
  readonly name: string;
  /** What this member says of its part of the cache. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #options: CheckedOptions<V>;
  readonly #codec: Codec<V>;
  readonly #stores: Stores;
  readonly #lookup: Lookup;
  readonly #guests: Guests;
  #meshPeers: MeshPeers | undefined;
  #gets = 0;
  #served = 0;

  /** @throws BlipError BLIP_INVALID_OPTIONS */
  constructor(options: CacheOptions<V>) {
    super();
    const checked = checkOptions(options);
    const { name, load, loadTimeoutMs, maxLoads, placement, clients } = checked;
    this.#options = checked;
    this.#codec = checked.codec;
    this.name = name;
    this.metadata = { [extensionOf(name)]: placement };
    this.#stores = new Stores(checked.limit);
    this.#guests = new Guests(name, clients);
    this.#lookup = new Lookup({
      ...checked,
      stores: this.#stores,
      peers: ALONE,
      source: load,
      timeoutMs: loadTimeoutMs,
      loadsMax: maxLoads,
      handoffTimeoutMs: HANDOFF_TIMEOUT_MS,
      ownerFailed: (failure) => this.#ownerFailed(failure),
    });
  }

  /**
   * The value of a key: from here, from the member that owns the key, or from the source. A text stands for its UTF-8.
   *
   * @throws BlipError BLIP_SOURCE_FAILED, BLIP_TIMEOUT, BLIP_ABORTED, BLIP_OVERLOADED, BLIP_INVALID_OPTIONS for a key
   * that cannot be one, and BLIP_UNREACHABLE where `ownerFailure` is "fail".
   */
  get(key: string | Uint8Array, options?: GetOptions): Promise<V> {
    this.#gets += 1;
    try {
      const hash = typeof key === "string" ? hashOfAscii(key) : undefined;
      const isOwnKey = hash !== undefined && key.length <= this.#options.maxKeyBytes;
      const id = isOwnKey ? (key as Key) : this.#keyOf(key);
      if (options !== undefined) checkGet(options);
      const found = this.#lookup.find(id, hash);
      if (found !== undefined) return Promise.resolve(this.#shown(id, found));
      return this.#getElsewhere(id, options?.signal, this.#deadlineIn(options?.timeoutMs));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The values of many keys, in the order of the keys. Those with the same owner travel together, one way and back; where
   * they are more than 256 for one owner, the others follow as answers come. Fails as soon as one of them fails, and asks
   * for no more then; `Promise.allSettled` over `get` travels just as well and tells of each, but all at once.
   *
   * @throws as `get`; for a key that cannot be one, before any is asked for.
   */
  async getMany(keys: Iterable<string | Uint8Array>, options?: GetOptions): Promise<V[]> {
    // A text is iterable, and so are bytes; but whoever passes one means one key, and not each of its letters.
    const isOne = typeof keys === "string" || keys instanceof Uint8Array;
    if (isOne || typeof keys?.[Symbol.iterator] !== "function") {
      throw invalid("keys", "an iterable of keys, each a text or a Uint8Array", keys);
    }
    const ids = Array.from(keys, (key) => this.#keyOf(key));
    if (options !== undefined) checkGet(options);
    this.#gets += ids.length;
    const deadline = options?.timeoutMs === undefined ? undefined : this.#deadlineIn(options.timeoutMs);
    const values: V[] = new Array(ids.length);
    const takeFound = (i: number): boolean => {
      const found = this.#lookup.find(ids[i]!);
      if (found !== undefined) values[i] = this.#shown(ids[i]!, found);
      return found !== undefined;
    };
    const ownerOf = (i: number): string | undefined =>
      takeFound(i) ? undefined : (this.#lookup.ownerOf(ids[i]!) ?? this.name);
    await inTurn(ids.length, ownerOf, async (i) => {
      // It may have come in while it waited for its turn.
      if (takeFound(i)) return;
      values[i] = await this.#getElsewhere(ids[i]!, options?.signal, deadline ?? this.#deadlineIn());
    });
    return values;
  }

  /** The value, where it is held here; nobody is asked. @throws BlipError BLIP_INVALID_OPTIONS */
  peek(key: string | Uint8Array): V | undefined {
    const id = this.#keyOf(key);
    const found = this.#stores.peek(id);
    return found && this.#shown(id, found);
  }

  /**
   * Forgets the value here and at the owner of the key, so that it is loaded anew. Copies that other members made of
   * a key in demand live until they are pushed out or expire. False where the owner could not be told: it is a Rust
   * member, or did not answer.
   *
   * @throws BlipError BLIP_INVALID_OPTIONS
   */
  async forget(key: string | Uint8Array): Promise<boolean> {
    return this.#lookup.forget(this.#keyOf(key));
  }

  /** What the cache has done since it was made, and what it holds now. */
  stats(): CacheStats {
    const { owned, hot, ownedHits, hotHits } = this.#stores;
    const lookup = this.#lookup;
    const { loader } = lookup;
    return {
      gets: this.#gets,
      served: this.#served,
      hits: ownedHits,
      hotHits,
      shared: lookup.joined + loader.joined,
      asked: lookup.asked,
      askedInVain: lookup.askedInVain,
      loads: loader.loads,
      loadsFailed: loader.failures,
      loadsUnderWay: loader.underWay,
      handedOver: loader.takenOver,
      evictions: owned.evictions + hot.evictions,
      expirations: owned.expirations + hot.expirations,
      keys: owned.size,
      hotKeys: hot.size,
      ...("bytes" in this.#options.limit ? { bytes: owned.bytes + hot.bytes } : {}),
      placement: this.#meshPeers?.placement?.kind,
    };
  }

  /** Called by `createMesh`. */
  register(server: Parameters<MeshService["register"]>[0]): void {
    serving({
      name: this.name,
      lookup: this.#lookup,
      guests: this.#guests,
      keyBytesMax: this.#options.maxKeyBytes,
      asked: () => {
        this.#served += 1;
      },
      askedByRust: (key, from) => this.#meshPeers?.askedByRust(key, from),
    }).register(server);
  }

  /** Called by `createMesh`. @throws BlipError BLIP_INVALID_OPTIONS where it is on a mesh already. */
  accept(mesh: Mesh): void {
    if (this.#meshPeers !== undefined)
      throw invalid("services", `a cache that is on no other mesh: ${this.name}`);
    const peers = new MeshPeers(mesh, {
      ...this.#options,
      layoutMismatch: (mismatch) => this.#layoutMismatch(mismatch),
    });
    this.#meshPeers = peers;
    this.#lookup.peers = peers;
    this.#guests.enter(mesh);
    mesh.once("closed", () => {
      // It goes on alone, and may be passed to another mesh.
      this.#meshPeers = undefined;
      this.#lookup.peers = ALONE;
      this.#guests.leave();
    });
  }

  /** Apart from hits, which are to cost no more than they must. */
  async #getElsewhere(id: Key, signal: AbortSignal | undefined, deadline: number): Promise<V> {
    const { bytes, isSole } = await this.#lookup.get(id, { signal, deadline });
    if (this.#codec.onlyReads) return this.#decoded(id, bytes);
    return this.#decoded(id, isSole ? keepable(bytes) : copyOf(bytes));
  }

  #deadlineIn(timeoutMs: number = this.#options.timeoutMs): number {
    return performance.now() + timeoutMs;
  }

  #keyOf(key: string | Uint8Array): Key {
    return keyOf(key, this.#options.maxKeyBytes);
  }

  #shown(key: Key, kept: Kept): V {
    return this.#decoded(key, this.#codec.onlyReads ? kept.bytes : kept.copy());
  }

  /** What cannot be read is not kept. */
  #decoded(key: Key, bytes: Uint8Array): V {
    try {
      return this.#codec.decode(bytes);
    } catch (cause) {
      this.#lookup.forgetHere(key);
      throw unreadable(cause);
    }
  }

  #ownerFailed({ address, message }: OwnerFailed): void {
    this.emit("ownerFailed", { address, reason: message });
  }

  #layoutMismatch(mismatch: LayoutMismatch): void {
    if (this.emit("rustLayoutMismatch", mismatch)) return;
    process.emitWarning(mismatch.message, { type: "BlipWarning", code: "BLIP_RUST_LAYOUT" });
  }
}

/** @throws BlipError BLIP_INVALID_OPTIONS, BLIP_ABORTED */
function checkGet(options: GetOptions): void {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options)) {
    if (name !== "signal" && name !== "timeoutMs") throw invalid(name, "one of signal, timeoutMs");
  }
  const { signal, timeoutMs } = options;
  if (timeoutMs !== undefined && (typeof timeoutMs !== "number" || !(timeoutMs >= 0))) {
    throw invalid("timeoutMs", "milliseconds, 0 or more", timeoutMs);
  }
  if (signal === undefined) return;
  if (!(signal instanceof AbortSignal)) throw invalid("signal", "an AbortSignal", signal);
  if (signal.aborted) throw aborted(signal, "get");
}
