// `blip members` and `blip watch`: what a member sees, asked from outside of the mesh.

import type { Endpoint } from "../core/endpoint.ts";
import { fetchConfiguration, PeerError, watchConfigurations } from "../grpc/index.ts";
import { parseHostPort, resolveAll } from "../mesh/address.ts";
import { jsonLine, memberLines, shapeOfConfiguration, textLine } from "./cut-line.ts";
import { type FlagSpec, type Flags, wrong } from "./flags.ts";
import type { Output } from "./output.ts";

export const INQUIRY_FLAGS: readonly FlagSpec[] = [
  { name: "at", value: "HOST:PORT", help: "the member to ask (default 127.0.0.1:7946)" },
  { name: "json", help: "as JSON, one line for each configuration" },
];

const DEFAULT_AT = "127.0.0.1:7946";

export async function members(flags: Flags, out: Output, warn: (line: string) => void): Promise<number> {
  return asking(flags, out, warn, async (at, signal) => {
    const shape = shapeOfConfiguration(await fetchConfiguration(at, { signal }));
    if (flags.has("json")) await out.line(jsonLine(shape, Date.now()));
    else for (const line of memberLines(shape)) await out.line(line);
  });
}

export async function watch(flags: Flags, out: Output, warn: (line: string) => void): Promise<number> {
  const line = flags.has("json") ? jsonLine : textLine;
  return asking(flags, out, warn, async (at, signal) => {
    for await (const configuration of watchConfigurations(at, { signal })) {
      await out.line(line(shapeOfConfiguration(configuration), Date.now()));
    }
  });
}

/** Asks until there is nothing more to tell, or somebody stops it; a member that does not tell is status 1. */
async function asking(
  flags: Flags,
  out: Output,
  warn: (line: string) => void,
  ask: (at: Endpoint, signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const given = flags.one("at") ?? { from: "--at", text: DEFAULT_AT };
  const hostPort = parseHostPort(given.text);
  if (hostPort === undefined || hostPort.port === 0) throw wrong(given, "HOST:PORT of a member");
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  out.closed.addEventListener("abort", () => stop.abort());
  try {
    const [at] = await resolveAll(hostPort);
    await ask(at!, stop.signal);
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    warn(`blip: ${why(error, given.text)}`);
    return 1;
  }
}

function why(error: unknown, at: string): string {
  if (!(error instanceof PeerError)) return `${at}: ${error instanceof Error ? error.message : error}`;
  switch (error.code) {
    case "unimplemented":
      return `${at} is a Rust member, or no member at all: it does not tell what it sees`;
    case "unavailable":
    case "deadline_exceeded":
      return `no member answers at ${at}: ${error.message}`;
    default:
      return `${at}: ${error.message}`;
  }
}
