// Calling what members serve: methods as the service's definition has them, each call to a member that serves it.

import type { DescService } from "@bufbuild/protobuf";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { addressOf, parseEndpoint } from "../core/endpoint.ts";
import { Caller, type CallerOptions } from "./bridge-caller.ts";
import { definitionOf, type Method } from "./bridge-definition.ts";
import type { CallOptions, ClientMethods } from "./bridge-shapes.ts";
import type { Member } from "./cut.ts";
import { invalid } from "./errors.ts";
import type { Mesh } from "./mesh.ts";
import { type Balance, type Route, SingleRoute, SpreadRoute } from "./route.ts";

export interface ClientOptions {
  /** Which of the members that serve this may be called. Default: all. Asked once for each configuration. */
  readonly where?: (member: Member) => boolean;
  /** How calls are spread over members. Default "roundRobin". */
  readonly balance?: Balance;
  /**
   * On how many other members a call is tried that did not reach the first. A method that its definition says is
   * idempotent is also tried again when the connection broke. Default 3.
   */
  readonly retries?: number;
  /** How long a call with one request and one response may take, retries included. Default 10000. */
  readonly timeoutMs?: number;
  /** Wait, as long as the call may take, for a member that serves this, instead of failing. Default false. */
  readonly waitForMembers?: boolean;
}

/** The methods of a service, and how to choose whom they are called on. */
export type Client<D extends DescService | ServiceDefinition> = ClientMethods<D> & {
  /** The methods, on this member alone; a call that does not reach it fails. */
  on(member: Member | string): ClientMethods<D>;
  /** Every member that a call may go to now, with the methods on it. */
  all(): readonly (readonly [member: Member, methods: ClientMethods<D>])[];
};

const OWN_NAMES: ReadonlySet<string> = new Set(["on", "all", "then"]);

/**
 * A client of a service, by its protobuf-es descriptor or its ServiceDefinition of \@grpc/grpc-js. Calls fail with
 * BLIP_NO_MEMBERS, BLIP_UNREACHABLE, BLIP_CALL_FAILED, BLIP_TIMEOUT, BLIP_ABORTED or BLIP_CLOSED. A method with many
 * responses returns an async iterable, which calls when it is read; to leave its loop ends the call.
 *
 * @throws BlipError BLIP_INVALID_OPTIONS
 */
export function client<D extends DescService | ServiceDefinition>(
  mesh: Mesh,
  definition: D,
  options: ClientOptions = {},
): Client<D> {
  const { name, methods } = definitionOf(definition);
  const { where, balance = "roundRobin" } = options;
  const callerOptions = checked(options);
  const spread = new SpreadRoute(name, where, balance);
  const via = (route: Route): ClientMethods<D> => methodsOf(mesh, methods, route, callerOptions);
  const on = (member: Member | string): ClientMethods<D> => via(new SingleRoute(addressIn(member)));
  const all = (): Result<D> => spread.candidates(mesh.cut).map((member) => [member, on(member)] as const);
  return Object.assign(via(spread), { on, all });
}

type Result<D extends DescService | ServiceDefinition> = readonly (readonly [Member, ClientMethods<D>])[];

function methodsOf<D extends DescService | ServiceDefinition>(
  mesh: Mesh,
  methods: readonly Method[],
  route: Route,
  options: CallerOptions,
): ClientMethods<D> {
  const callable: Record<string, unknown> = Object.create(null);
  for (const method of methods) {
    const name = OWN_NAMES.has(method.name) ? `${method.name}$` : method.name;
    const caller = new Caller(mesh, method, route, options);
    callable[name] = (input: unknown, callOptions?: CallOptions) => caller.call(input, callOptions);
  }
  return callable as ClientMethods<D>;
}

function checked(options: ClientOptions): CallerOptions {
  const { where, retries = 3, timeoutMs = 10_000, waitForMembers = false } = options;
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) throw invalid(name, `one of ${NAMES.join(", ")}`);
  }
  if (where !== undefined && typeof where !== "function") throw invalid("where", "a function", where);
  if (!Number.isInteger(retries) || retries < 0)
    throw invalid("retries", "a whole number, 0 or more", retries);
  if (typeof timeoutMs !== "number" || !(timeoutMs > 0)) {
    throw invalid("timeoutMs", "milliseconds, more than 0", timeoutMs);
  }
  if (typeof waitForMembers !== "boolean") throw invalid("waitForMembers", "true or false", waitForMembers);
  return { retries, timeoutMs, waitForMembers };
}

const NAMES: readonly string[] = ["where", "balance", "retries", "timeoutMs", "waitForMembers"];

function addressIn(member: Member | string): string {
  if (typeof member !== "string") return member.address;
  const endpoint = parseEndpoint(member, false);
  if (endpoint === undefined) throw invalid("member", "a Member, or an address IP:port", member);
  return addressOf(endpoint);
}
