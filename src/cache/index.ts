// The public names of blip-mesh/cache.

export { Cache, type CacheEvents, type GetOptions } from "./cache.ts";
export { bytesCodec, type Codec, jsonCodec, textCodec } from "./codec.ts";
export type { Clients } from "./guests.ts";
export type { LayoutMismatch } from "./layout-watch.ts";
export type { LoadContext, Source } from "./loading.ts";
export type { OwnerFailure } from "./lookup.ts";
export type { BytesCacheOptions, CacheOptions, TypedCacheOptions } from "./options.ts";
export type { PlacementChoice } from "./placement.ts";
export type { AddressLayout } from "./rust-ring.ts";
export type { CacheStats } from "./stats.ts";
