// The members as a Rust node has them. What makes this worth a file is how it goes wrong: whoever applies a decision that
// names a joiner it has never heard of dies in the middle of it, and stays there with half of it (PITFALLS B1).

import type { Endpoint, NodeId } from "../../core/endpoint.ts";
import type { ConfigurationId, Joiner, Metadata, Proposal } from "../../core/messages.ts";
import { View } from "../../core/view.ts";

/** An assertion of the crate that did not hold: the task that ran into it is gone, the process is not. */
export class Panic extends Error {}

/** What a decision came to. */
export interface Applied {
  readonly joined: readonly Endpoint[];
  readonly kicked: readonly Endpoint[];
}

export class Configuration {
  readonly #observers: number;
  /** On the rings, but without metadata: a panic came between the two. */
  readonly #bare = new Set<Endpoint>();
  #view: View;
  #id: ConfigurationId = 0n;

  constructor(observers: number) {
    this.#observers = observers;
    this.#view = View.of(observers, [], []);
  }

  /** The members, on their rings. Its id is `id` unless a panic came in between. */
  get view(): View {
    return this.#view;
  }

  /** 0 before the first one. */
  get id(): ConfigurationId {
    return this.#id;
  }

  /** Starts over with what another member, or nobody, told us of. The id that came with it is not looked at. */
  replace(view: View): void {
    this.#bare.clear();
    this.#view = view;
    this.#id = view.id;
  }

  found(self: Endpoint, joiner: Joiner): void {
    this.replace(View.founding(this.#observers, self, joiner));
  }

  /**
   * Takes in whom `joiners` has, and throws the others out, in the order of the list. Those taken in are no longer in
   * `joiners` then; the id is that of before. @throws Panic, with what came before it done.
   */
  apply(proposal: Proposal, joiners: Map<Endpoint, Joiner>): Applied {
    const joined = proposal.filter((node) => joiners.has(node));
    const kicked = proposal.filter((node) => !joiners.has(node));
    if (this.#isSound(proposal, joined, kicked, joiners)) this.#view = this.#view.next(proposal, joiners);
    else this.#applyOneByOne(proposal, joiners);
    for (const node of joined) joiners.delete(node);
    return { joined, kicked };
  }

  /** Tells everybody of what was applied, and takes its id. @throws Panic where a member has no metadata to tell of. */
  settle(): void {
    if (this.#bare.size > 0) throw new Panic("called `Result::unwrap()` on an `Err` value: MissingMetadata");
    this.#id = this.#view.id;
  }

  #isSound(
    proposal: Proposal,
    joined: Proposal,
    kicked: Proposal,
    joiners: ReadonlyMap<Endpoint, Joiner>,
  ): boolean {
    const uuids = joined.map((node) => joiners.get(node)!.uuid);
    return (
      this.#bare.size === 0 &&
      new Set(proposal).size === proposal.length &&
      new Set(uuids).size === uuids.length &&
      kicked.every((node) => this.#view.has(node)) &&
      joined.every((node) => !this.#view.has(node)) &&
      !uuids.some((uuid) => this.#view.knows(uuid))
    );
  }

  #applyOneByOne(proposal: Proposal, joiners: Map<Endpoint, Joiner>): void {
    const metadata = new Map<Endpoint, Metadata>();
    for (const node of this.#view.members) metadata.set(node, this.#view.recordOf(node)!.metadata);
    const uuids = new Set<NodeId>(this.#view.uuids);
    try {
      for (const node of proposal) {
        const joiner = joiners.get(node);
        joiners.delete(node);
        if (joiner === undefined) {
          if (!metadata.delete(node)) throw new Panic("assertion failed: self.nodes.remove(node)");
          if (this.#bare.delete(node)) throw new Panic("called `Option::unwrap()` on a `None` value");
          continue;
        }
        if (metadata.has(node)) throw new Panic("assertion failed: self.nodes.insert(node.clone())");
        metadata.set(node, joiner.metadata);
        if (uuids.has(joiner.uuid)) {
          this.#bare.add(node);
          throw new Panic("assertion failed: self.uuids.insert(uuid)");
        }
        uuids.add(joiner.uuid);
      }
    } finally {
      const records = [...metadata].map(([endpoint, ofIt]) => ({ endpoint, metadata: ofIt }));
      this.#view = View.of(this.#observers, records, [...uuids]);
    }
  }
}
