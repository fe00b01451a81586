/**
 * Who owns a key: consistent hashing in its simplest form, known as rendezvous or highest random weight. Each
 * member has a score for each key, and the highest one owns it. When a member goes, its keys go to whoever
 * was second at each, and nobody else's move; when one comes, it takes only those at which it is first.
 */
import type { Member } from "blip-mesh";

/** The members in the order in which they may own this key: the owner first, then who comes after it. */
export function ownersOf(key: string, members: readonly Member[]): Member[] {
  return members
    .map((member) => ({ member, score: scoreOf(member, key) }))
    .sort((a, b) => b.score - a.score)
    .map(({ member }) => member);
}

/** How many of these keys each member owns, by its address. */
export function sharesOf(keys: readonly string[], members: readonly Member[]): Map<string, number> {
  const shares = new Map(members.map(({ address }) => [address, 0]));
  for (const key of keys) {
    const owner = ownerOf(key, members);
    if (owner !== undefined) shares.set(owner.address, shares.get(owner.address)! + 1);
  }
  return shares;
}

/** How many of these keys have another owner among `after` than among `before`. */
export function countMoved(
  keys: readonly string[],
  before: readonly Member[],
  after: readonly Member[],
): number {
  return keys.filter((key) => ownerOf(key, before)?.address !== ownerOf(key, after)?.address).length;
}

function ownerOf(key: string, members: readonly Member[]): Member | undefined {
  return ownersOf(key, members)[0];
}

/**
 * FNV-1a over both, and then all bits mixed: of addresses that differ in a digit, scores must not look alike.
 */
function scoreOf({ address }: Member, key: string): number {
  let hash = 0x811c9dc5;
  for (const text of [key, address]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
