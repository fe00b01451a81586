// `blip declare-dead` and `blip force-new`: what an operator may order where a majority is gone for good. Both break
// what the protocol promises if what they are told is not true, so they want every name, and are asked twice.

import { addressOf, type Endpoint } from "../core/endpoint.ts";
import { type Configuration, fetchConfiguration, giveOrder } from "../grpc/index.ts";
import { memberLines, shapeOfConfiguration } from "./cut-line.ts";
import { type FlagSpec, type Flags, UsageError, wrong } from "./flags.ts";
import { AT_FLAGS, asking } from "./inquiry.ts";
import type { Surroundings } from "./surroundings.ts";

const YES: FlagSpec = { name: "yes", help: "do it; without this, only what would be done is told" };

export const DECLARE_DEAD_FLAGS: readonly FlagSpec[] = [
  ...AT_FLAGS,
  {
    name: "dead",
    value: "IP:PORT",
    isList: true,
    help: "a member that is dead and will not come back; each of them",
  },
  YES,
];

export const FORCE_NEW_FLAGS: readonly FlagSpec[] = [
  ...AT_FLAGS,
  {
    name: "abandon",
    value: "IP:PORT",
    isList: true,
    help: "a member that is given up; all but the one asked",
  },
  YES,
];

interface Order {
  readonly kind: "declareDead" | "forceNew";
  /** The flag that takes the names. */
  readonly flag: string;
  /** What comes of it, and what it may cost. */
  plan(named: readonly Endpoint[], size: number): readonly string[];
}

const DECLARE_DEAD: Order = {
  kind: "declareDead",
  flag: "dead",
  plan: (named, size) => [
    `removes ${listOf(named)}; the rest, ${size - named.length} of ${size}, goes on as one mesh`,
    "If one of them lives where it cannot be reached from here, it may go on with others: two meshes, each of which takes itself for the whole.",
  ],
};

const FORCE_NEW: Order = {
  kind: "forceNew",
  flag: "abandon",
  plan: (named) => [
    `founds a new mesh of this member alone, without ${listOf(named)}`,
    "Any of them that lives must be restarted with this member as its seed; until then there are two meshes.",
  ],
};

export function declareDead(flags: Flags, around: Surroundings): Promise<number> {
  return carryOut(DECLARE_DEAD, flags, around);
}

export function forceNew(flags: Flags, around: Surroundings): Promise<number> {
  return carryOut(FORCE_NEW, flags, around);
}

async function carryOut(order: Order, flags: Flags, around: Surroundings): Promise<number> {
  if (!flags.has(order.flag)) throw new UsageError(`--${order.flag}: expected at least one member, IP:PORT`);
  const { stop: signal } = around;
  return asking(flags, around, async (at, identity) => {
    const options = { signal, identity };
    const before = await fetchConfiguration(at, options);
    const named = membersNamed(order, flags, before);
    if (!flags.has("yes")) {
      for (const line of order.plan(named, before.members.length)) await around.line(line);
      throw new UsageError("nothing was done: expected --yes, since this cannot be undone");
    }
    const { kind } = order;
    const { confId: configuration } = before;
    await giveOrder(
      at,
      kind === "declareDead"
        ? { kind, configuration, dead: named }
        : { kind, configuration, abandoned: named },
      options,
    );
    const after = await fetchConfiguration(at, options);
    for (const line of memberLines(shapeOfConfiguration(after))) await around.line(line);
  });
}

/** @throws UsageError where a name is no other member, or given twice; for a new mesh, also where one is missing. */
function membersNamed(
  { kind, flag }: Order,
  flags: Flags,
  configuration: Configuration,
): readonly Endpoint[] {
  const others = configuration.members
    .map(({ endpoint }) => endpoint)
    .filter((one) => one !== configuration.local);
  const byAddress = new Map(others.map((endpoint) => [addressOf(endpoint), endpoint]));
  const all = [...byAddress.keys()].join(", ") || "no other member";
  const named = new Set<Endpoint>();
  for (const given of flags.all(flag)) {
    const endpoint = byAddress.get(given.text);
    if (endpoint === undefined) throw wrong(given, `one of the other members: ${all}`);
    if (named.has(endpoint)) throw wrong(given, "each member only once");
    named.add(endpoint);
  }
  if (kind === "forceNew" && named.size < others.length) {
    throw new UsageError(`--${flag}: expected all other members: ${all}`);
  }
  return [...named];
}

function listOf(nodes: readonly Endpoint[]): string {
  return nodes.map(addressOf).join(", ");
}
