// The two stores of a cache: one for the keys that this member owns, and a small one for those of others that are in
// demand here. So the keys of others never push out what nobody else in the mesh holds.

import type { Held, Kept, Note } from "./held.ts";
import type { Key } from "./key.ts";
import { hashOf } from "./key-index.ts";
import { type Limit, S3Fifo } from "./s3-fifo.ts";

/** Of what is held, one part in so many is for the keys of others. */
const HOT_PART = 8;

export class Stores {
  readonly owned: S3Fifo;
  readonly hot: S3Fifo;
  ownedHits = 0;
  hotHits = 0;

  constructor(limit: Limit) {
    if ("keys" in limit) {
      // As in the crate, the hot keys come on top.
      this.owned = new S3Fifo(limit);
      this.hot = new S3Fifo({ keys: Math.max(1, Math.floor(limit.keys / HOT_PART)) });
    } else {
      const hot = Math.floor(limit.bytes / (HOT_PART + 1));
      this.owned = new S3Fifo({ bytes: limit.bytes - hot });
      this.hot = new S3Fifo({ bytes: hot });
    }
  }

  /** @param hash of the key, from who has it already */
  find(key: Key, isWanted?: (held: Kept, key: Key) => boolean, hash: number = hashOf(key)): Kept | undefined {
    const owned = this.owned.get(key, hash);
    if (owned !== undefined && isWanted?.(owned, key) !== false) {
      this.ownedHits += 1;
      return owned;
    }
    const hot = this.hot.get(key, hash);
    if (hot === undefined || isWanted?.(hot, key) === false) return undefined;
    this.hotHits += 1;
    return hot;
  }

  /** Without counting it as a use. */
  peek(key: Key): Kept | undefined {
    return this.owned.peek(key) ?? this.hot.peek(key);
  }

  keep(key: Key, held: Held, note: Note, isOwn: boolean): void {
    if (isOwn) {
      this.hot.delete(key);
      this.owned.set(key, held, note);
    } else {
      this.owned.delete(key);
      this.hot.set(key, held, note);
    }
  }

  /** The key of another has become this member's own. */
  adopt(key: Key, note: Note): void {
    const copy = this.hot.peek(key);
    if (copy === undefined) this.owned.note(key, note);
    else this.keep(key, copy, note, true);
  }

  note(key: Key, note: Note): void {
    this.owned.note(key, note);
    this.hot.note(key, note);
  }

  forget(key: Key): boolean {
    const wasOwned = this.owned.delete(key);
    return this.hot.delete(key) || wasOwned;
  }
}
