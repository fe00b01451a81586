// All members share one history: an id stands for one configuration, each configuration has one successor, and nobody
// goes back. Invariants 1, 2, 6, 7, 10 and 15 of PITFALLS §3.1. Where models of other peers take part, it is the history
// of the Node members: if another peer goes elsewhere, before them or after, that is laid to its own account.

import type { ViewChange } from "../../core/doorway.ts";
import type { Endpoint, NodeId } from "../../core/endpoint.ts";
import type { ConfigurationId, Joiner, Reply, Request } from "../../core/messages.ts";
import { keyOf, sameMetadata } from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import type { Ending, Process } from "../process.ts";
import { Changelings, isNode } from "./changelings.ts";
import type { Checker, Report } from "./checker.ts";

/** A configuration, as the first member that took it saw it. */
interface Chapter {
  readonly view: View;
  /** How many decisions led to it; not a number where nobody knows. */
  readonly place: number;
  /** The configuration that the decision ended; none was where a mesh was founded. */
  readonly from: ConfigurationId | undefined;
  /** Who came here first, or the first Node member that did. */
  by: Process;
  /** Nobody has come here but whom the decision removed, beside members that do not say that they run this library. */
  isHearsay: boolean;
  next: ConfigurationId | undefined;
  /** Living members that are in it now. */
  present: number;
}

export class History implements Checker {
  readonly ignoresBroadcasts = true;
  readonly #report: Report;
  readonly #chapters = new Map<ConfigurationId, Chapter>();
  readonly #compared = new WeakSet<View>();
  /** Each uuid with the configuration that admitted it. */
  readonly #admitted = new Map<NodeId, ConfigurationId>();
  /** What joiners said of themselves. */
  readonly #brought = new Map<NodeId, Joiner & { readonly sender: Endpoint }>();
  /** As whom each process asked to be let in last. */
  readonly #came = new Map<Process, NodeId>();
  readonly #changelings = new Changelings();
  /** Configurations that models of other peers let somebody into, and who of them did so first. */
  readonly #toldBy = new Map<ConfigurationId, Process>();
  /** Where each living process is. */
  readonly #at = new Map<Process, Chapter>();
  /** Configurations without a successor that a majority of their members is in. */
  readonly #current = new Set<ConfigurationId>();
  /** View changes of the mesh. */
  changes = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** The configuration that no decision has ended and that most of its living members are in. */
  get head(): View | undefined {
    let head: Chapter | undefined;
    for (const chapter of this.#chapters.values()) {
      const next = chapter.next === undefined ? undefined : this.#chapters.get(chapter.next)!;
      if (next !== undefined && isNode(next.by)) continue;
      if (head === undefined || chapter.present > head.present) head = chapter;
    }
    return head?.view;
  }

  /** A decision led on from here. */
  isPast(id: ConfigurationId): boolean {
    return this.#chapters.get(id)?.next !== undefined;
  }

  ended(process: Process, _how: Ending): void {
    this.#move(process, undefined);
  }

  said(process: Process, request: Request): void {
    if (request.kind !== "join") return;
    const last = this.#came.get(process);
    this.#came.set(process, request.uuid);
    // Where a joiner changes its uuid within a configuration, some may admit the one and some the other (PITFALLS B3).
    const isSpent = last === undefined || last === request.uuid || this.#admitted.has(last);
    if (!isSpent) this.#report(6, process, `asks as ${request.uuid}, though ${last} was never admitted`);
    if (!this.#brought.has(request.uuid)) this.#brought.set(request.uuid, request); // A member asks where it is by it, too.
    this.#changelings.came(process, request.uuid);
  }

  replied(process: Process, _token: number, reply: Reply): void {
    if (reply.kind !== "joined" || isNode(process) || this.#toldBy.has(reply.configuration)) return;
    this.#toldBy.set(reply.configuration, process);
  }

  /** The views that this cut goes from and to, where it is the first to do so by a decision. */
  follow(process: Process, cut: ViewChange): { readonly from: View; readonly to: View } | undefined {
    const { view, degraded } = cut;
    const before = process.cut;
    const hasGivenUp = degraded && before?.view.id === view.id;
    if (degraded === view.has(process.endpoint) && !hasGivenUp) {
      this.#report(7, process, `degraded is ${degraded} in a view that says otherwise`);
    }
    this.#checkCut(process, cut, before);
    this.#changelings.admitted(process, cut.joined, before?.view);
    if (hasGivenUp || this.#isEvicted(process, cut) || this.#isOutByHearsay(cut, before)) {
      this.#move(process, undefined);
      return undefined;
    }
    const wasStep = before !== undefined && !before.degraded;
    const culprit = before && this.#changelings.between(before.view, view);
    // Where members know a joiner by different uuids, the fewer follow the others (PITFALLS B3).
    if (culprit !== undefined && !isNode(culprit))
      this.#report(2, culprit, `has members go from ${before!.view.id} to ${view.id}`);
    if (foundsAgain(process, view)) this.#chapters.delete(view.id);
    const isStep = wasStep && culprit === undefined;
    const isNew = this.#enter(process, cut, isStep ? before.view : undefined);
    const chapter = this.#chapters.get(view.id)!;
    const past = culprit === undefined && before ? this.#chapters.get(before.view.id)! : undefined;
    if (past !== undefined && chapter.place <= past.place && chapter !== past) {
      // Whoever is let in believes who let it in: where that was another kind of peer, it is laid to its account.
      this.#report(
        2,
        isNode(chapter.by) ? process : chapter.by,
        `went back from configuration ${past.place} to ${chapter.place} of the history`,
      );
    } else if (chapter === past && !before!.degraded) this.#report(10, process, `published ${view.id} twice`);
    this.#move(process, degraded ? undefined : chapter);
    if (!isNew || before === undefined) return undefined;
    this.#checkStep(process, before.view, view);
    return { from: before.view, to: view };
  }

  /**
   * One that does not say that it runs this library is taken for a Rust member. Where it stayed behind and cannot be told
   * what ended its configuration, or is beside the others, it is told that it alone was removed (PITFALLS B4), and goes by a
   * view that nobody shares.
   */
  #isEvicted({ seemsNode, cut, endpoint }: Process, { view, degraded }: ViewChange): boolean {
    if (seemsNode || !degraded || cut === undefined || cut.degraded) return false;
    const at = this.#chapters.get(cut.view.id);
    const isOver = at?.next !== undefined || (at !== undefined && this.#isAstray(at));
    return isOver && !this.#chapters.has(view.id) && view.size === cut.view.size - 1 && !view.has(endpoint);
  }

  /** Others are where the same decision led by other words of its joiners, or have gone on from there. */
  #isAstray({ view, from }: Chapter): boolean {
    const isReal = ({ present, next }: Chapter): boolean => present > 0 || next !== undefined;
    return [...this.#chapters.values()].some(
      (one) => one.from === from && isReal(one) && this.#changelings.between(one.view, view) !== undefined,
    );
  }

  /**
   * Beside members that do not say that they run this library a decision does not say as whom joiners come, and those whom it
   * leaves in find together (PITFALLS B3). Whom it removes has its own word for it, and takes part in nothing by that.
   */
  #isOutByHearsay({ view, degraded }: ViewChange, before: ViewChange | undefined): boolean {
    if (!degraded || before === undefined || before.degraded) return false;
    const id = this.#chapters.get(before.view.id)?.next;
    return id !== undefined && isOtherWord(before.view, this.#chapters.get(id)!.view, view);
  }

  /** True where a decision led here for the first time. */
  #enter(process: Process, { view, degraded }: ViewChange, from: View | undefined): boolean {
    const known = this.#chapters.get(view.id);
    if (known !== undefined) this.#compare(process, known.view, view);
    if (from === undefined) {
      if (known !== undefined) return false;
      const isFounding = view.size === 1 && view.has(process.endpoint);
      // Of who was let in by another kind of peer, only that one knows what led there.
      const teller = this.#toldBy.get(view.id) ?? process;
      if (!isFounding)
        this.#report(2, teller, `${process.endpoint} took ${view.id}, which no decision leads to`);
      // A founder that was removed with all others begins anew, beside nobody, as somebody new.
      const isAnew = process.cut?.view.size === 0 && !view.uuids.some((uuid) => this.#admitted.has(uuid));
      if (isFounding && this.#chapters.size > 0 && !isAnew) {
        this.#report(15, process, "founded a second mesh");
      }
      const past = process.cut && this.#chapters.get(process.cut.view.id);
      const place = !isFounding ? Number.NaN : past === undefined ? 0 : past.place + 1;
      this.#chapters.set(view.id, { ...emptyChapter(process, view), place, from: undefined });
      for (const uuid of view.uuids) this.#admitted.set(uuid, view.id);
      return false;
    }
    const past = this.#chapters.get(from.id)!;
    const next = past.next === undefined ? undefined : this.#chapters.get(past.next)!;
    const isFirstOfNode = isNode(process) && next !== undefined && !isNode(next.by);
    const wasHearsay = next?.isHearsay === true && isOtherWord(from, next.view, view);
    if (next?.view.id === view.id) {
      if (!degraded) next.isHearsay = false;
      if (isFirstOfNode) next.by = process;
      return isFirstOfNode;
    }
    if (next !== undefined && !wasHearsay && !this.#changelings.mayPart(next.view, view)) {
      const culprit = this.#changelings.between(next.view, view) ?? (isFirstOfNode ? next.by : process);
      this.#report(2, culprit, `${from.id} has two successors`);
    }
    if (next === undefined || isFirstOfNode || wasHearsay) past.next = view.id;
    if (next === undefined || isFirstOfNode) this.changes += 1;
    this.#current.delete(from.id);
    if (known === undefined) {
      const isHearsay = degraded && !from.isAllNode;
      const chapter = { ...emptyChapter(process, view), place: past.place + 1, from: from.id, isHearsay };
      this.#chapters.set(view.id, chapter);
      return true;
    }
    // Where a joiner of another kind came with several uuids, each is a turn that several members may have taken.
    if (known.from !== from.id) {
      this.#report(2, isNode(known.by) ? process : known.by, `two decisions lead to ${view.id}`);
    }
    const isFirst = isNode(process) && !isNode(known.by);
    if (isFirst) known.by = process;
    return isFirst;
  }

  /** The same id stands for the same members, uuids and metadata, whoever computed it. */
  #compare(process: Process, known: View, view: View): void {
    if (known === view || this.#compared.has(view)) return;
    this.#compared.add(view);
    const differs =
      keyOf(known.members) !== keyOf(view.members) ||
      known.uuids.join() !== view.uuids.join() ||
      !view.members.every((m) => sameMetadata(known.recordOf(m)!.metadata, view.recordOf(m)!.metadata));
    if (differs) this.#report(1, process, `${view.id} is not what it is to others`);
  }

  #checkCut(process: Process, { view, joined, kicked }: ViewChange, before: ViewChange | undefined): void {
    const last = before?.view;
    const isRight =
      joined.every((node) => view.has(node) && last?.has(node) !== true) &&
      kicked.every((node) => !view.has(node) && last?.has(node) === true) &&
      new Set(joined).size === joined.length &&
      new Set(kicked).size === kicked.length &&
      (last?.size ?? 0) + joined.length - kicked.length === view.size;
    if (!isRight) this.#report(10, process, "joined and kicked do not lead from the last view to this one");
  }

  #checkStep(process: Process, from: View, to: View): void {
    if (to.uuids.length < to.size) this.#report(6, process, `${to.id} has fewer uuids than members`);
    if (from.uuids.some((uuid) => !to.knows(uuid))) this.#report(6, process, "a uuid was forgotten");
    for (const node of to.members) {
      const { metadata, uuid } = to.recordOf(node)!;
      if (from.has(node)) {
        const before = from.recordOf(node)!;
        if (!sameMetadata(metadata, before.metadata)) this.#report(7, process, `${node} has other metadata`);
        continue;
      }
      if (uuid === undefined) continue;
      const earlier = this.#chapters.get(this.#admitted.get(uuid) ?? to.id)!;
      const isElsewhere =
        earlier.view.id !== to.id && this.#changelings.between(earlier.view, to) === undefined;
      if (isElsewhere && isNode(earlier.by) && !earlier.isHearsay && !this.#isAstray(earlier))
        this.#report(6, process, `uuid ${uuid} is admitted twice`);
      if (from.knows(uuid) || !to.knows(uuid)) this.#report(6, process, `uuid ${uuid} is not new`);
      this.#admitted.set(uuid, to.id);
      const brought = this.#brought.get(uuid);
      if (brought === undefined) continue; // A model of another peer may say it in its own way.
      if (brought.sender !== node) this.#report(6, process, `${node} came with a uuid of ${brought.sender}`);
      if (!sameMetadata(metadata, brought.metadata)) {
        this.#report(7, process, `${node} did not bring the metadata that ${to.id} has of it`);
      }
    }
  }

  /** Keeps count of who is where; two configurations that could both go on are a split. */
  #move(process: Process, to: Chapter | undefined): void {
    const from = this.#at.get(process);
    if (from === to) return;
    if (from !== undefined) {
      from.present -= 1;
      if (2 * from.present <= from.view.size) this.#current.delete(from.view.id);
    }
    if (to === undefined) {
      this.#at.delete(process);
      return;
    }
    this.#at.set(process, to);
    to.present += 1;
    if (to.next !== undefined || 2 * to.present <= to.view.size || this.#current.has(to.view.id)) return;
    this.#current.add(to.view.id);
    if (this.#current.size > 1) {
      const foreign = [...this.#current].map((id) => this.#chapters.get(id)!.by).find((by) => !isNode(by));
      const what = `${[...this.#current].join(" and ")} both have a majority and can go on`;
      this.#report(15, foreign ?? process, what);
    }
  }
}

function emptyChapter(by: Process, view: View): Omit<Chapter, "place" | "from"> {
  return { view, by, isHearsay: false, next: undefined, present: 0 };
}

/** What the same decision may lead to where members do not know the same of its joiners and cannot vote on it. */
function isOtherWord(from: View, one: View, other: View): boolean {
  return !from.isAllNode && one.id !== other.id && keyOf(one.members) === keyOf(other.members);
}

/**
 * A founder of another kind that was removed does so as whom it was, and so under the same id. What it leads to is another
 * mesh, and whom it lets in there, who was removed as well, does not go back.
 */
function foundsAgain(process: Process, view: View): boolean {
  return !isNode(process) && process.cut?.degraded === true && view.size === 1 && view.has(process.endpoint);
}
