// What a cache tells of itself: counts since it was made, and what it holds now.

export interface CacheStats {
  /** Calls of `get` in this process, and keys of `getMany`. */
  readonly gets: number;
  /** Questions of other members, and of guests. */
  readonly served: number;
  /** How many of both found a key of this member's own, or one of another's, held here. */
  readonly hits: number;
  readonly hotHits: number;
  /** How many found that the same key was being fetched or loaded already. */
  readonly shared: number;
  /** Questions to owners, and how many of those were not answered as they should be. */
  readonly asked: number;
  readonly askedInVain: number;
  /** Calls of the source, those that failed, and keys being loaded now. */
  readonly loads: number;
  readonly loadsFailed: number;
  readonly loadsUnderWay: number;
  /** Values that a former owner handed over, so that the source was spared. */
  readonly handedOver: number;
  /** Values that others pushed out, and that had come to their end. */
  readonly evictions: number;
  readonly expirations: number;
  /** Held now: keys of this member's own, and of others. */
  readonly keys: number;
  readonly hotKeys: number;
  /** Memory that is held; only where `maxBytes` is the limit. */
  readonly bytes?: number;
  /** How keys are placed now; nothing while the cache is on no mesh. */
  readonly placement: "blip" | "balanced" | undefined;
}
