// The two stores of a cache: one for the keys that this member owns, and a small one for those of others that are in
// demand here. So the keys of others never push out what nobody else in the mesh holds.

import type { Kept } from "./held.ts";
import type { Key } from "./key.ts";
import { S3Fifo } from "./s3-fifo.ts";

/** How much is held: so many keys, or so many bytes. */
export type Limit = { readonly keys: number } | { readonly bytes: number };

/** Of what is held, one part in so many is for the keys of others. */
const HOT_PART = 8;

/**
 * What an entry takes beside key and value: its record, its place in the map, the ArrayBuffer around the value, and its
 * share of the names that are remembered. About 480 bytes, as measured on Node 20 with values of 100 bytes.
 */
const ENTRY_BYTES = 512;

export class Stores {
  readonly owned: S3Fifo;
  readonly hot: S3Fifo;
  ownedHits = 0;
  hotHits = 0;

  constructor(limit: Limit) {
    if ("keys" in limit) {
      // As in the crate, the hot keys come on top.
      this.owned = new S3Fifo(limit.keys, () => 1);
      this.hot = new S3Fifo(Math.max(1, Math.floor(limit.keys / HOT_PART)), () => 1);
    } else {
      const hot = Math.floor(limit.bytes / (HOT_PART + 1));
      this.owned = new S3Fifo(limit.bytes - hot, bytesHeld);
      this.hot = new S3Fifo(hot, bytesHeld);
    }
  }

  find(key: Key, isWanted: (held: Kept) => boolean = () => true): Kept | undefined {
    const owned = this.owned.get(key);
    if (owned !== undefined && isWanted(owned)) {
      this.ownedHits += 1;
      return owned;
    }
    const hot = this.hot.get(key);
    if (hot === undefined || !isWanted(hot)) return undefined;
    this.hotHits += 1;
    return hot;
  }

  /** Without counting it as a use. */
  peek(key: Key): Kept | undefined {
    return this.owned.peek(key) ?? this.hot.peek(key);
  }

  keep(key: Key, held: Kept, isOwn: boolean): void {
    if (isOwn) {
      this.hot.delete(key);
      this.owned.set(key, held);
    } else {
      this.owned.delete(key);
      this.hot.set(key, held);
    }
  }

  forget(key: Key): boolean {
    const wasOwned = this.owned.delete(key);
    return this.hot.delete(key) || wasOwned;
  }
}

function bytesHeld(key: Key, { bytes }: Kept): number {
  return key.length + bytes.length + ENTRY_BYTES;
}
