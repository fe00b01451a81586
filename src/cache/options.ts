// What a cache may be told, checked at once: the first thing that cannot work is named, with its value and what is
// expected.

import { invalid } from "../mesh/errors.ts";
import { bytesCodec, type Codec } from "./codec.ts";
import type { Clients } from "./guests.ts";
import type { LoadContext, Source } from "./loading.ts";
import type { OwnerFailure } from "./lookup.ts";
import { PLACEMENT_CHOICES, type PlacementChoice } from "./placement.ts";
import { ADDRESS_LAYOUTS, type AddressLayout } from "./rust-ring.ts";
import type { Limit } from "./s3-fifo.ts";

interface Limits {
  /** Most keys of its own that this member holds; an eighth as many of others' come on top. Or: */
  readonly maxKeys?: number;
  /**
   * Most memory that this member holds in keys and values, those of others and bookkeeping included, in bytes; at least
   * 64 KiB. A ninth of it is for keys of others. A value that does not fit into its part is handed out and not kept.
   */
  readonly maxBytes?: number;
}

interface Common extends Limits {
  /**
   * The full gRPC name, by which members find each other's part of the cache. A mesh may have several caches, under
   * different names. Rust members know one, "blip.cache.Cache", which is the default.
   */
  readonly name?: string;
  /** How long a get may take, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
  /** How long the source may take for one key, before that counts as failed, in milliseconds. Default 30000. */
  readonly loadTimeoutMs?: number;
  /** How many keys may be loaded at the same time; who wants one more gets BLIP_OVERLOADED. Default 10000. */
  readonly maxLoads?: number;
  /**
   * Where the owner of a key is dead or slow: "next" asks the member that would own it next, and loads here in the
   * end; "local" loads here at once; "fail" fails. Default "next".
   */
  readonly ownerFailure?: OwnerFailure;
  /**
   * How long an owner may take, loading included, in milliseconds; but never more than half of the get's time. Default
   * 5000.
   */
  readonly ownerTimeoutMs?: number;
  /** How keys find their owners: see docs/cache.md. Default "auto". */
  readonly placement?: PlacementChoice;
  /** By what Rust members were compiled, for placement "blip". Default "std-new". */
  readonly rustLayout?: AddressLayout;
  /**
   * For how many milliseconds after a view change the new owner of a key asks the former one before the source. 0:
   * never. Default 60000.
   */
  readonly handoffMs?: number;
  /** Who may get values over the network. "anyone" lets `blip cache get` in. Default "members". */
  readonly clients?: Clients;
  /** Longest key, in bytes. Default 64 KiB; at most 16 MiB. */
  readonly maxKeyBytes?: number;
  /** Longest value, in bytes. Default 16 MiB; at most 32 MiB, for a value travels in one message. */
  readonly maxValueBytes?: number;
}

/** Options of a cache whose values are bytes. */
export interface BytesCacheOptions extends Common {
  readonly source: Source<Uint8Array>;
  readonly codec?: undefined;
  /** A hint of when a value is out of date: milliseconds, or a function of value and key. Default: never. */
  readonly expireAfterMs?: number | ((value: Uint8Array, key: Uint8Array) => number);
}

/** Options of a cache whose values are something else. */
export interface TypedCacheOptions<V> extends Common {
  readonly source: Source<NoInfer<V>>;
  readonly codec: Codec<V>;
  readonly expireAfterMs?: number | ((value: NoInfer<V>, key: Uint8Array) => number);
}

/** Exactly one of `maxKeys` and `maxBytes` has to be given. */
export type CacheOptions<V = Uint8Array> = BytesCacheOptions | TypedCacheOptions<V>;

/** Options as the cache goes by them. */
export interface CheckedOptions<V> extends Required<Omit<Common, keyof Limits>> {
  readonly limit: Limit;
  readonly load: (key: Uint8Array, context: LoadContext) => Promise<{ bytes: Uint8Array; livesMs: number }>;
  readonly codec: Codec<V>;
  /** Where the source does not say; for values that come from Rust members. */
  readonly livesMs: number | undefined;
}

const NAMES: readonly (keyof BytesCacheOptions)[] = [
  ...(["maxKeys", "maxBytes", "source", "codec", "name", "timeoutMs", "loadTimeoutMs", "maxLoads"] as const),
  ...(["ownerFailure", "ownerTimeoutMs", "placement", "rustLayout", "handoffMs", "clients"] as const),
  ...(["maxKeyBytes", "maxValueBytes", "expireAfterMs"] as const),
];
/** What one gRPC message may hold is twice as much. */
const VALUE_BYTES_MAX = 32 * 1024 * 1024;
const MIB = 1024 * 1024;
/** With less, pages and bookkeeping would be no small part of a store, and hardly a value would fit in. */
const BYTES_MIN = 64 * 1024;

/** @throws BlipError BLIP_INVALID_OPTIONS */
export function checkOptions<V>(options: CacheOptions<V>): CheckedOptions<V> {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name as keyof BytesCacheOptions)) throw invalid(name, `one of ${NAMES.join(", ")}`);
  }
  const codec = checkCodec(options.codec) as Codec<V>;
  const { source, expireAfterMs } = options;
  if (typeof source !== "function") throw invalid("source", "a function (key, { text, signal })", source);
  const maxValueBytes = whole("maxValueBytes", options.maxValueBytes ?? 16 * MIB, VALUE_BYTES_MAX);
  const livesMsOf = checkExpiry(expireAfterMs);
  return {
    limit: checkLimit(options),
    name: checkName(options.name ?? "blip.cache.Cache"),
    timeoutMs: duration("timeoutMs", options.timeoutMs ?? 10_000),
    loadTimeoutMs: duration("loadTimeoutMs", options.loadTimeoutMs ?? 30_000),
    maxLoads: whole("maxLoads", options.maxLoads ?? 10_000),
    ownerFailure: oneOf("ownerFailure", options.ownerFailure ?? "next", ["next", "local", "fail"]),
    ownerTimeoutMs: duration("ownerTimeoutMs", options.ownerTimeoutMs ?? 5000),
    placement: oneOf("placement", options.placement ?? "auto", PLACEMENT_CHOICES),
    rustLayout: oneOf("rustLayout", options.rustLayout ?? "std-new", ADDRESS_LAYOUTS),
    handoffMs: duration("handoffMs", options.handoffMs ?? 60_000, true),
    clients: oneOf("clients", options.clients ?? "members", ["members", "anyone"]),
    maxKeyBytes: whole("maxKeyBytes", options.maxKeyBytes ?? 64 * 1024, 16 * MIB),
    maxValueBytes,
    load: loaderOf(source as Source<V>, codec, maxValueBytes, livesMsOf),
    codec,
    livesMs: typeof expireAfterMs === "number" ? expireAfterMs : undefined,
  };
}

type LivesMsOf = (value: unknown, key: Uint8Array) => number;

function loaderOf<V>(
  source: Source<V>,
  codec: Codec<V>,
  bytesMax: number,
  livesMsOf: LivesMsOf,
): CheckedOptions<V>["load"] {
  return async (key, context) => {
    const value = await source(key, context);
    if (value === undefined || value === null) throw new TypeError(`it returned ${value} instead of a value`);
    const bytes: unknown = codec.encode(value);
    if (!(bytes instanceof Uint8Array)) {
      const type = typeof bytes;
      throw new TypeError(`a Uint8Array is expected, got ${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`);
    }
    if (bytes.length > bytesMax) {
      throw new RangeError(`a value has at most ${bytesMax} bytes (maxValueBytes), got ${bytes.length}`);
    }
    // A copy of its own: the source may go on writing, and a window would keep all that is around it.
    return { bytes: new Uint8Array(bytes), livesMs: livesMsOf(value, key) };
  };
}

function checkLimit({ maxKeys, maxBytes }: Limits): Limit {
  if ((maxKeys === undefined) === (maxBytes === undefined)) {
    const given = maxKeys === undefined ? "neither is" : "both are";
    throw invalid("maxKeys, maxBytes", `one of the two; ${given} given`);
  }
  if (maxKeys !== undefined) return { keys: whole("maxKeys", maxKeys) };
  if (Number.isSafeInteger(maxBytes) && Number(maxBytes) >= BYTES_MIN) return { bytes: Number(maxBytes) };
  throw invalid("maxBytes", `a whole number of bytes, ${BYTES_MIN} or more`, maxBytes);
}

function checkCodec(codec: unknown): Codec<unknown> {
  if (codec === undefined) return bytesCodec as Codec<unknown>;
  const { encode, decode } = (codec ?? {}) as Partial<Codec<unknown>>;
  if (typeof encode !== "function" || typeof decode !== "function") {
    throw invalid("codec", "an object with encode(value) and decode(bytes)", codec);
  }
  return codec as Codec<unknown>;
}

function checkExpiry(given: unknown): LivesMsOf {
  if (given === undefined) return () => Infinity;
  if (typeof given !== "function") {
    const livesMs = duration("expireAfterMs", given);
    return () => livesMs;
  }
  return (value, key) => {
    const livesMs: unknown = given(value, key);
    if (typeof livesMs === "number" && livesMs > 0) return livesMs;
    throw new TypeError(`expireAfterMs returns milliseconds, more than 0; got ${livesMs}`);
  };
}

function checkName(name: unknown): string {
  if (typeof name === "string" && /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name)) return name;
  throw invalid("name", 'a full gRPC name, as "my.package.Thumbnails"', name);
}

function whole(field: string, value: unknown, max: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= max) return Number(value);
  throw invalid(
    field,
    max < Number.MAX_SAFE_INTEGER ? `a whole number from 1 to ${max}` : "a whole number above 0",
    value,
  );
}

function duration(field: string, value: unknown, mayBeZero = false): number {
  if (typeof value === "number" && (value > 0 || (mayBeZero && value === 0))) return value;
  throw invalid(field, mayBeZero ? "milliseconds, 0 or more" : "milliseconds, more than 0", value);
}

function oneOf<T>(field: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw invalid(field, `one of ${allowed.map((one) => JSON.stringify(one)).join(", ")}`, value);
}
