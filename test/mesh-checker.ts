// Listens to everything that the members of a mesh say, and looks at every view that they take, for whatever must
// never happen (PITFALLS §3.1): two views under one id, two decisions about one view, a member that goes back, a
// vote against one's word, a decision without a quorum, somebody removed who did nothing wrong.

import type { Millis, ViewChange } from "../src/core/doorway.ts";
import { type Endpoint, isProposal, type NodeId } from "../src/core/endpoint.ts";
import { INQUIRY_RANK } from "../src/core/inquiry.ts";
import {
  type ConfigurationId,
  compareRanks,
  type Gossip,
  keyOf,
  type Proposal,
  type Rank,
  type Request,
  sameMetadata,
} from "../src/core/messages.ts";
import type { View } from "../src/core/view.ts";

/** What the checker knows of a member: one incarnation of it. */
interface Watched {
  readonly endpoint: Endpoint;
}

/** What was said under one configuration, by whom. */
interface Said {
  readonly fast: Map<Endpoint, string>;
  readonly promised: Map<Endpoint, Rank>;
  /** Rank → the value put to the vote, and those that accepted it. */
  readonly rounds: Map<string, { readonly value: string; readonly acceptors: Set<Endpoint> }>;
}

export class MeshChecker {
  /** Members that a test treats so badly that they may be removed without having crashed. */
  readonly mayBeRemoved = new Set<Endpoint>();
  readonly #faults: string[] = [];
  readonly #views = new Map<ConfigurationId, View>();
  readonly #next = new Map<ConfigurationId, ConfigurationId>();
  readonly #said = new Map<ConfigurationId, Said>();
  readonly #histories = new Map<Watched, ViewChange[]>();
  readonly #admitted = new Map<NodeId, Endpoint>();
  readonly #ends = new Map<Endpoint, number>();
  readonly #removals = new Map<Endpoint, Set<ConfigurationId>>();

  /** This member crashed, or wants to go. */
  ended(endpoint: Endpoint): void {
    this.#ends.set(endpoint, (this.#ends.get(endpoint) ?? 0) + 1);
  }

  /** A member sends something, as its author or to pass it on. */
  hears(from: Endpoint, request: Request): void {
    const gossip = request.kind === "broadcast" ? request.gossip : request;
    if (!("sender" in gossip) || gossip.sender !== from) return;
    switch (gossip.kind) {
      case "fastAccepted":
      case "promise":
      case "accept":
      case "accepted":
        return this.#hearVote(gossip);
    }
  }

  /** A member takes a view. */
  sees(member: Watched, cut: ViewChange, now: Millis): void {
    const { view } = cut;
    const history = this.#histories.get(member) ?? [];
    this.#histories.set(member, history);
    const before = history.at(-1);
    history.push(cut);
    const where = `${member.endpoint} at ${now}`;
    this.#compare(view, where);
    const hasGivenUp = cut.degraded && before?.view.id === view.id;
    if (cut.degraded === view.has(member.endpoint) && !hasGivenUp) {
      this.#faults.push(`${where}: degraded is ${cut.degraded} in a view that says otherwise`);
    }
    const members = new Set(before?.view.members ?? []);
    for (const node of cut.kicked) if (!members.delete(node)) this.#fault(where, `${node} is kicked twice`);
    for (const node of cut.joined) {
      if (members.has(node)) this.#fault(where, `${node} joins twice`);
      members.add(node);
    }
    if (members.size !== view.size || !view.members.every((node) => members.has(node))) {
      this.#fault(where, "joined and kicked do not lead from the last view to this one");
    }
    if (hasGivenUp || before === undefined) return;
    if (history.slice(0, -1).some((old) => old.view.id === view.id)) {
      this.#fault(where, `back in view ${view.id}`);
    }
    if (!before.degraded) this.#step(before.view, view, where);
  }

  /** What went wrong, in words; empty when all is well. */
  contradictions(): readonly string[] {
    const faults = [...this.#faults];
    const order = this.#chain(faults);
    for (const [{ endpoint }, history] of this.#histories) {
      let last = -1;
      for (const { view, degraded } of history) {
        const place = order.get(view.id);
        if (place === undefined) faults.push(`${endpoint} took view ${view.id}, which no decision leads to`);
        else if (place < last || (place === last && !degraded))
          faults.push(`${endpoint} went back in history`);
        else last = place;
      }
    }
    for (const [endpoint, removals] of this.#removals) {
      const excused = this.#ends.get(endpoint) ?? 0;
      if (removals.size > excused && !this.mayBeRemoved.has(endpoint)) {
        faults.push(`${endpoint} was removed ${removals.size} times, but gave cause for ${excused}`);
      }
    }
    return faults;
  }

  #hearVote(gossip: Exclude<Gossip, { kind: "alerts" | "prepare" }>): void {
    const { kind, sender, configuration } = gossip;
    // No promise, but a question where somebody is.
    if (kind === "promise" && compareRanks(gossip.rank, INQUIRY_RANK) === 0) return;
    let said = this.#said.get(configuration);
    if (said === undefined) {
      said = { fast: new Map(), promised: new Map(), rounds: new Map() };
      this.#said.set(configuration, said);
    }
    const where = `${sender} in ${configuration}`;
    const value = keyOf(gossip.value);
    const promised = said.promised.get(sender);
    if (kind === "fastAccepted") {
      if ((said.fast.get(sender) ?? value) !== value) this.#fault(where, "two votes in the fast round");
      if (promised !== undefined) this.#fault(where, "a vote in the fast round after a promise");
      if (!isProposal(gossip.value)) this.#fault(where, `a vote for something that is no proposal: ${value}`);
      said.fast.set(sender, value);
      return;
    }
    const order = promised === undefined ? 1 : compareRanks(gossip.rank, promised);
    if (kind === "promise") {
      if (order < 0) this.#fault(where, "a promise below an earlier one");
      said.promised.set(sender, gossip.rank);
      return;
    }
    const key = `${gossip.rank.round} ${gossip.rank.nodeIndex}`;
    const round = said.rounds.get(key) ?? { value, acceptors: new Set() };
    said.rounds.set(key, round);
    if (round.value !== value) this.#fault(where, `two values in round ${key}`);
    if (kind === "accept") return;
    if (order < 0) this.#fault(where, "an acceptance below a promise");
    said.promised.set(sender, gossip.rank);
    round.acceptors.add(sender);
  }

  /** The same id stands for the same members, uuids and metadata, whoever computed it. */
  #compare(view: View, where: string): void {
    const known = this.#views.get(view.id);
    if (known === view) return;
    if (known === undefined) {
      this.#views.set(view.id, view);
      if (view.uuids.length < view.size) this.#fault(where, "fewer uuids than members");
      return;
    }
    const differs =
      keyOf(known.members) !== keyOf(view.members) ||
      known.uuids.join() !== view.uuids.join() ||
      !view.members.every((m) => sameMetadata(known.recordOf(m)!.metadata, view.recordOf(m)!.metadata));
    if (differs) this.#fault(where, `view ${view.id} is not what it is to others`);
  }

  /** A member went from one view to the next by a decision. */
  #step(from: View, to: View, where: string): void {
    const known = this.#next.get(from.id);
    if (known === to.id) return;
    if (known !== undefined) return this.#fault(where, `view ${from.id} has two successors`);
    this.#next.set(from.id, to.id);
    const kicked = from.members.filter((node) => !to.has(node));
    const joined = to.members.filter((node) => !from.has(node));
    for (const node of kicked) {
      const removals = this.#removals.get(node) ?? new Set();
      this.#removals.set(node, removals.add(to.id));
    }
    for (const node of joined) {
      const uuid = to.recordOf(node)!.uuid;
      if (uuid === undefined) continue;
      if (this.#admitted.has(uuid)) this.#fault(where, `uuid ${uuid} is admitted twice`);
      if (from.knows(uuid) || !to.knows(uuid)) this.#fault(where, `uuid ${uuid} is not new`);
      this.#admitted.set(uuid, node);
    }
    if (from.uuids.some((uuid) => !to.knows(uuid))) this.#fault(where, "a uuid was forgotten");
    if (!this.#hasQuorum(from, [...kicked, ...joined])) this.#fault(where, `${to.id} without a quorum`);
  }

  #hasQuorum(view: View, decided: Proposal): boolean {
    if (view.size === 1) return true; // It says its one vote to itself only.
    const names = [...decided].sort().join();
    const isIt = (value: string): boolean => value.split(" as ")[0]!.split(" ").sort().join() === names;
    const said = this.#said.get(view.id);
    const votes = [...(said?.fast ?? [])].filter(([sender, value]) => view.has(sender) && isIt(value));
    if (votes.length >= view.fastQuorum) return true;
    return [...(said?.rounds.values() ?? [])].some(
      ({ value, acceptors }) =>
        isIt(value) && [...acceptors].filter((a) => view.has(a)).length >= view.majority,
    );
  }

  /** The place of each view in the one history that all members share. */
  #chain(faults: string[]): ReadonlyMap<ConfigurationId, number> {
    const later = new Set(this.#next.values());
    const first = [...this.#views.keys()].filter((id) => !later.has(id));
    if (first.length !== 1) faults.push(`history begins ${first.length} times`);
    const order = new Map<ConfigurationId, number>();
    for (const start of first) {
      for (let id: ConfigurationId | undefined = start; id !== undefined && !order.has(id); ) {
        order.set(id, order.size);
        id = this.#next.get(id);
      }
    }
    return order;
  }

  #fault(where: string, what: string): void {
    this.#faults.push(`${where}: ${what}`);
  }
}
