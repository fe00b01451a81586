// Who owns a key: the members that serve a cache, in the order in which they are to be asked for the key. All members
// that see the same configuration answer alike.

import type { Member } from "../index.ts";
import type { Key } from "./key.ts";
import { Rendezvous } from "./rendezvous.ts";
import { type AddressLayout, RustRing } from "./rust-ring.ts";

/** How keys find their owners. */
export interface Placement {
  readonly kind: "blip" | "balanced";
  /** Addresses of members; the first owns the key, each next one would if those before it were gone. */
  owners(key: Key): Iterable<string>;
}

/**
 * What a cache may be told: "blip" is the crate's placement; "balanced" gives each member its fair share, but Rust
 * members do not know it; "auto" is "balanced" as long as all members that serve the cache know it and none insists
 * on "blip".
 */
export type PlacementChoice = "auto" | "blip" | "balanced";

export const PLACEMENT_CHOICES: readonly PlacementChoice[] = ["auto", "blip", "balanced"];

/** How those of these members that serve the cache called `name` place its keys, by one member's choice. */
export function placementIn(
  members: readonly Member[],
  name: string,
  choice: PlacementChoice,
  layout: AddressLayout,
): Placement | undefined {
  const serving = servingIn(members, name);
  if (serving.length === 0) return undefined;
  const addresses = serving.map(({ address }) => address);
  const isBalanced =
    choice === "balanced" || (choice === "auto" && serving.every((one) => isContent(one, name)));
  return isBalanced ? new Rendezvous(addresses) : new RustRing(addresses, layout);
}

/** Those of these members that serve the cache called `name`. */
export function servingIn(members: readonly Member[], name: string): readonly Member[] {
  return members.filter((member) => member.has(name));
}

/** The metadata key by which a Node member says that it serves this cache, and how it places keys. */
export function extensionOf(name: string): string {
  return `${name}.ext.v1`;
}

function isContent(member: Member, name: string): boolean {
  const choice = member.text(extensionOf(name));
  return choice === "auto" || choice === "balanced";
}
