// `blip agent`: one member, until it is told to stop.

import type { AddressLayout } from "../cache/index.ts";
import {
  createMesh,
  isBlipError,
  type LeaveOptions,
  type Mesh,
  type MeshOptions,
  type MeshService,
} from "../index.ts";
import { jsonLine, shapeOfCut, textLine } from "./cut-line.ts";
import { type FlagSpec, type Flags, type Given, UsageError, wrong } from "./flags.ts";
import { logTo } from "./stderr-log.ts";
import type { Surroundings } from "./surroundings.ts";
import { TLS_FLAGS, tlsFlagOf, tlsOf, watchFiles } from "./tls-files.ts";

export const AGENT_FLAGS: readonly FlagSpec[] = [
  { name: "listen", value: "HOST:PORT", help: "where to listen; port 0: any (default 127.0.0.1:7946)" },
  { name: "advertise", value: "IP:PORT", help: "where others reach this member (default: where it listens)" },
  { name: "seed", value: "HOST:PORT", isList: true, help: "where members may be; none: found a new mesh" },
  { name: "meta", value: "KEY=VALUE", isList: true, help: "a fact about this member that all others see" },
  { name: "fault-timeout-ms", value: "N", help: "how often subjects are probed, and how long each may take" },
  { name: "fault-strikes", value: "N", help: "probes in a row that must fail before a subject is reported" },
  {
    name: "cut",
    value: "K,H,L",
    help: "observers, high and low marks; equal on all members (default 10,9,4)",
  },
  { name: "low-latency", help: "150 ms and 2 strikes, for short links" },
  {
    name: "leave-timeout-ms",
    value: "N",
    help: "how long leaving may take in all on SIGTERM (default 5000)",
  },
  {
    name: "notice-ms",
    value: "N",
    help: "be seen as not ready (grpc.health.v1) this long before leaving (default 0)",
  },
  { name: "json", help: "each view change as one line of JSON" },
  { name: "cache", value: "MAX_KEYS", help: "serve a cache for trying things out; see blip cache get" },
  {
    name: "rust-layout",
    value: "LAYOUT",
    help: "with --cache, how Rust members place keys: std-new, std-mid, std-old (default std-new)",
  },
  ...TLS_FLAGS,
  { name: "mutual", help: "callers must show a certificate that comes from --tls-ca" },
  { name: "mesh-name", value: "NAME", help: "the name of the mesh; no other is joined (default: no name)" },
];

/** How long what is still to be printed may take once the member has left. */
const LAST_LINES_MS = 1000;
const LEAVE_MS = 5000;

export async function agent(flags: Flags, around: Surroundings): Promise<number> {
  const { stop, warn } = around;
  let mesh: Mesh;
  const leaving = leaveOptionsOf(flags);
  const logger = logTo(warn);
  try {
    const services = await servicesOf(flags, () => joining);
    const joining = createMesh({ ...optionsOf(flags), services, signal: stop, logger });
    mesh = await joining;
  } catch (error) {
    if (stop.aborted) return 0;
    return failed(error, flags, warn);
  }
  const unwatch = watchFiles(flags, around, (certificates) => mesh.replaceCertificates(certificates), logger);
  const printed = print(mesh, flags.has("json"), around);
  const ended = await Promise.race([stopped(stop), broken(mesh)]);
  unwatch();
  if (ended !== undefined) {
    warn(`blip: ${ended.message}`);
    return 1;
  }
  const isRemoved = await mesh.leave(leaving);
  if (!isRemoved) warn("blip: left before the others had removed this member; their probes will tell them");
  await Promise.race([printed, new Promise((resolve) => setTimeout(resolve, LAST_LINES_MS).unref())]);
  return 0;
}

async function print(mesh: Mesh, isJson: boolean, { line }: Surroundings): Promise<void> {
  for await (const cut of mesh.cuts()) {
    await line((isJson ? jsonLine : textLine)(shapeOfCut(cut), Date.now()));
  }
}

function stopped(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

function broken(mesh: Mesh): Promise<Error> {
  return new Promise((resolve) => {
    mesh.once("closed", (error) => {
      if (error !== undefined) resolve(error);
    });
  });
}

function failed(error: unknown, flags: Flags, warn: (line: string) => void): number {
  if (!isBlipError(error)) throw error;
  if (error.code !== "BLIP_INVALID_OPTIONS") {
    warn(`blip: ${error.message}`);
    return 1;
  }
  throw new UsageError(`${flagOf(error.field ?? "", flags)}: ${error.message}`);
}

/** The flag that set this option, with its value. */
function flagOf(field: string, flags: Flags): string {
  if (field.startsWith("tls.")) return tlsFlagOf(field, flags);
  const index = Number(/^\w+\[(\d+)\]/.exec(field)?.[1] ?? 0);
  const name = FLAG_OF_OPTION[/^\w*/.exec(field)![0]] ?? field;
  const given = name === "meta" ? metaAbout(field, flags) : flags.all(name)[index];
  return given === undefined ? `--${name}` : `${given.from} ${given.text}`;
}

const FLAG_OF_OPTION: Readonly<Record<string, string>> = {
  listen: "listen",
  advertise: "advertise",
  seeds: "seed",
  metadata: "meta",
  faultTimeoutMs: "fault-timeout-ms",
  faultStrikes: "fault-strikes",
  cutDetector: "cut",
  meshName: "mesh-name",
  rustLayout: "rust-layout",
};

function metaAbout(field: string, flags: Flags): Given | undefined {
  return flags.all("meta").find(({ text }) => field === `metadata[${JSON.stringify(text.split("=")[0])}]`);
}

function optionsOf(flags: Flags): MeshOptions {
  const listen = flags.one("listen")?.text;
  const advertise = flags.one("advertise")?.text;
  const faultTimeoutMs = flags.number("fault-timeout-ms", "whole milliseconds");
  const faultStrikes = flags.number("fault-strikes", "a whole number");
  const cutDetector = cutDetectorOf(flags.one("cut"));
  const tls = tlsOf(flags);
  const meshName = flags.one("mesh-name")?.text;
  return {
    ...(listen !== undefined && { listen }),
    ...(advertise !== undefined && { advertise }),
    seeds: flags.all("seed").map(({ text }) => text),
    metadata: metadataOf(flags.all("meta")),
    ...(faultTimeoutMs !== undefined && { faultTimeoutMs }),
    ...(faultStrikes !== undefined && { faultStrikes }),
    ...(cutDetector !== undefined && { cutDetector }),
    ...(tls !== undefined && { tls }),
    ...(meshName !== undefined && { meshName }),
    ...(flags.has("low-latency") && { preset: "lowLatency" as const }),
  };
}

/** What is given as notice comes on top, unless all of the time is given too. */
function leaveOptionsOf(flags: Flags): LeaveOptions {
  const noticeMs = flags.number("notice-ms", "whole milliseconds") ?? 0;
  const timeoutMs = flags.number("leave-timeout-ms", "whole milliseconds") ?? LEAVE_MS + noticeMs;
  if (noticeMs >= timeoutMs) {
    throw wrong(flags.one("notice-ms")!, `less than the time for leaving, which is ${timeoutMs} ms`);
  }
  return { noticeMs, timeoutMs };
}

async function servicesOf(flags: Flags, member: () => Promise<Mesh>): Promise<readonly MeshService[]> {
  const maxKeys = flags.number("cache", "a whole number of keys, 1 or more");
  const layout = flags.one("rust-layout");
  if (maxKeys === undefined) {
    if (layout !== undefined) throw wrong(layout, "--cache beside it");
    return [];
  }
  if (maxKeys === 0) throw wrong(flags.one("cache")!, "a whole number of keys, 1 or more");
  const { demonstrationCache } = await import("./cache-get.ts");
  const rustLayout = layout?.text as AddressLayout | undefined;
  return [demonstrationCache({ maxKeys, ...(rustLayout !== undefined && { rustLayout }) }, member)];
}

function metadataOf(pairs: readonly Given[]): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  for (const given of pairs) {
    const pair = /^([^=]+)=(.*)$/s.exec(given.text);
    if (pair === null) throw wrong(given, "KEY=VALUE");
    const [, key, value] = pair;
    if (Object.hasOwn(metadata, key!)) throw wrong(given, "each key only once");
    metadata[key!] = value!;
  }
  return metadata;
}

function cutDetectorOf(given: Given | undefined): MeshOptions["cutDetector"] {
  if (given === undefined) return undefined;
  const numbers = /^(\d{1,6}),(\d{1,6}),(\d{1,6})$/.exec(given.text);
  if (numbers === null) throw wrong(given, "K,H,L: three whole numbers, L <= H <= K");
  const [observers, high, low] = numbers.slice(1).map(Number);
  return { observers: observers!, high: high!, low: low! };
}
