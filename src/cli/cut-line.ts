// A view change as one line: for programs, to the letter what other implementations print too; or for people.

import { addressOf, isTls } from "../core/endpoint.ts";
import type { Configuration } from "../grpc/index.ts";
import type { Cut } from "../index.ts";

/** What is printed of a cut, wherever it comes from. */
export interface CutShape {
  readonly confId: bigint;
  readonly local: string;
  readonly degraded: boolean;
  readonly skipped: number;
  readonly members: readonly {
    readonly address: string;
    readonly tls: boolean;
    readonly metadata: Readonly<Record<string, Uint8Array>>;
  }[];
  readonly joined: readonly string[];
  readonly kicked: readonly string[];
}

export function shapeOfCut(cut: Cut): CutShape {
  const { confId, localAddress: local, degraded, skipped, members } = cut;
  const addresses = (of: Cut["members"]): string[] => of.map((member) => member.address);
  return {
    confId,
    local,
    degraded,
    skipped,
    members,
    joined: addresses(cut.joined),
    kicked: addresses(cut.kicked),
  };
}

export function shapeOfConfiguration(configuration: Configuration): CutShape {
  const { confId, local, degraded, skipped, members, joined, kicked } = configuration;
  return {
    confId,
    local: addressOf(local),
    degraded,
    skipped,
    members: members.map(({ endpoint, metadata }) => ({
      address: addressOf(endpoint),
      tls: isTls(endpoint),
      metadata,
    })),
    joined: joined.map(addressOf),
    kicked: kicked.map(addressOf),
  };
}

export function jsonLine(cut: CutShape, timeMs: number): string {
  return JSON.stringify({
    event: "cut",
    time: timeMs,
    // As text, since a JSON number holds no more than 53 bits for most readers.
    confId: cut.confId.toString(),
    local: cut.local,
    degraded: cut.degraded,
    skipped: cut.skipped,
    members: cut.members.map(({ address, tls, metadata }) => ({
      address,
      tls,
      metadata: readable(metadata),
    })),
    joined: cut.joined,
    kicked: cut.kicked,
  });
}

export function textLine(cut: CutShape, timeMs: number): string {
  const parts = [`${cut.members.length} ${cut.members.length === 1 ? "member" : "members"}`];
  if (cut.joined.length > 0) parts.push(`joined ${cut.joined.join(" ")}`);
  if (cut.kicked.length > 0) parts.push(`kicked ${cut.kicked.join(" ")}`);
  if (cut.degraded) parts.push("degraded: this member is not among them");
  if (cut.skipped > 0) parts.push(`${cut.skipped} view changes skipped`);
  return `${new Date(timeMs).toISOString()} ${cut.confId} ${parts.join(", ")}`;
}

/** One line for each member: its address, and what it says of itself. */
export function memberLines({ members }: CutShape): string[] {
  return members.map(({ address, tls, metadata }) => {
    const facts = Object.entries(readable(metadata)).map(([key, value]) => {
      const text = typeof value === "string" ? value : `base64:${value.base64}`;
      return text === "" ? key : `${key}=${text}`;
    });
    return [tls ? `tls://${address}` : address, ...facts].join(" ");
  });
}

type Value = string | { readonly base64: string };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readable(metadata: Readonly<Record<string, Uint8Array>>): Record<string, Value> {
  const values: Record<string, Value> = Object.create(null);
  for (const key of Object.keys(metadata).sort()) values[key] = readableOf(metadata[key]!);
  return values;
}

function readableOf(bytes: Uint8Array): Value {
  try {
    return utf8.decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes).toString("base64") };
  }
}
