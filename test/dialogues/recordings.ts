// Where it is kept what the real Rust peer said.

import { join } from "node:path";
import type { Script } from "./dialogue.ts";

export const FOLDER = "test/fixtures/dialogues";

export function fileOf({ name }: Script): string {
  return join(FOLDER, `${name}.txt`);
}
