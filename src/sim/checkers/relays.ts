// Each broadcast is told on once by everybody who hears it, to all its ring successors. Invariant 11 of PITFALLS §3.1.

import type { Event, Millis } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Request } from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import { Marks } from "../marks.ts";
import type { Process } from "../process.ts";
import type { Checker, Report } from "./checker.ts";

/** How long a broadcast is watched; copies of it that come later are not. */
const MEMORY_MS = 600_000;

interface Spread {
  readonly unique: bigint;
  readonly heard: Marks;
  readonly told: Marks;
}

export class Relays implements Checker {
  readonly #report: Report;
  readonly #now: () => Millis;
  #young = new Map<bigint, Spread>();
  #old = new Map<bigint, Spread>();
  /** What was looked up last: one step hears of a broadcast and tells it on. */
  #last: Spread | undefined;
  #turnedAt: Millis = 0;
  /** The audience that was found to be right last, per process. */
  readonly #right = new WeakMap<Process, { readonly to: readonly Endpoint[]; readonly view: View }>();
  /** The first receipt that the step under way is about, until it is told on. */
  #owed: Request | undefined;

  constructor(report: Report, now: () => Millis) {
    this.#report = report;
    this.#now = now;
  }

  heard(process: Process, request: Request): void {
    this.#owed = undefined;
    if (request.kind !== "broadcast") return;
    const isFirst = this.#spreadOf(request.unique).heard.add(process.number);
    if (isFirst && hasAudience(process)) this.#owed = request;
  }

  said(process: Process, request: Request, to: readonly Endpoint[], isRelay: boolean): void {
    if (request.kind !== "broadcast") return;
    const spread = this.#spreadOf(request.unique);
    if (!isRelay) spread.heard.add(process.number);
    if (!spread.told.add(process.number)) this.#report(11, process, "told the same broadcast twice");
    if (this.#owed === request) this.#owed = undefined;
    const { view } = process;
    const right = this.#right.get(process);
    if (view === undefined || (right?.to === to && right.view === view)) return;
    const told = new Set(to);
    if (told.size !== to.length) this.#report(11, process, "tells somebody twice at once");
    if (told.has(process.endpoint)) this.#report(11, process, "tells itself");
    if (!view.subjectsOf(process.endpoint).every((node) => node === process.endpoint || told.has(node))) {
      this.#report(11, process, "does not tell all its successors");
    }
    this.#right.set(process, { to, view });
  }

  stepped(process: Process, _event: Event): void {
    if (this.#owed === undefined) return;
    this.#owed = undefined;
    if (process.model === "node") this.#report(11, process, "heard a broadcast and did not tell it on");
  }

  #spreadOf(unique: bigint): Spread {
    if (this.#now() - this.#turnedAt > MEMORY_MS) {
      this.#turnedAt = this.#now();
      this.#old = this.#young;
      this.#young = new Map();
    }
    if (this.#last?.unique === unique) return this.#last;
    let spread = this.#young.get(unique) ?? this.#old.get(unique);
    if (spread === undefined) {
      spread = { unique, heard: new Marks(), told: new Marks() };
      this.#young.set(unique, spread);
    }
    this.#last = spread;
    return spread;
  }
}

function hasAudience({ view, endpoint }: Process): boolean {
  return view !== undefined && view.size > (view.size === 1 && view.has(endpoint) ? 1 : 0);
}
