/** Why members do not agree, in one line: who panicked or ended, who stayed outside, and who sees what. */
import type { HeldMember } from "./held-member.ts";

/** The members that are in one configuration, by their newest cuts. */
type Group = readonly [HeldMember, ...HeldMember[]];

export function explain(alive: readonly HeldMember[]): string {
  const groups = groupsOf(alive);
  return [...endings(alive), ...views(alive, groups), ...ghosts(alive, groups), ...splits(groups)].join("; ");
}

/** The largest group first. */
function groupsOf(alive: readonly HeldMember[]): Group[] {
  const groups = new Map<string, [HeldMember, ...HeldMember[]]>();
  for (const member of alive) {
    if (member.cut === undefined) continue;
    const group = groups.get(member.cut.confId);
    if (group === undefined) groups.set(member.cut.confId, [member]);
    else group.push(member);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

function endings(alive: readonly HeldMember[]): string[] {
  const panicked = alive.filter((member) => member.panics.length > 0);
  const places = new Set(panicked.flatMap((member) => member.panics));
  const ended = alive.filter((member) => member.isGone);
  return [
    ...(panicked.length > 0 ? [`${panicked.length} panicked at ${[...places].join(", ")}`] : []),
    ...(ended.length > 0 ? [`${ended.length} ended: ${ended[0]?.log.at(-1) ?? "without a word"}`] : []),
  ];
}

function views(alive: readonly HeldMember[], groups: readonly Group[]): string[] {
  const seeing = groups.map((group) => {
    const { members, degraded } = group[0].cut!;
    return `${group.length} see ${members.length}${degraded ? " (degraded)" : ""}`;
  });
  const outside = alive.filter((member) => member.cut === undefined).length;
  return [...seeing, ...(outside > 0 ? [`${outside} never joined`] : [])];
}

/** Members that the largest group lists though they are not in its configuration. */
function ghosts(alive: readonly HeldMember[], groups: readonly Group[]): string[] {
  const [largest] = groups;
  if (largest === undefined) return [];
  const { confId, members } = largest[0].cut!;
  const listed = new Set(members.map((member) => member.address));
  const count = alive.filter((member) => listed.has(member.address) && member.cut?.confId !== confId).length;
  return count > 0 ? [`${count} listed by the largest group are not in its configuration`] : [];
}

/** Configurations with the same members under different ids. */
function splits(groups: readonly Group[]): string[] {
  const lists = groups.map(([member]) => member.cut!.members.map(({ address }) => address).join());
  const count = lists.length - new Set(lists).size;
  return count > 0 ? ["split: the same members under different configuration ids"] : [];
}
