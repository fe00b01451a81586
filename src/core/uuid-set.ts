// The uuids that were ever admitted, which a configuration may never forget (PROTOCOL §6). There are as many as there
// were joins, and a member keeps dozens of configurations; so they share the bulk of them, and each has the few newest.

import type { NodeId } from "./endpoint.ts";

/** How many each configuration may have for itself. */
const NEWEST_MAX = 64;

/** Never changes. Both parts are ascending, and have no uuid in common. */
export class UuidSet {
  readonly #bulk: readonly NodeId[];
  readonly #newest: readonly NodeId[];

  private constructor(bulk: readonly NodeId[], newest: readonly NodeId[]) {
    this.#bulk = bulk;
    this.#newest = newest;
  }

  /** @throws RangeError where one is named twice. */
  static of(uuids: readonly NodeId[]): UuidSet {
    const sorted = [...uuids].sort();
    if (new Set(sorted).size !== sorted.length) throw new RangeError("a uuid is named twice");
    return new UuidSet(sorted, []);
  }

  has(uuid: NodeId): boolean {
    return isIn(this.#bulk, uuid) || isIn(this.#newest, uuid);
  }

  /** With these too. It is a set: were two joiners to bring the same uuid, no list of members could tell it twice. */
  with(more: readonly NodeId[]): UuidSet {
    const fresh = [...new Set(more)].filter((uuid) => !this.has(uuid)).sort();
    if (fresh.length === 0) return this;
    const newest = merged(this.#newest, fresh);
    return newest.length > NEWEST_MAX
      ? new UuidSet(merged(this.#bulk, newest), [])
      : new UuidSet(this.#bulk, newest);
  }

  /** All, ascending. */
  get ascending(): readonly NodeId[] {
    return merged(this.#bulk, this.#newest);
  }
}

function isIn(sorted: readonly NodeId[], uuid: NodeId): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < uuid) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === uuid;
}

function merged(sorted: readonly NodeId[], few: readonly NodeId[]): readonly NodeId[] {
  if (few.length === 0) return sorted;
  const all: NodeId[] = [];
  let i = 0;
  for (const uuid of few) {
    for (; i < sorted.length && sorted[i]! < uuid; i++) all.push(sorted[i]!);
    all.push(uuid);
  }
  return all.concat(sorted.slice(i));
}
