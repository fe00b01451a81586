// What the channel of a stub goes by, and how it finds it: in its own options, or as the default of the process.

import type { ChannelOptions } from "@grpc/grpc-js";
import { experimental } from "@grpc/grpc-js";
import type { Member, Mesh } from "../index.ts";
import type { Policy } from "../mesh/balance.ts";
import { plainPolicy, refuseUnknown } from "../mesh/client-options.ts";
import { invalid } from "../mesh/errors.ts";
import { callsOf, type UserCalls } from "../mesh/user-calls.ts";

/** Channel options that begin so are not what connections are compared by. */
const OWN: string = experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX;
export const STUB: string = `${OWN}.blip_stub`;
/** By which the resolver tells the balancer whom it has found. */
export const FOUND: string = `${OWN}.blip_found`;

export interface CheckedStub {
  readonly mesh: Mesh;
  readonly calls: UserCalls;
  readonly where: ((member: Member) => boolean) | undefined;
  readonly makePolicy: () => Policy;
  readonly subset: number;
}

let byDefault: CheckedStub | undefined;

export function attach(stub: CheckedStub): () => void {
  byDefault = stub;
  return () => {
    if (byDefault === stub) byDefault = undefined;
  };
}

/** What was said for this channel, or else for all; `undefined` where neither was. */
export function stubOf(options: ChannelOptions): CheckedStub | undefined {
  return (options[STUB] as CheckedStub | undefined) ?? byDefault;
}

/** @throws BlipError BLIP_INVALID_OPTIONS */
export function checkStubOptions(
  mesh: Mesh,
  options: { readonly where?: unknown; readonly balance?: unknown; readonly subset?: unknown },
): CheckedStub {
  const calls = callsOf(mesh);
  if (calls === undefined) throw invalid("mesh", "what createMesh resolved with", mesh);
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  refuseUnknown("", options, { where: true, balance: true, subset: true });
  const { where, balance = "roundRobin", subset = 100 } = options;
  if (where !== undefined && typeof where !== "function") throw invalid("where", "a function", where);
  if (typeof subset !== "number" || !(subset >= 1 && (subset === Infinity || Number.isInteger(subset)))) {
    throw invalid("subset", "a whole number, 1 or more, or Infinity", subset);
  }
  const makePolicy = (): Policy =>
    plainPolicy("balance", balance, '"roundRobin", "random" or "leastPending"');
  makePolicy();
  return { mesh, calls, where: where as CheckedStub["where"], makePolicy, subset };
}
