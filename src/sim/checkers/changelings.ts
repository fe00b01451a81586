// Joiners that came as several, of which one member may have heard one and another the next (PITFALLS B3). Beside Rust
// members, which vote on addresses alone, the same decision may then lead to several configurations.

import type { Endpoint, NodeId } from "../../core/endpoint.ts";
import { keyOf } from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import type { Process } from "../process.ts";

export class Changelings {
  /** By which uuids each address asked to be let in. */
  readonly #uuids = new Map<Endpoint, Set<NodeId>>();
  /**
   * To whom to lay it: a model of another peer that takes another uuid for every attempt, or one that let in a process that
   * had started again; to a Node member where that did so, among members that cannot vote on who comes.
   */
  readonly #culprits = new Map<Endpoint, Process>();

  came(process: Process, uuid: NodeId): void {
    const uuids = this.#uuids.get(process.endpoint) ?? new Set();
    this.#uuids.set(process.endpoint, uuids.add(uuid));
    if (!isNode(process)) this.#culprits.set(process.endpoint, process);
  }

  /** They were let in from here, if it was here before. Its word counts for those who follow it, who cannot know better. */
  admitted(by: Process, joined: readonly Endpoint[], from: View | undefined): void {
    if (isNode(by) && from?.isAllNode !== false) return;
    for (const node of joined) {
      const cameAgain = (this.#uuids.get(node)?.size ?? 0) > 1;
      if (cameAgain && !this.#culprits.has(node)) this.#culprits.set(node, by);
    }
  }

  /** Who is to blame for it that two configurations of the same members differ by a joiner. */
  between(one: View, other: View): Process | undefined {
    if (one.size !== other.size || this.#culprits.size === 0) return undefined;
    if (one === other || keyOf(one.members) !== keyOf(other.members)) return undefined;
    const changeling = one.members.find((node) => this.#culprits.has(node));
    return changeling && this.#culprits.get(changeling);
  }

  /** They differ by a joiner that nobody could vote on, so that Node members may part there, until the fewer change over. */
  mayPart(one: View, other: View): boolean {
    const culprit = this.between(one, other);
    return culprit !== undefined && isNode(culprit);
  }
}

export function isNode({ model }: Process): boolean {
  return model === "node";
}
