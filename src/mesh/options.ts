// What a user may set, checked at once: the first thing that cannot work is named, with its value and what is
// expected. Names that no option has are refused too, since a typing error would otherwise pass as a default.

import { addressOf, type Endpoint, ipOf, parseEndpoint, portOf } from "../core/endpoint.ts";
import type { Metadata } from "../core/messages.ts";
import {
  type CutDetectorSettings,
  DEFAULT_SETTINGS,
  faultIn,
  LOW_LATENCY,
  type Settings,
} from "../core/settings.ts";
import { endpointAt, type HostPort, isOfMany, isWildcard, parseHostPort } from "./address.ts";
import { checkServer, type ServerOptions } from "./bridge-server-options.ts";
import { BlipError, invalid } from "./errors.ts";
import { type Logger, quietLogger } from "./logger.ts";
import { type MetadataInit, metadataOf } from "./metadata.ts";
import { parseSeed, type Seeds } from "./seeds.ts";
import { checkServices, type MeshService } from "./service.ts";
import { type CheckedTls, checkTls, type TlsOptions } from "./tls-options.ts";

export interface MeshOptions {
  /**
   * Where to listen: "host:port" with an IPv4 address, an IPv6 address in brackets, or a name of this machine.
   * Port 0 takes any free one. Default "127.0.0.1:7946".
   */
  readonly listen?: string;
  /**
   * The "IP:port" by which the other members reach this one; it is this member's identity. Default: the address
   * listened on. Required where that is 0.0.0.0 or [::].
   */
  readonly advertise?: string;
  /**
   * Addresses of members that may already be there, as "host:port"; not all need to be. A seed is reached by TLS
   * where this member is; "tls://host:port" and "plain://host:port" say otherwise. Names are resolved to all
   * their addresses, anew at each attempt. Or a function that looks addresses up. Without seeds, or with an empty
   * list, this member founds a new mesh.
   */
  readonly seeds?: Seeds;
  /**
   * Facts about this member that all others see, unchanged while it is in the mesh. At most 1 MiB in all; keys
   * that start with "blip." are reserved. Default none.
   */
  readonly metadata?: MetadataInit;
  /**
   * The name of the mesh: printable ASCII without spaces, up to 64. A member joins none of another name, nor one
   * without. Rust members take part when their metadata has it under "blip.mesh". Default: no name.
   */
  readonly meshName?: string;
  /** What this member serves to others, on the same port. Default nothing. */
  readonly services?: readonly MeshService[];
  /** Limits and interceptors of the server. */
  readonly server?: ServerOptions;
  /**
   * Serve grpc.health.v1 on the same port: "readiness", "liveness", and each service by its name. Default true; with
   * a service of that name among `services`, that one is served.
   */
  readonly health?: boolean;
  /** Serve server reflection (v1 and v1alpha) on the same port, as grpcurl asks for it. Default true. */
  readonly reflection?: boolean;
  /** Certificates, and what to demand of others. Default: plaintext. */
  readonly tls?: TlsOptions;
  /** K, H and L; equal on all members. Default 10, 9, 4. */
  readonly cutDetector?: Partial<CutDetectorSettings>;
  /**
   * Milliseconds between two probes of each subject of this member, and how long an answer may take; whole, 10 to
   * 3600000. Where this process itself is short of CPU, others are given more time. Default 2000.
   */
  readonly faultTimeoutMs?: number;
  /** Probes in a row that must fail before a subject is reported; whole, 1 to 1000. Default 3. */
  readonly faultStrikes?: number;
  /** "lowLatency": 150 ms and 2 strikes, for short links. What is set beside it wins. Default: none. */
  readonly preset?: "lowLatency";
  /** Bounds start and join: when it is aborted before, `createMesh` cleans up and rejects. Default none. */
  readonly signal?: AbortSignal;
  /** Told what happens, as pino is: `(context, text)`. Default silence; NODE_DEBUG=blip prints it. */
  readonly logger?: Logger;
}

/** Options as the mesh goes by them. */
export interface CheckedOptions {
  readonly listen: HostPort;
  readonly advertise: Endpoint | undefined;
  /** `undefined`: found a new mesh. */
  readonly seeds: Seeds | undefined;
  readonly metadata: Metadata;
  readonly meshName: string | undefined;
  readonly services: readonly MeshService[];
  readonly server: ReturnType<typeof checkServer>;
  readonly health: boolean;
  readonly reflection: boolean;
  readonly tls: CheckedTls | undefined;
  readonly settings: Settings;
  readonly signal: AbortSignal | undefined;
  readonly logger: Logger;
}

const DEFAULT_LISTEN = "127.0.0.1:7946";

const NAMES: Readonly<Record<keyof MeshOptions, true>> = {
  listen: true,
  advertise: true,
  seeds: true,
  metadata: true,
  meshName: true,
  services: true,
  server: true,
  health: true,
  reflection: true,
  tls: true,
  cutDetector: true,
  faultTimeoutMs: true,
  faultStrikes: true,
  preset: true,
  signal: true,
  logger: true,
};

/** @throws BlipError BLIP_INVALID_OPTIONS */
export function checkOptions(options: MeshOptions): CheckedOptions {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(NAMES, name)) throw invalid(name, `one of ${Object.keys(NAMES).join(", ")}`);
  }
  const listen = checkListen(options.listen ?? DEFAULT_LISTEN);
  const services = checkServices(options.services ?? []);
  const tls = checkTls(options.tls);
  const meshName = checkMeshName(options.meshName);
  return {
    listen,
    advertise: checkAdvertise(options.advertise, listen, tls?.isServed === true),
    seeds: checkSeeds(options.seeds),
    metadata: metadataOf(options.metadata ?? {}, services, meshName),
    meshName,
    services,
    server: checkServer(options.server),
    health: checkFlag("health", options.health),
    reflection: checkFlag("reflection", options.reflection),
    tls,
    settings: checkSettings(options),
    signal: checkSignal(options.signal),
    logger: checkLogger(options.logger),
  };
}

/** Seeds that can only be this member itself lead nowhere; known for sure once the port is. */
export function refuseOwnSeeds(seeds: Seeds | undefined, own: ReadonlySet<Endpoint>): void {
  if (seeds === undefined || typeof seeds === "function") return;
  const itself = seeds.every((text) => {
    const seed = parseSeed(text, false);
    const endpoint = seed && endpointAt(seed);
    return endpoint !== undefined && [...own].some((self) => addressOf(self) === endpoint);
  });
  if (itself) throw invalid("seeds", "at least one address other than this member's own", seeds.join(","));
}

function refuseOfMany(field: string, host: string, form: "host:port" | "IP:port", text: unknown): void {
  if (isOfMany(host)) throw invalid(field, `${form} of one machine, not multicast or broadcast`, text);
}

function checkListen(text: unknown): HostPort {
  const listen = typeof text === "string" ? parseHostPort(text) : undefined;
  if (listen === undefined) throw invalid("listen", "host:port, as 127.0.0.1:7946 or [::1]:0", text);
  refuseOfMany("listen", listen.host, "host:port", text);
  return listen;
}

function checkFlag(field: string, flag: unknown = true): boolean {
  if (typeof flag === "boolean") return flag;
  throw invalid(field, "true or false", flag);
}

function checkMeshName(name: unknown): string | undefined {
  if (name === undefined || (typeof name === "string" && /^[\x21-\x7e]{1,64}$/.test(name))) return name;
  throw invalid("meshName", "1 to 64 printable ASCII characters without spaces", name);
}

function checkAdvertise(text: unknown, listen: HostPort, tls: boolean): Endpoint | undefined {
  const expected = "IP:port, with an address and a port at which others reach this member";
  if (text === undefined) {
    if (isWildcard(listen.host)) {
      throw invalid("advertise", `${expected}, since listen is ${listen.host}; none is given`);
    }
    return undefined;
  }
  const endpoint = typeof text === "string" && !text.includes("/") ? parseEndpoint(text, tls) : undefined;
  if (endpoint === undefined || portOf(endpoint) === 0 || isWildcard(ipOf(endpoint))) {
    throw invalid("advertise", expected, text);
  }
  refuseOfMany("advertise", ipOf(endpoint), "IP:port", text);
  return endpoint;
}

function checkSeeds(seeds: unknown): Seeds | undefined {
  if (seeds === undefined) return undefined;
  if (typeof seeds === "function") return seeds as Seeds;
  if (!Array.isArray(seeds)) throw invalid("seeds", "an array of host:port, or a function", seeds);
  for (const [i, text] of seeds.entries()) {
    const at = typeof text === "string" ? parseSeed(text, false) : undefined;
    if (at === undefined || at.port === 0 || isWildcard(at.host)) {
      throw invalid(`seeds[${i}]`, "host:port of another member", text);
    }
    refuseOfMany(`seeds[${i}]`, at.host, "host:port", text);
  }
  return seeds.length === 0 ? undefined : [...seeds];
}

function checkSettings(options: MeshOptions): Settings {
  const preset: unknown = options.preset;
  if (preset !== undefined && preset !== "lowLatency") throw invalid("preset", '"lowLatency"', preset);
  const cutDetector: unknown = options.cutDetector ?? {};
  if (typeof cutDetector !== "object" || cutDetector === null) {
    throw invalid("cutDetector", "an object of observers, high and low", cutDetector);
  }
  for (const name of Object.keys(cutDetector)) {
    if (!Object.hasOwn(DEFAULT_SETTINGS.cutDetector, name)) {
      throw invalid(`cutDetector.${name}`, "one of observers, high, low");
    }
  }
  const base = preset === undefined ? DEFAULT_SETTINGS : { ...DEFAULT_SETTINGS, ...LOW_LATENCY };
  const settings: Settings = {
    cutDetector: { ...base.cutDetector, ...cutDetector },
    faultTimeoutMs: options.faultTimeoutMs ?? base.faultTimeoutMs,
    faultStrikes: options.faultStrikes ?? base.faultStrikes,
  };
  const fault = faultIn(settings);
  if (fault !== undefined) {
    throw new BlipError("BLIP_INVALID_OPTIONS", fault, { field: fault.slice(0, fault.indexOf(":")) });
  }
  return settings;
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalid("signal", "an AbortSignal", signal);
  }
  return signal;
}

function checkLogger(logger: unknown): Logger {
  if (logger === undefined) return quietLogger;
  for (const level of ["debug", "info", "warn", "error"] as const) {
    if (typeof (logger as Partial<Logger> | null)?.[level] !== "function") {
      throw invalid("logger", `an object with a function ${level}(context, text)`, logger);
    }
  }
  return logger as Logger;
}
