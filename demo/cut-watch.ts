/**
 * Follows the cuts of the mesh while the demo runs: tells each as it happens, and remembers who came and
 * went.
 */
import type { Cut, Member, Mesh } from "blip-mesh";
import { type Story, seconds } from "./story.ts";

export class CutWatch {
  /** Names, in the order of the cuts. */
  readonly joined: string[] = [];
  readonly kicked: string[] = [];
  readonly #story: Story;
  readonly #expected = new Map<string, { readonly sinceMs: number; readonly what: string }>();
  #cuts = 0;

  constructor(story: Story) {
    this.#story = story;
  }

  /** Something was done to the member of this name, of which a cut will tell. */
  expect(name: string, what: string): void {
    this.#expected.set(name, { sinceMs: performance.now(), what });
  }

  async follow(mesh: Mesh): Promise<void> {
    for await (const cut of mesh.cuts()) this.#tell(cut);
  }

  #tell({ members, joined, kicked }: Cut): void {
    this.#cuts += 1;
    const gone = kicked.map(nameOf).sort();
    const come = joined.map(nameOf).sort();
    this.kicked.push(...gone);
    this.joined.push(...come);
    this.#story.tell(
      `cut ${this.#cuts}`,
      [
        [...gone.map((name) => `−${name}`), ...come.map((name) => `+${name}`)].join(" "),
        `${members.length} ${members.length === 1 ? "member" : "members"}`,
        ...[...gone, ...come].flatMap((name) => this.#elapsed(name)),
      ].join(", "),
    );
  }

  #elapsed(name: string): string[] {
    const expected = this.#expected.get(name);
    this.#expected.delete(name);
    return expected === undefined
      ? []
      : [`${seconds(performance.now() - expected.sinceMs)} after ${expected.what}`];
  }
}

export function nameOf(member: Member): string {
  return member.text("name") ?? member.address;
}
