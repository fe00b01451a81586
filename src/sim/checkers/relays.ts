// Each broadcast is told on once by everybody who hears it, to all its ring successors. Invariant 11 of PITFALLS §3.1.

import type { Event, Millis } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Broadcast, Gossip, Request } from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import { Marks } from "../marks.ts";
import type { Process } from "../process.ts";
import type { Checker, Report } from "./checker.ts";

/** How long a broadcast is watched; copies of it that come later are not. */
const MEMORY_MS = 600_000;

/** Broadcasts that came up within a while, numbered from 0. */
class Era {
  readonly broadcasts = new Map<bigint, Numbered>();
  /** By process: the marks of what it has heard and told. Those of one process lie together, since it mostly hears much in a row. */
  readonly #marks: Marks[] = [];

  marksOf({ number }: Process): Marks {
    this.#marks[number] ??= new Marks();
    return this.#marks[number];
  }
}

interface Numbered {
  readonly era: Era;
  readonly number: number;
}

export class Relays implements Checker {
  readonly #report: Report;
  readonly #now: () => Millis;
  #young = new Era();
  #old = new Era();
  /** The same by what was sent first: unless it goes through bytes, everybody is given that, and it is found sooner. */
  readonly #originals = new WeakMap<Broadcast, Numbered>();
  /** What was looked up last, and what is known of it: one step hears of a broadcast and tells it on. */
  #last: Broadcast | undefined;
  #lastNumbered: Numbered | undefined;
  #turnedAt: Millis = 0;
  /** The audience that was found to be right last, by process. */
  readonly #right: { readonly to: readonly Endpoint[]; readonly view: View }[] = [];
  /** The first receipt that the step under way is about, until it is told on. */
  #owed: Request | undefined;

  constructor(report: Report, now: () => Millis) {
    this.#report = report;
    this.#now = now;
  }

  heard(process: Process, request: Request): void {
    this.#owed = undefined;
    if (request.kind !== "broadcast" || lacksIdentities(request.gossip, process)) return;
    if (this.#hears(process, request) && hasAudience(process)) this.#owed = request;
  }

  said(process: Process, request: Request, to: readonly Endpoint[]): void {
    if (request.kind !== "broadcast") return;
    this.#hears(process, request);
    this.toldOn(process, request, to);
  }

  toldOn(process: Process, request: Request, to: readonly Endpoint[]): void {
    if (request.kind !== "broadcast") return;
    if (!this.#tells(process, request)) this.#report(11, process, "told the same broadcast twice");
    if (this.#owed === request) this.#owed = undefined;
    const { view } = process;
    const right = this.#right[process.number];
    if (view === undefined || (right?.to === to && right.view === view)) return;
    const told = new Set(to);
    if (told.size !== to.length) this.#report(11, process, "tells somebody twice at once");
    if (told.has(process.endpoint)) this.#report(11, process, "tells itself");
    if (!view.subjectsOf(process.endpoint).every((node) => node === process.endpoint || told.has(node))) {
      this.#report(11, process, "does not tell all its successors");
    }
    this.#right[process.number] = { to, view };
  }

  stepped(process: Process, _event: Event): void {
    if (this.#owed === undefined) return;
    this.#owed = undefined;
    if (process.model === "node") this.#report(11, process, "heard a broadcast and did not tell it on");
  }

  /** False where it had heard this before. */
  #hears(process: Process, broadcast: Broadcast): boolean {
    const { era, number } = this.#numbered(broadcast);
    return era.marksOf(process).add(2 * number);
  }

  /** False where it had told this before. */
  #tells(process: Process, broadcast: Broadcast): boolean {
    const { era, number } = this.#numbered(broadcast);
    return era.marksOf(process).add(2 * number + 1);
  }

  #numbered(broadcast: Broadcast): Numbered {
    if (this.#last === broadcast) return this.#lastNumbered!;
    this.#last = broadcast;
    this.#lastNumbered = this.#originals.get(broadcast) ?? this.#lookUp(broadcast);
    return this.#lastNumbered;
  }

  #lookUp(broadcast: Broadcast): Numbered {
    if (this.#now() - this.#turnedAt > MEMORY_MS) {
      this.#turnedAt = this.#now();
      this.#old = this.#young;
      this.#young = new Era();
    }
    const { unique } = broadcast;
    const { broadcasts } = this.#young;
    let numbered = broadcasts.get(unique) ?? this.#old.broadcasts.get(unique);
    if (numbered === undefined) {
      numbered = { era: this.#young, number: broadcasts.size };
      broadcasts.set(unique, numbered);
      this.#originals.set(broadcast, numbered);
    }
    return numbered;
  }
}

function hasAudience({ view, endpoint }: Process): boolean {
  return view !== undefined && view.size > (view.size === 1 && view.has(endpoint) ? 1 : 0);
}

/** A vote of Node members that came through a Rust member does not say any more as whom joiners come: it is not to be heard. */
function lacksIdentities(gossip: Gossip, { view }: Process): boolean {
  if (view?.isAllNode !== true || gossip.configuration !== view.id || !("value" in gossip)) return false;
  return gossip.value.identities === undefined && gossip.value.some((node) => !view.has(node));
}
