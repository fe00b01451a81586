// Bugs in what a configuration is: who is where on which ring, which id that has, and what is known of each member.

import type { Mutant } from "./mutant.ts";

export const VIEWS: readonly Mutant[] = [
  {
    name: "ring-order",
    breaks: "rings are ordered by the whole hash, high half first",
    file: "rings.ts",
    find: "ring.keys[2 * member]! - key.hi ||\n        ring.keys[2 * member + 1]! - key.lo ||",
    replace: "ring.keys[2 * member + 1]! - key.lo ||\n        ring.keys[2 * member]! - key.hi ||",
    first: "S2",
  },
  {
    name: "rings-alike",
    breaks: "each ring has an order of its own",
    file: "rings.ts",
    find: "const { hi, lo } = new Fnv().usize(r).bytes(hashBytes);",
    replace: "const { hi, lo } = new Fnv().usize(r % 2).bytes(hashBytes);",
    first: "S4",
  },
  {
    name: "joiner-behind-its-observer",
    breaks: "a joiner's observers are those who stand before it",
    file: "rings.ts",
    find: "return ring.order[(at + size - 1) % size]!;",
    replace: "return ring.order[at % size]!;",
    first: "S2",
  },
  {
    name: "members-mixed-up",
    breaks: "a member's metadata stays with it through view changes",
    file: "view.ts",
    find: "records[to] = this.#records[from]!;",
    replace: "records[to] = this.#records[to] ?? this.#records[from]!;",
    first: "S11",
  },
  {
    name: "joiners-mixed-up",
    breaks: "each joiner comes in with its own uuid and metadata",
    file: "view.ts",
    find: "records[i] ??= joiners.get(endpoint)!;",
    replace: "records[i] ??= [...joiners.values()][0]!;",
    first: "S3",
  },
  {
    name: "uuids-forgotten",
    breaks: "the uuids of the departed stay in the history",
    file: "uuid-set.ts",
    find: "return all.concat(sorted.slice(i));",
    replace: "return all;",
    first: "S2",
  },
  {
    name: "id-without-uuids",
    breaks: "a configuration's id covers every uuid that was ever admitted",
    file: "view.ts",
    find: "for (const uuid of uuids.ascending) hash.bytes(uuidBytesOf(uuid));",
    replace: "",
    first: "S2",
  },
  {
    name: "step-shared-by-all",
    breaks: "the same decision with other joiners leads to another view",
    file: "view.ts",
    find: "step.key === key && step.joiners.every((joiner, i) => sameJoiner(joiner, coming[i]!))",
    replace: "step.key === key",
    first: "S29",
  },
  {
    name: "metadata-not-compared",
    breaks: "joiners that differ in metadata only are two variants (B3)",
    file: "messages.ts",
    find: "return a.uuid === b.uuid && sameMetadata(a.metadata, b.metadata);",
    replace: "return a.uuid === b.uuid;",
    first: "S29",
  },
];
