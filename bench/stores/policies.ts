/** What decides which keys stay: this library's store, and what it might have been instead. */
import { SieveCache } from "@neophi/sieve-cache";
import { LRUCache } from "lru-cache";
import type { Key } from "../../src/cache/key.ts";
import { S3Fifo } from "../../src/cache/s3-fifo.ts";
import { TwoQueue } from "./two-queue.ts";

export interface Policy {
  /** Whether the key was there; it is there now, unless it was not let in. */
  access(key: string): boolean;
}

const VALUE = { bytes: new Uint8Array(0), expiresAt: Infinity };
const NOTE = { owner: 0, epoch: 0 };

export const policies: Readonly<Record<string, (keys: number) => Policy>> = {
  "S3-FIFO (ours)": (keys) => {
    const store = new S3Fifo({ keys });
    return {
      access(key) {
        if (store.get(key as Key) !== undefined) return true;
        store.set(key as Key, VALUE, NOTE);
        return false;
      },
    };
  },
  "2Q": (keys) => new TwoQueue(keys),
  // What groupcache has, and what is in wide use for Node.
  "LRU (lru-cache)": (max) => {
    const store = new LRUCache<string, object>({ max });
    return {
      access(key) {
        if (store.get(key) !== undefined) return true;
        store.set(key, VALUE);
        return false;
      },
    };
  },
  "SIEVE (@neophi)": (keys) => {
    const store = new SieveCache<string, object>(keys);
    return {
      access(key) {
        if (store.get(key) !== undefined) return true;
        store.set(key, VALUE);
        return false;
      },
    };
  },
};
