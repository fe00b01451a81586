/**
 * What must hold of all cuts that the members of one mesh ever printed, whatever happened to them: there is one
 * chain of configurations, and each member walks along it. A member may start anywhere on the chain (it was
 * admitted) and may leap ahead (it was removed, and admitted again); it never sees a link that others do not.
 */
import { type PrintedCut, viewOf } from "../test/member-process.ts";

/** The cuts of one process, oldest first. */
export interface Recording {
  readonly name: string;
  readonly address: string;
  readonly cuts: readonly PrintedCut[];
}

export interface Scope {
  /** Whether these are all members that the mesh ever had, so that every link of the chain is on record. */
  readonly complete: boolean;
}

/** One sentence for each contradiction; none where the history is sound. */
export function contradictions(recordings: readonly Recording[], { complete }: Scope): string[] {
  const views = new ViewsOfConfigurations();
  const chain = new Chain();
  for (const recording of recordings) {
    for (const cut of recording.cuts) {
      views.add(cut, recording);
      chain.add(cut.confId);
    }
    chain.walk(recording);
  }
  return [
    ...recordings.flatMap(misprints),
    ...views.contradictions,
    ...chain.contradictions,
    ...(complete ? chain.breaks() : []),
  ];
}

/** Members of one configuration agree on its members and their metadata. */
class ViewsOfConfigurations {
  readonly contradictions: string[] = [];
  readonly #first = new Map<string, { readonly view: string; readonly name: string }>();

  add(cut: PrintedCut, { name }: Recording): void {
    const view = viewOf(cut);
    const first = this.#first.get(cut.confId);
    if (first === undefined) {
      this.#first.set(cut.confId, { view, name });
    } else if (first.view !== view) {
      this.contradictions.push(
        `configuration ${cut.confId} is ${first.view} to the ${first.name}, and ${view} to the ${name}`,
      );
    }
  }
}

class Chain {
  readonly contradictions: string[] = [];
  readonly #configurations = new Set<string>();
  readonly #next = new Map<string, { readonly confId: string; readonly name: string }>();
  readonly #previous = new Map<string, { readonly confId: string; readonly name: string }>();
  /** Configurations that a slow reader was given without those just before them. */
  readonly #afterGap = new Set<string>();

  add(confId: string): void {
    this.#configurations.add(confId);
  }

  walk(recording: Recording): void {
    const { name, address, cuts } = recording;
    const visited = new Set<string>();
    for (const [index, cut] of cuts.entries()) {
      if (visited.has(cut.confId)) this.contradictions.push(`the ${name} came back to ${cut.confId}`);
      visited.add(cut.confId);

      const before = cuts[index - 1];
      if (cut.skipped > 0) this.#afterGap.add(cut.confId);
      // A member that is admitted has not seen what came before.
      if (before === undefined || cut.skipped > 0 || cut.joined.includes(address)) continue;
      this.#link(before.confId, cut.confId, name);
      if (!follows(before, cut)) {
        this.contradictions.push(
          `the ${name} went from ${members(before)} to ${members(cut)} ` +
            `by joined [${cut.joined.join(" ")}] and kicked [${cut.kicked.join(" ")}]`,
        );
      }
    }
  }

  /** Walks from the founding configuration, and tells what is not on that way. */
  breaks(): string[] {
    const heads = [...this.#configurations].filter((confId) => !this.#previous.has(confId));
    const reached = new Set<string>();
    for (const head of heads) {
      let confId: string | undefined = head;
      for (; confId !== undefined; confId = this.#next.get(confId)?.confId) reached.add(confId);
    }

    const found: string[] = [];
    const founded = heads.filter((confId) => !this.#afterGap.has(confId));
    if (founded.length > 1) {
      found.push(
        `${founded.length} chains of configurations instead of one begin at ${founded.join(" and at ")}`,
      );
    }
    const circle = [...this.#configurations].filter((confId) => !reached.has(confId));
    if (circle.length > 0) found.push(`configurations follow each other in a circle: ${circle.join(" ")}`);
    return found;
  }

  #link(from: string, to: string, name: string): void {
    const next = this.#next.get(from);
    if (next === undefined) {
      this.#next.set(from, { confId: to, name });
    } else if (next.confId !== to) {
      this.contradictions.push(
        `after ${from} comes ${next.confId} for the ${next.name}, and ${to} for the ${name}`,
      );
    }
    const previous = this.#previous.get(to);
    if (previous === undefined) {
      this.#previous.set(to, { confId: from, name });
    } else if (previous.confId !== from) {
      this.contradictions.push(
        `before ${to} comes ${previous.confId} for the ${previous.name}, and ${from} for the ${name}`,
      );
    }
  }
}

/** What a cut says of itself: who printed it, and whether that one is still a member. */
function misprints({ name, address, cuts }: Recording): string[] {
  const found: string[] = [];
  for (const { confId, local, degraded, members: listed } of cuts) {
    if (local !== address) found.push(`the ${name} says in ${confId} that it is ${local}`);
    if (degraded === listed.some((member) => member.address === address)) {
      found.push(`the ${name} is ${degraded ? "" : "not "}degraded in ${confId}, against its member list`);
    }
  }
  return found;
}

function follows(before: PrintedCut, cut: PrintedCut): boolean {
  const expected = new Set(before.members.map((member) => member.address));
  const isKnown = cut.kicked.every((address) => expected.delete(address));
  const isNew = cut.joined.every((address) => !expected.has(address) && expected.add(address));
  const listed = cut.members.map((member) => member.address);
  return isKnown && isNew && listed.length === expected.size && listed.every((a) => expected.has(a));
}

function members(cut: PrintedCut): string {
  return `${cut.confId} [${cut.members.map((member) => member.address).join(" ")}]`;
}
