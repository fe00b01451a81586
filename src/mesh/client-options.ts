// What a user may set for a client, checked at once: the first thing that cannot work is named, with what is expected.

import { ByKey, type Key, LeastPending, type Policy, Prefer, Random, RoundRobin } from "./balance.ts";
import type { Member } from "./cut.ts";
import { invalid } from "./errors.ts";
import type { Mesh } from "./mesh.ts";

/** How calls are spread over members. */
export type Balance =
  /** Each in turn. */
  | "roundRobin"
  /** Any. */
  | "random"
  /** The one to which this process has the fewest calls under way. */
  | "leastPending"
  | KeyBalance
  | PreferBalance;

/**
 * Calls with equal keys go to one member, the owner of the key, for as long as it is there; every process of the
 * mesh computes the same owner. When members come or go, only keys of theirs change owners.
 */
export interface KeyBalance {
  readonly policy: "byKey";
  /**
   * The key of a request; `method` is its name. A call may also bring its key along, in its options: one with many
   * requests must.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the request of whichever method is called
  readonly key?: (request: any, method: string) => Key;
  /**
   * A member that has this many times its share of this process's calls under way, and 32 or more, passes calls on
   * to the key's next owner. At least 1; Infinity: never. Default 1.25.
   */
  readonly maxLoad?: number;
}

/** Members nearby first; farther ones where those are busy, do not answer, or are not there. */
export interface PreferBalance {
  readonly policy: "prefer";
  /** This process first, if it serves what is called. Default true. */
  readonly self?: boolean;
  /** A metadata key, as "zone": then those whose value for it equals this member's own. Default none. */
  readonly metadata?: string;
  /** Calls under way for each member of a tier, from which on the next tier gets calls too. Default 32. */
  readonly overflow?: number;
  /** How calls are spread over a tier. Default "roundRobin". */
  readonly within?: "roundRobin" | "random" | "leastPending";
}

export interface ClientOptions {
  /** Which of the members that serve this may be called. Asked once for each configuration. Default: all. */
  readonly where?: (member: Member) => boolean;
  /** How calls are spread over members. Default "roundRobin". */
  readonly balance?: Balance;
  /**
   * On how many other members a call is tried after the first. A call that reached no handler may be tried again
   * whatever it is; one that may have reached a handler only where it is idempotent. Default 3.
   */
  readonly retries?: number;
  /**
   * How many calls that may have reached a handler are made a second time, as a share of all calls; 0 to 1. What
   * reached nobody costs nobody anything and does not count. Default 0.2.
   */
  readonly retryBudget?: number;
  /**
   * Which methods may be run twice: all, none, or those with these names. Default: those that their protobuf
   * definition says are (`idempotency_level`).
   */
  readonly idempotent?: boolean | readonly string[];
  /**
   * Milliseconds without an answer after which an idempotent call with one request and one response is made at a
   * second member too; the first answer counts. More than 0. Default: never, but where the first member has stopped
   * to answer anybody.
   */
  readonly hedgeMs?: number;
  /** Milliseconds that a call with one response may take, retries included. Infinity: no limit. Default 10000. */
  readonly timeoutMs?: number;
  /** Wait, as long as the call may take, for a member that serves this, instead of failing. Default false. */
  readonly waitForMembers?: boolean;
  /**
   * How many members calls are spread over, as long as these answer. Where more serve, each process has others, so
   * that all have equally many callers. Of no effect where calls go by key. Infinity: all of them, which is better
   * where few processes call many. Default 100.
   */
  readonly subset?: number;
  /** Bytes of a request or a response at most; at most 67108864, which is also the default. */
  readonly maxMessageBytes?: number;
}

/** Options as a client goes by them. */
export interface CheckedClientOptions {
  readonly where: ((member: Member) => boolean) | undefined;
  readonly policy: Policy;
  readonly keyOf: ((request: unknown, method: string) => Key) | undefined;
  readonly isIdempotent: (method: { readonly name: string; readonly isIdempotent: boolean }) => boolean;
  readonly retries: number;
  readonly retryBudget: number;
  readonly hedgeMs: number | undefined;
  readonly timeoutMs: number;
  readonly waitForMembers: boolean;
  readonly subset: number;
  readonly maxMessageBytes: number;
}

const NAMES: Readonly<Record<keyof ClientOptions, true>> = {
  where: true,
  balance: true,
  retries: true,
  retryBudget: true,
  idempotent: true,
  hedgeMs: true,
  timeoutMs: true,
  waitForMembers: true,
  subset: true,
  maxMessageBytes: true,
};

const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

/** @throws BlipError BLIP_INVALID_OPTIONS */
export function checkClientOptions(
  mesh: Mesh,
  options: ClientOptions,
  methods: readonly string[],
): CheckedClientOptions {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  refuseUnknown("", options, NAMES);
  const { where, retries = 3, retryBudget = 0.2, hedgeMs, timeoutMs = 10_000 } = options;
  const { waitForMembers = false, subset = 100, maxMessageBytes = MESSAGE_BYTES_MAX } = options;
  if (where !== undefined && typeof where !== "function") throw invalid("where", "a function", where);
  check("retries", retries, "a whole number, 0 or more", (n) => Number.isInteger(n) && n >= 0);
  check("retryBudget", retryBudget, "a share, 0 to 1", (n) => n >= 0 && n <= 1);
  if (hedgeMs !== undefined)
    check("hedgeMs", hedgeMs, "milliseconds, more than 0", (n) => n > 0 && n < 2 ** 31);
  check("timeoutMs", timeoutMs, "milliseconds, more than 0", (n) => n > 0);
  if (typeof waitForMembers !== "boolean") throw invalid("waitForMembers", "true or false", waitForMembers);
  check(
    "subset",
    subset,
    "a whole number, 1 or more, or Infinity",
    (n) => n >= 1 && (n === Infinity || Number.isInteger(n)),
  );
  const isSize = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= MESSAGE_BYTES_MAX;
  check("maxMessageBytes", maxMessageBytes, `a whole number, at most ${MESSAGE_BYTES_MAX}`, isSize);
  const { policy, keyOf } = policyOf(mesh, options.balance === undefined ? "roundRobin" : options.balance);
  return {
    where,
    policy,
    keyOf,
    isIdempotent: checkIdempotent(options.idempotent, methods),
    retries,
    retryBudget,
    hedgeMs,
    timeoutMs,
    waitForMembers,
    subset: keyOf === undefined ? subset : Infinity,
    maxMessageBytes,
  };
}

function checkIdempotent(
  idempotent: unknown,
  methods: readonly string[],
): CheckedClientOptions["isIdempotent"] {
  if (idempotent === undefined) return (method) => method.isIdempotent;
  if (typeof idempotent === "boolean") return () => idempotent;
  if (!Array.isArray(idempotent)) throw invalid("idempotent", "true, false, or names of methods", idempotent);
  for (const [i, name] of idempotent.entries()) {
    if (!methods.includes(name)) throw invalid(`idempotent[${i}]`, `one of ${methods.join(", ")}`, name);
  }
  const names = new Set(idempotent);
  return ({ name }) => names.has(name);
}

const POLICIES = '"roundRobin", "random", "leastPending", or { policy: "byKey" | "prefer", … }';

function policyOf(mesh: Mesh, balance: Balance): Pick<CheckedClientOptions, "policy" | "keyOf"> {
  if (typeof balance === "string")
    return { policy: plainPolicy("balance", balance, POLICIES), keyOf: undefined };
  if (balance?.policy === "byKey") return byKey(balance);
  if (balance?.policy === "prefer") return { policy: prefer(mesh, balance), keyOf: undefined };
  const unknown = (balance as { readonly policy?: unknown } | null)?.policy;
  throw invalid("balance", POLICIES, typeof unknown === "string" ? unknown : balance);
}

export function plainPolicy(field: string, name: unknown, expected: string): Policy {
  if (name === "roundRobin") return new RoundRobin();
  if (name === "random") return new Random();
  if (name === "leastPending") return new LeastPending();
  throw invalid(field, expected, name);
}

function byKey(balance: KeyBalance): Pick<CheckedClientOptions, "policy" | "keyOf"> {
  refuseUnknown("balance.", balance, { policy: true, key: true, maxLoad: true });
  const { key, maxLoad = 1.25 } = balance;
  if (key !== undefined && typeof key !== "function") throw invalid("balance.key", "a function", key);
  check("balance.maxLoad", maxLoad, "a number, 1 or more", (n) => n >= 1);
  return { policy: new ByKey(maxLoad), keyOf: key ?? (() => undefined as never) };
}

function prefer(mesh: Mesh, balance: PreferBalance): Policy {
  refuseUnknown("balance.", balance, {
    policy: true,
    self: true,
    metadata: true,
    overflow: true,
    within: true,
  });
  const { self = true, metadata, overflow = 32, within = "roundRobin" } = balance;
  if (typeof self !== "boolean") throw invalid("balance.self", "true or false", self);
  if (metadata !== undefined && typeof metadata !== "string") {
    throw invalid("balance.metadata", "a key of the members' metadata", metadata);
  }
  check("balance.overflow", overflow, "a number of calls, 1 or more", (n) => n >= 1);
  const own = mesh.localAddress;
  const valueIn = (member: Member | undefined): string | undefined =>
    metadata === undefined ? undefined : member?.text(metadata);
  // A member's own metadata never changes, but while it is out of the configuration it cannot be looked up.
  let ownValue: string | undefined;
  const tierOf = (member: Member): number => {
    if (self && member.address === own) return 0;
    ownValue ??= valueIn(mesh.cut.lookup(own));
    return ownValue !== undefined && valueIn(member) === ownValue ? 1 : 2;
  };
  return new Prefer(
    tierOf,
    overflow,
    plainPolicy("balance.within", within, '"roundRobin", "random" or "leastPending"'),
  );
}

export function refuseUnknown(prefix: string, given: object, known: Readonly<Record<string, true>>): void {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name))
      throw invalid(`${prefix}${name}`, `one of ${Object.keys(known).join(", ")}`);
  }
}

function check(field: string, value: unknown, expected: string, isGood: (n: number) => boolean): void {
  if (typeof value !== "number" || !isGood(value)) throw invalid(field, expected, value);
}
