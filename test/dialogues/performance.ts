// Plays scripts, and keeps what came of it: what it was about, who was where, and how it went.

import { join } from "node:path";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { Dialogue } from "./dialogue.ts";
import type { Stage } from "./stage.ts";

/** Where it is kept what the real Rust peer said. */
export const FOLDER = "test/fixtures/dialogues";

export interface Script {
  readonly name: string;
  /** What it is about, in a sentence. */
  readonly about: string;
  /** The fake members, by name. */
  readonly fakes: readonly string[];
  /** Through whom the peer joins; absent, it founds a mesh. */
  readonly seed?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whether these addresses give rings on which it can be played. */
  readonly suits?: (at: (name: string) => Endpoint) => boolean;
  play(dialogue: Dialogue): Promise<void>;
}

export function fileOf({ name }: Script): string {
  return join(FOLDER, `${name}.txt`);
}

/** Plays a script on a stage that is its own, and ends with it. */
export async function perform(
  script: Script,
  stage: Stage,
  addresses: ReadonlyMap<string, Endpoint>,
  expected?: readonly number[],
): Promise<{ readonly lines: readonly string[]; readonly measure: readonly number[] }> {
  const dialogue = new Dialogue(stage, addresses, expected);
  const peer = {
    endpoint: dialogue.peer,
    seed: script.seed === undefined ? undefined : dialogue.at(script.seed),
    metadata: script.metadata ?? {},
  };
  const fakes = script.fakes.map((name) => dialogue.at(name));
  try {
    await stage.begin(peer, fakes, dialogue);
    await script.play(dialogue);
  } finally {
    await stage.end();
  }
  const { transcript, measure } = dialogue;
  return { lines: transcript, measure };
}

/** How a transcript is kept: what it is about, who was where, and how it went, which begins with a stage direction. */
export function textOf(
  script: Script,
  addresses: ReadonlyMap<string, Endpoint>,
  lines: readonly string[],
): string {
  const cast = [...addresses].map(([name, endpoint]) => `${name} ${endpoint}`);
  return `${[script.name, script.about, "", ...cast, ...lines].join("\n")}\n`;
}

export function addressesIn(text: string): ReadonlyMap<string, Endpoint> {
  const cast = text.split("\n\n")[1]!.split("\n");
  return new Map(cast.map((line) => line.split(" ") as [string, Endpoint]));
}
