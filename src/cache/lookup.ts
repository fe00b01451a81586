// How a value is found: in the own stores, at the owner of the key, or at the source. A request that another member
// sent is answered from the stores or from the source and never passed on, so that members which for a moment see
// different owners cannot send it round in circles, nor wait for each other.

import { BlipError } from "../mesh/errors.ts";
import { OwnerFailed } from "./failures.ts";
import type { Held, Kept } from "./held.ts";
import type { Key } from "./key.ts";
import { hashOf } from "./key-index.ts";
import { Loader, type LoaderOptions } from "./loading.ts";
import type { Peers } from "./peers.ts";
import { type Patience, SingleFlight, waitFor } from "./single-flight.ts";
import type { Stores } from "./stores.ts";

/** What to do where the owner of a key is dead or slow. */
export type OwnerFailure = "next" | "local" | "fail";

export interface LookupOptions extends Omit<LoaderOptions, "takeOver" | "keep"> {
  readonly stores: Stores;
  readonly peers: Peers;
  readonly ownerFailure: OwnerFailure;
  readonly ownerTimeoutMs: number;
  /** How long a former owner may take to say what it holds. */
  readonly handoffTimeoutMs: number;
  /** An owner did not do what it was asked. */
  readonly ownerFailed: (failure: OwnerFailed) => void;
}

/** So many owners are asked before a value is loaded here: one after the other dead is rare, and time is short. */
const OWNERS_MAX = 3;

/** The owner of keys that were found on no mesh. */
const ALONE = 0;

/** What a get came to. */
export interface Fetched extends Held {
  /** Nobody else has these bytes: whoever gets them may write to them. */
  readonly isSole: boolean;
}

export class Lookup {
  readonly loader: Loader;
  /** The others: of the mesh that the cache is on. */
  peers: Peers;
  readonly #options: LookupOptions;
  readonly #isWanted = (kept: Kept, key: Key): boolean => this.#isCurrent(key, kept);
  #lastEpoch: unknown;
  #epochs = 0;
  readonly #fetches = new SingleFlight<Fetched>();
  /** How often an owner was asked, how often that failed, and how many found their key being fetched. */
  asked = 0;
  askedInVain = 0;
  joined = 0;

  constructor(options: LookupOptions) {
    this.#options = options;
    this.peers = options.peers;
    this.loader = new Loader({
      ...options,
      takeOver: (key) => this.#takeOver(key),
      keep: (key, held) => this.#keep(key, held),
    });
  }

  /** What is here, unless the key has another owner by now: then that one is to be asked. */
  find(key: Key, hash?: number): Kept | undefined {
    return this.#options.stores.find(key, this.#isWanted, hash);
  }

  /** Who is asked for the key first; nobody while alone. */
  ownerOf(key: Key): string | undefined {
    return firstOf(this.peers.owners(key)) ?? this.peers.self;
  }

  /** For a caller in this process, who did not find it in the stores. @throws BlipError */
  async get(key: Key, patience: Patience): Promise<Fetched> {
    let fetch = this.#fetches.join(key);
    if (fetch === undefined) {
      fetch = this.#fetches.begin(key, (isCurrent) => this.#fetch(key, patience.deadline, isCurrent));
    } else this.joined += 1;
    const found = await waitFor(fetch.work, patience, "get");
    return fetch.isShared ? fetched(found, false) : found;
  }

  /** For another member. @throws BlipError */
  serve(key: Key): Held | Promise<Held> {
    return this.#options.stores.find(key) ?? this.loader.load(key);
  }

  /** For a member that owns the key now: what is here, or about to be. @throws BlipError */
  handOver(key: Key): Held | Promise<Held> | undefined {
    return this.#options.stores.peek(key) ?? this.loader.atSource(key);
  }

  /** Whether it was here. */
  forgetHere(key: Key): boolean {
    this.#fetches.forget(key);
    this.loader.forget(key);
    return this.#options.stores.forget(key);
  }

  /** Here and at the owner. False where the owner did not hear of it. */
  async forget(key: Key): Promise<boolean> {
    const { ownerTimeoutMs } = this.#options;
    this.forgetHere(key);
    const owner = firstOf(this.peers.owners(key));
    if (owner === undefined || owner === this.peers.self) return true;
    try {
      return await this.peers.forget(owner, key, ownerTimeoutMs);
    } catch (error) {
      if (!(error instanceof OwnerFailed)) throw error;
      this.#options.ownerFailed(error);
      return false;
    }
  }

  async #fetch(key: Key, deadline: number, isCurrent: () => boolean): Promise<Fetched> {
    const { ownerFailure } = this.#options;
    const tried = new Set<string>();
    const mayAsk = ownerFailure === "next" ? OWNERS_MAX : 1;
    for (;;) {
      // Anew each time, for the view may have changed meanwhile.
      const owner = firstOf(this.peers.owners(key), tried);
      if (owner === undefined || owner === this.peers.self || tried.size >= mayAsk)
        return fetched(await this.loader.load(key), false);
      try {
        this.asked += 1;
        const held = await this.peers.get(owner, key, this.#timeoutMs(deadline));
        if (isCurrent()) this.#keep(key, held);
        return fetched(held, true);
      } catch (error) {
        if (!(error instanceof OwnerFailed)) throw error;
        this.askedInVain += 1;
        this.#options.ownerFailed(error);
        if (ownerFailure === "fail") throw unreachable(error);
        tried.add(owner);
      }
    }
  }

  /** Half of the time that is left, so that there is some for whoever is asked next. */
  #timeoutMs(deadline: number): number {
    return Math.max(0, Math.min(this.#options.ownerTimeoutMs, (deadline - performance.now()) / 2));
  }

  /** Whatever goes wrong there, there is still the source. */
  async #takeOver(key: Key): Promise<Held | undefined> {
    const { handoffTimeoutMs } = this.#options;
    for (const address of this.peers.formerOwners(key)) {
      try {
        const held = await this.peers.peek(address, key, handoffTimeoutMs);
        if (held !== undefined) return held;
      } catch (error) {
        if (error instanceof OwnerFailed) this.#options.ownerFailed(error);
      }
    }
    return undefined;
  }

  #keep(key: Key, { bytes, expiresAt }: Held): void {
    const { stores } = this.#options;
    const owner = this.ownerOf(key);
    const note = { owner: nameOf(owner), epoch: this.#epoch() };
    stores.keep(key, { bytes, expiresAt }, note, owner === this.peers.self);
  }

  /** Looked at once for each configuration, by those who want it. */
  #isCurrent(key: Key, kept: Kept): boolean {
    const epoch = this.#epoch();
    if (kept.epoch === epoch) return true;
    const { stores } = this.#options;
    const owner = nameOf(this.ownerOf(key));
    // What was found while alone is as good as found by an owner.
    const self = nameOf(this.peers.self);
    const before = kept.owner === ALONE ? self : kept.owner;
    if (owner !== before && owner !== self) return false;
    // A copy of a key that has become ours: we may have stood in for the owner before it was known to be dead.
    if (owner !== before) stores.adopt(key, { owner, epoch });
    else stores.note(key, { owner, epoch });
    return true;
  }

  /** The number of the newest configuration. */
  #epoch(): number {
    const { epoch } = this.peers;
    if (epoch !== this.#lastEpoch) {
      this.#lastEpoch = epoch;
      this.#epochs = (this.#epochs + 1) | 0;
    }
    return this.#epochs;
  }
}

/** Addresses as stores note them. */
function nameOf(address: string | undefined): number {
  return address === undefined ? ALONE : hashOf(address);
}

function fetched({ bytes, expiresAt }: Held, isSole: boolean): Fetched {
  return { bytes, expiresAt, isSole };
}

function firstOf(owners: Iterable<string>, except?: ReadonlySet<string>): string | undefined {
  for (const owner of owners) if (!except?.has(owner)) return owner;
  return undefined;
}

function unreachable({ message, address, cause }: OwnerFailed): BlipError {
  return new BlipError("BLIP_UNREACHABLE", `the owner of the key failed: ${message}`, { address, cause });
}
