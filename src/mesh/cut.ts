// What a user sees of a configuration. Cuts and members never change; what they hand out are copies, so that no
// user of one can disturb the protocol or another user.

import { addressOf, compareAddresses, type Endpoint, isTls, parseEndpoint } from "../core/endpoint.ts";
import { type Metadata, sameMetadata } from "../core/messages.ts";
import type { MemberRecord, View } from "../core/view.ts";

/** A member of the mesh, as the configuration records it. */
export class Member {
  /** "ip:port", IPv6 in brackets; the identity of the member together with `tls`. */
  readonly address: string;
  /** Whether the member expects TLS. */
  readonly tls: boolean;
  readonly #metadata: Metadata;
  #copy: Readonly<Record<string, Uint8Array>> | undefined;

  /** Members come from cuts. */
  constructor(endpoint: Endpoint, metadata: Metadata) {
    this.address = addressOf(endpoint);
    this.tls = isTls(endpoint);
    this.#metadata = metadata;
  }

  /** All that the member said of itself, reserved keys included; in the order of the keys, without a prototype. */
  get metadata(): Readonly<Record<string, Uint8Array>> {
    if (this.#copy === undefined) {
      const copy: Record<string, Uint8Array> = Object.create(null);
      for (const key of Object.keys(this.#metadata).sort()) copy[key] = this.#metadata[key]!.slice();
      this.#copy = Object.freeze(copy);
    }
    return this.#copy;
  }

  /** Whether the member's metadata has this key. */
  has(key: string): boolean {
    return Object.hasOwn(this.#metadata, key);
  }

  /** The value of this key read as UTF-8, or `undefined` where the member has no such key. */
  text(key: string): string | undefined {
    const value = this.has(key) ? this.#metadata[key] : undefined;
    return value && Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
  }
}

/** A configuration that all its members agree on, and how it differs from the one that the reader saw before. */
export class Cut {
  /** Names the configuration; the crate's `conf_id`. */
  readonly confId: bigint;
  /** "ip:port" of the member that tells this. */
  readonly localAddress: string;
  /** Everyone in the configuration, sorted by address: IPv4 first, then by bytes, then by port. */
  readonly members: readonly Member[];
  /** Who is new since the cut that this reader saw before; all, in the first one. Sorted by address. */
  readonly joined: readonly Member[];
  /** Who is gone since then. One that was replaced at its address is in both lists: gone first, then new. */
  readonly kicked: readonly Member[];
  /** This member is not in the configuration: it was removed. It joins again by itself, unless it leaves. */
  readonly degraded: boolean;
  /** View changes that this reader missed before this one, for it was slow. */
  readonly skipped: number;
  #byAddress: Map<string, Member> | undefined;

  /** Cuts come from a mesh. */
  constructor(fields: Omit<Cut, "lookup" | "withMeta">) {
    this.confId = fields.confId;
    this.localAddress = fields.localAddress;
    this.members = fields.members;
    this.joined = fields.joined;
    this.kicked = fields.kicked;
    this.degraded = fields.degraded;
    this.skipped = fields.skipped;
  }

  /** The member at this "ip:port", if there is one. */
  lookup(address: string): Member | undefined {
    this.#byAddress ??= new Map(this.members.toReversed().map((member) => [member.address, member]));
    const endpoint = parseEndpoint(address, false);
    return endpoint && this.#byAddress.get(addressOf(endpoint));
  }

  /** The members whose metadata has this key, each with the key's value. */
  withMeta(key: string): readonly (readonly [member: Member, value: Uint8Array])[] {
    return this.members
      .filter((member) => member.has(key))
      .map((member) => [member, member.metadata[key]!] as const);
  }
}

/** What a cut is made of: one configuration, as the core announced it. */
export interface Announced {
  readonly view: View;
  readonly degraded: boolean;
}

/** Makes the cuts of one mesh. A member that stays is the same object in each of them. */
export class CutMaker {
  readonly #localAddress: string;
  readonly #members = new WeakMap<MemberRecord, Member>();

  constructor(local: Endpoint) {
    this.#localAddress = addressOf(local);
  }

  /** The step from `before` (nothing, at first) to `now`. */
  make(now: Announced, before: View | undefined, skipped: number): Cut {
    const members = this.#membersOf(now.view, now.view.membersByAddress);
    return new Cut({
      confId: now.view.id,
      localAddress: this.#localAddress,
      members,
      joined: before === undefined ? members : this.#membersOf(now.view, missing(now.view, before)),
      kicked: before === undefined ? [] : this.#membersOf(before, missing(before, now.view)),
      degraded: now.degraded,
      skipped,
    });
  }

  #membersOf(view: View, endpoints: readonly Endpoint[]): readonly Member[] {
    return Object.freeze(
      endpoints.map((endpoint) => {
        const record = view.recordOf(endpoint)!;
        let member = this.#members.get(record);
        if (member === undefined) {
          member = new Member(endpoint, record.metadata);
          this.#members.set(record, member);
        }
        return member;
      }),
    );
  }
}

/** The members of `view` that are not members of `other`, or are there in another incarnation; by address. */
function missing(view: View, other: View): readonly Endpoint[] {
  return view.members
    .filter((endpoint) => {
      const there = other.recordOf(endpoint);
      return there === undefined || !sameIncarnation(view.recordOf(endpoint)!, there);
    })
    .sort(compareAddresses);
}

function sameIncarnation(a: MemberRecord, b: MemberRecord): boolean {
  if (a === b) return true;
  // Who was there before us is known without a uuid; then only the metadata can tell.
  if (a.uuid !== undefined && b.uuid !== undefined && a.uuid !== b.uuid) return false;
  return sameMetadata(a.metadata, b.metadata);
}
