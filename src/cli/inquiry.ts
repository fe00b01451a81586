// `blip members` and `blip watch`: what a member sees, asked from outside of the mesh.

import { addressOf, type Endpoint, parseEndpoint } from "../core/endpoint.ts";
import { fetchConfiguration, PeerError, type TlsIdentity, watchConfigurations } from "../grpc/index.ts";
import { parseHostPort, resolveAll } from "../mesh/address.ts";
import { jsonLine, memberLines, shapeOfConfiguration, textLine } from "./cut-line.ts";
import { type FlagSpec, type Flags, UsageError, wrong } from "./flags.ts";
import type { Surroundings } from "./surroundings.ts";
import { identityOf, TLS_FLAGS } from "./tls-files.ts";

export const INQUIRY_FLAGS: readonly FlagSpec[] = [
  { name: "at", value: "HOST:PORT", help: "the member to ask (default 127.0.0.1:7946)" },
  ...TLS_FLAGS,
  { name: "tls", help: "by TLS, with the authorities that Node knows, where no other TLS flag is given" },
  { name: "json", help: "as JSON, one line for each configuration" },
];

const DEFAULT_AT = "127.0.0.1:7946";

export async function members(flags: Flags, around: Surroundings): Promise<number> {
  return asking(flags, around, async (at, identity) => {
    const configuration = await fetchConfiguration(at, { signal: around.stop, identity });
    const shape = shapeOfConfiguration(configuration);
    if (flags.has("json")) await around.line(jsonLine(shape, Date.now()));
    else for (const line of memberLines(shape)) await around.line(line);
  });
}

export async function watch(flags: Flags, around: Surroundings): Promise<number> {
  const toLine = flags.has("json") ? jsonLine : textLine;
  return asking(flags, around, async (at, identity) => {
    for await (const configuration of watchConfigurations(at, { signal: around.stop, identity })) {
      await around.line(toLine(shapeOfConfiguration(configuration), Date.now()));
    }
  });
}

/** The same questions may be about something else than configurations. */
export const AT_FLAGS: readonly FlagSpec[] = INQUIRY_FLAGS.filter(({ name }) => name !== "json");

/** Asks until there is nothing more to tell, or somebody stops it; a member that does not tell is status 1. */
export async function asking(
  flags: Flags,
  { stop, warn }: Surroundings,
  ask: (at: Endpoint, identity: TlsIdentity | undefined) => Promise<void>,
): Promise<number> {
  const given = flags.one("at") ?? { from: "--at", text: DEFAULT_AT };
  const hostPort = parseHostPort(given.text);
  if (hostPort === undefined || hostPort.port === 0) throw wrong(given, "HOST:PORT of a member");
  const identity = identityOf(flags);
  const isTls = identity !== undefined || flags.has("tls");
  try {
    const [at] = await resolveAll(hostPort);
    await ask(parseEndpoint(addressOf(at!), isTls)!, identity);
    return 0;
  } catch (error) {
    if (stop.aborted) return 0;
    if (error instanceof UsageError) throw error;
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
