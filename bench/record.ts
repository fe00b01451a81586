/** Keeps what the members of a mesh printed, for whoever has to find out what went wrong in it. */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HeldMesh } from "./held-mesh.ts";

let parent: Promise<string> | undefined;

/** Answers the folder: each member's cuts and log in two files named after its port. */
export async function keepRecord(mesh: HeldMesh, name: string): Promise<string> {
  parent ??= mkdtemp(join(tmpdir(), "blip-bench-"));
  const folder = join(await parent, `${name.replaceAll(/[^\w]+/g, "-")}-${Date.now()}`);
  await mkdir(folder, { recursive: true });
  const alive = new Set(mesh.alive);
  for (const member of mesh.members) {
    const file = join(folder, `${alive.has(member) ? "" : "killed-"}${member.address.split(":").at(-1)}`);
    await writeFile(`${file}.cuts.jsonl`, member.cuts.map((cut) => `${JSON.stringify(cut)}\n`).join(""));
    await writeFile(`${file}.log`, member.log.map((line) => `${line}\n`).join(""));
  }
  return folder;
}
