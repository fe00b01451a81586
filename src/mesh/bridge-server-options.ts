// How a member's server treats connections and calls, as far as users may set it.

import {
  type ServerOptions as GrpcServerOptions,
  ServerInterceptingCall,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import { invalid } from "./errors.ts";

/** Limits and habits of the server that the protocol and the services share. */
export interface ServerOptions {
  /** Calls that one connection may have under way; more of them wait at the caller. Whole, 100 or more. Default 1000. */
  readonly maxStreams?: number;
  /** Bytes of the largest request. 1 MiB or more, since views of large meshes are large. Default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Milliseconds without a word after which a connection is asked whether it is there. Default: never asked. */
  readonly keepaliveMs?: number;
  /** Milliseconds that the answer to that may take, before the connection is given up. Default 20000. */
  readonly keepaliveTimeoutMs?: number;
  /**
   * Interceptors of \@grpc/grpc-js, for tracing and the like, the outermost first. They see the calls to services, not
   * those of the protocol. Default none.
   */
  readonly interceptors?: readonly ServerInterceptor[];
}

const NUMBERS = {
  maxStreams: { from: 100, option: "grpc.max_concurrent_streams" },
  maxMessageBytes: { from: 1024 * 1024, option: "grpc.max_receive_message_length" },
  keepaliveMs: { from: 1000, option: "grpc.keepalive_time_ms" },
  keepaliveTimeoutMs: { from: 100, option: "grpc.keepalive_timeout_ms" },
} as const;
const NAMES = [...Object.keys(NUMBERS), "interceptors"];
const MAX = 2 ** 31 - 1;

/** What of this grpc-js is told. @throws BlipError BLIP_INVALID_OPTIONS */
export function checkServer(given: unknown = {}): GrpcServerOptions {
  if (typeof given !== "object" || given === null) throw invalid("server", "an object", given);
  const named = given as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(named)) {
    if (!NAMES.includes(name)) throw invalid(`server.${name}`, `one of ${NAMES.join(", ")}`);
  }
  const options: Record<string, unknown> = {};
  for (const [name, { from, option }] of Object.entries(NUMBERS)) {
    const value = named[name];
    if (value === undefined) continue;
    if (!Number.isInteger(value) || Number(value) < from || Number(value) > MAX) {
      throw invalid(`server.${name}`, `a whole number from ${from} to ${MAX}`, value);
    }
    options[option] = value;
  }
  const { interceptors = [] } = named;
  if (!Array.isArray(interceptors) || interceptors.some((one) => typeof one !== "function")) {
    throw invalid("server.interceptors", "an array of functions", interceptors);
  }
  return { ...options, interceptors: interceptors.map(ofServices) };
}

/** The protocol is none of an interceptor's business, and one that is slow or broken must not take the member down. */
function ofServices(interceptor: ServerInterceptor): ServerInterceptor {
  return (method, call) =>
    /^\/blip\.(Membership|ext\.v1\.Peer)\//.test(method.path)
      ? new ServerInterceptingCall(call)
      : interceptor(method, call);
}
