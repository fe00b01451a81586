// A transcript as prose: what several members say or do alike, one after the other, is told in one line.

import { type Line, secondsOf } from "./transcript.ts";

interface Passage {
  readonly fromMs: number;
  toMs: number;
  readonly who: Set<string>;
  readonly what: string;
}

/** Names up to here are listed; beyond, they are counted. */
const NAMED_MAX = 6;

/** All lines, as they are. */
export function transcriptOf(lines: readonly Line[]): string {
  return lines
    .map(({ atMs, who, what }) => `${secondsOf(atMs)} s  ${who === undefined ? "" : `${who} `}${what}`)
    .join("\n");
}

/** The lines, shortened. */
export function storyOf(lines: readonly Line[]): string {
  const told: string[] = [];
  let scene = new Map<string, Passage>();
  const close = (): void => {
    for (const passage of scene.values()) told.push(passageText(passage));
    scene = new Map();
  };
  for (const { atMs, who, what } of lines) {
    if (who === undefined) {
      // Something befalls the world: what came before is told first.
      close();
      told.push(`${secondsOf(atMs)} s  ${what}`);
      continue;
    }
    const alike = withoutDetail(what);
    const passage = scene.get(alike);
    if (passage === undefined)
      scene.set(alike, { fromMs: atMs, toMs: atMs, who: new Set([who]), what: alike });
    else {
      passage.toMs = atMs;
      passage.who.add(who);
    }
  }
  close();
  return told.join("\n");
}

/** Rings and addressees differ from member to member. */
function withoutDetail(what: string): string {
  return what
    .replaceAll(/ \(rings [\d ]+\)/g, "")
    .replace(/ on ring \d+/, "")
    .replace(/, asking .*/, "");
}

function passageText({ fromMs, toMs, who, what }: Passage): string {
  const names = who.size <= NAMED_MAX ? [...who].join(" ") : `${who.size} members`;
  const until = toMs - fromMs < 1 ? "" : ` (until ${secondsOf(toMs).trim()} s)`;
  return `${secondsOf(fromMs)} s  ${names} ${pluralOf(what, who.size)}${until}`;
}

/** The verb comes first, and several members need its plural. */
function pluralOf(what: string, count: number): string {
  if (count === 1) return what;
  return what
    .replace(/^has\b/, "have")
    .replace("asks who would observe it", "ask who would observe them")
    .replace(/^(\w+?)s\b/, "$1");
}
