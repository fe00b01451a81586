// blip-mesh/grpc-js: for code that calls by generated stubs of @grpc/grpc-js. Targets "blip:package.Service" stand for
// the members of a mesh that serve this, and calls are spread over them as clients of the mesh spread theirs.

import type { ChannelOptions } from "@grpc/grpc-js";
import type { Member, Mesh } from "../index.ts";
import { BALANCER } from "./balancer.ts";
import { attach, checkStubOptions, STUB } from "./stub-options.ts";
import "./resolver.ts";

export interface StubOptions {
  /** Which of the members that serve this may be called. Asked once for each configuration. Default: all. */
  readonly where?: (member: Member) => boolean;
  /** How calls are spread over members. Default "roundRobin". */
  readonly balance?: "roundRobin" | "random" | "leastPending";
  /**
   * How many members the stub connects to, as long as these answer; each process has others. Infinity: all. Default
   * 100.
   */
  readonly subset?: number;
}

/**
 * Options for the channel of a stub whose target is "blip:package.Service":
 *
 * ```ts
 * new GreeterClient("blip:demo.Greeter", credentials.createInsecure(), meshChannelOptions(mesh));
 * ```
 *
 * The stub connects to every member that serves, and follows the configurations of the mesh; a member that is gone
 * is not called any more, but calls under way there end. Members that this process finds failing or silent are
 * avoided. grpc-js itself makes a call again that a leaving member refused. For more retries, add a service config
 * ("grpc.service_config") with a `retryPolicy` for idempotent methods, and `{ blip_mesh: {} }` as its
 * `loadBalancingConfig`.
 *
 * @throws BlipError BLIP_INVALID_OPTIONS
 */
export function meshChannelOptions(mesh: Mesh, options: StubOptions = {}): ChannelOptions {
  const stub = checkStubOptions(mesh, options);
  return {
    [STUB]: stub,
    // Made for the internet, grpc-js waits up to two minutes before it connects again.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5000,
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ [BALANCER]: {} }] }),
  };
}

/**
 * Makes this mesh the one that "blip:" targets without options of their own stand for, as where a framework makes the
 * stubs. The answer undoes it. A stub that was made before, or while no mesh is attached, fails its calls with
 * UNAVAILABLE.
 *
 * @throws BlipError BLIP_INVALID_OPTIONS
 */
export function attachMesh(mesh: Mesh, options: StubOptions = {}): () => void {
  return attach(checkStubOptions(mesh, options));
}
