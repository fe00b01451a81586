// Calling what members serve: methods as the service's definition has them, each call to a member that serves it.

import type { DescService } from "@bufbuild/protobuf";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { addressOf, parseEndpoint } from "../core/endpoint.ts";
import { Caller } from "./bridge-caller.ts";
import { definitionOf, type Method } from "./bridge-definition.ts";
import type { CallOptions, ClientMethods, EveryoneMethods } from "./bridge-shapes.ts";
import { Candidates } from "./candidates.ts";
import { type CheckedClientOptions, type ClientOptions, checkClientOptions } from "./client-options.ts";
import type { Member } from "./cut.ts";
import { invalid } from "./errors.ts";
import { answersOf, type CallOne } from "./everyone.ts";
import type { Mesh } from "./mesh.ts";
import { RetryBudget } from "./retry-budget.ts";
import { type Route, SingleRoute, SpreadRoute } from "./route.ts";
import { callsOf, type UserCalls } from "./user-calls.ts";

/** The methods of a service, and how to choose whom they are called on. */
export type Client<D extends DescService | ServiceDefinition> = ClientMethods<D> & {
  /** The methods, on this member alone; a call that does not reach it fails. */
  on(member: Member | string): ClientMethods<D>;
  /** Every member that a call may go to now. */
  all(): Everyone<D>;
};

/**
 * Every member that serves, as of the newest configuration: to be gone through, each with the methods on it alone;
 * or to be called all at once, by the methods of this, which give each answer with its member as it comes.
 */
export type Everyone<D> = Iterable<readonly [member: Member, methods: ClientMethods<D>]> & EveryoneMethods<D>;

const OWN_NAMES: ReadonlySet<string> = new Set(["on", "all", "then"]);

/**
 * A client of a service, by its protobuf-es descriptor or its ServiceDefinition of \@grpc/grpc-js. Calls fail with
 * BLIP_NO_MEMBERS, BLIP_UNREACHABLE, BLIP_CALL_FAILED, BLIP_TIMEOUT, BLIP_ABORTED, BLIP_CLOSED, or, where the call's
 * own options, request or response cannot be, BLIP_INVALID_OPTIONS. A method with many responses returns an async
 * iterable, which calls when it is read; to leave its loop ends the call.
 *
 * @throws BlipError BLIP_INVALID_OPTIONS
 */
export function client<D extends DescService | ServiceDefinition>(
  mesh: Mesh,
  definition: D,
  options: ClientOptions = {},
): Client<D> {
  const calls = callsOf(mesh);
  if (calls === undefined) throw invalid("mesh", "what createMesh resolved with", mesh);
  const { name, methods } = definitionOf(definition);
  const names = methods.map((method) => method.name);
  const checked = checkClientOptions(mesh, options, names);
  const candidates = new Candidates(calls, { service: name, where: checked.where, subset: checked.subset });
  const budget = new RetryBudget(checked.retryBudget);
  const via = (route: Route): ClientMethods<D> =>
    methodsOf({ mesh, calls, methods, route, budget, options: checked }) as ClientMethods<D>;
  const on = (member: Member | string): ClientMethods<D> => via(new SingleRoute(calls, addressIn(member)));
  const everybody = (): readonly Member[] => candidates.all(mesh.cut).map(({ member }) => member);
  const all = (): Everyone<D> => everyone(methods, everybody, on as On) as Everyone<D>;
  const accepted = checked.where === undefined ? "" : " and is accepted by `where`";
  const who = `no member serves ${name}${accepted}; expected one that has service(${name}, …) among its services`;
  return Object.assign(via(new SpreadRoute(candidates, checked.policy, who)), { on, all });
}

type AnyMethod = (input: unknown, options?: CallOptions) => Promise<unknown> | AsyncIterable<unknown>;
type On = (member: Member) => Readonly<Record<string, AnyMethod>>;

interface Parts {
  readonly mesh: Mesh;
  readonly calls: UserCalls;
  readonly methods: readonly Method[];
  readonly route: Route;
  readonly budget: RetryBudget;
  readonly options: CheckedClientOptions;
}

function methodsOf({ methods, options, ...shared }: Parts): object {
  const { keyOf, timeoutMs, isIdempotent, ...rest } = options;
  const callable: Record<string, unknown> = Object.create(null);
  for (const method of methods) {
    const caller = new Caller(
      { ...shared, method, ...rest },
      {
        timeoutMs,
        isIdempotent: isIdempotent(method),
        keyOf: keyOf && ((request) => keyOf(request, method.name)),
      },
    );
    callable[callableName(method)] = (input: unknown, given?: CallOptions) => caller.call(input, given);
  }
  return callable;
}

function everyone(methods: readonly Method[], everybody: () => readonly Member[], on: On): object {
  const callable: Record<string, unknown> = Object.create(null);
  for (const method of methods) {
    if (method.requestStream) continue;
    const name = callableName(method);
    callable[name] = (input: unknown, options: CallOptions = {}) => {
      const calls = everybody().map((member) => {
        const call: CallOne = (signal) => on(member)[name]!(input, { ...options, signal });
        return [member, call] as const;
      });
      return answersOf(calls, options.signal);
    };
  }
  const each = function* (): Generator<unknown, void, undefined> {
    for (const member of everybody()) yield [member, on(member)] as const;
  };
  return Object.assign(callable, { [Symbol.iterator]: each });
}

function callableName({ name }: Method): string {
  return OWN_NAMES.has(name) ? `${name}$` : name;
}

function addressIn(member: Member | string): string {
  if (typeof member !== "string") return member.address;
  const endpoint = parseEndpoint(member, false);
  if (endpoint === undefined) throw invalid("member", "a Member, or an address IP:port", member);
  return addressOf(endpoint);
}
