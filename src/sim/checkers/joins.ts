// Whoever is let in is let into a configuration that has it, and nobody waits at a door for ever, or for longer than the
// configuration lasts that it asked about (PITFALLS B11). Invariants 14 and 21 of PITFALLS §3.1.

import type { Event, Millis, ViewChange } from "../../core/doorway.ts";
import type { NodeId } from "../../core/endpoint.ts";
import type { Join, Joined, Reply, Request } from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import type { Process } from "../process.ts";
import type { Checker, Report } from "./checker.ts";

/** No joiner waits longer for one call, and no configuration changes so slowly when all is well. */
const WAIT_MAX_MS = 60_000;

interface Waiting {
  readonly join: Join;
  readonly since: Millis;
}

export class Joins implements Checker {
  readonly ignoresBroadcasts = true;
  readonly #report: Report;
  readonly #now: () => Millis;
  readonly #waiting = new Map<Process, Map<number, Waiting>>();
  /** As whom each process has asked to be let in. */
  readonly #asked = new Map<Process, Set<NodeId>>();
  /** Answers of the step under way; whether they are right is known when it is over. */
  readonly #given: { readonly join: Join; readonly reply: Joined }[] = [];
  /** How many views the step under way led through: who catches up takes several, and lets joiners into each. */
  #taken = 0;

  constructor(report: Report, now: () => Millis) {
    this.#report = report;
    this.#now = now;
  }

  /** This very process was let in on the way to this configuration, by what it asked; founders did not have to ask. */
  wasLetIn(process: Process, view: View): boolean {
    const asked = this.#asked.get(process);
    return process.seeds.length === 0 || asked === undefined || [...asked].some((uuid) => view.knows(uuid));
  }

  said(process: Process, request: Request): void {
    if (request.kind !== "join") return;
    const asked = this.#asked.get(process) ?? new Set<NodeId>();
    this.#asked.set(process, asked.add(request.uuid));
  }

  heard(process: Process, request: Request, token: number): void {
    if (request.kind !== "join") return;
    const waiting = this.#waiting.get(process) ?? new Map<number, Waiting>();
    this.#waiting.set(process, waiting.set(token, { join: request, since: this.#now() }));
  }

  hungUp(process: Process, token: number): void {
    this.#waiting.get(process)?.delete(token);
  }

  replied(process: Process, token: number, reply: Reply): void {
    const waiting = this.#waiting.get(process);
    const join = waiting?.get(token)?.join;
    waiting?.delete(token);
    if (reply.kind === "joined" && join !== undefined) this.#given.push({ join, reply });
  }

  ended(process: Process): void {
    this.#waiting.delete(process);
  }

  took(process: Process, { view }: ViewChange): void {
    this.#taken += 1;
    // Others had it join anew, as they do with Rust members: whom they have at its address is not this process any more.
    if (!process.seemsNode && !view.has(process.endpoint)) this.#asked.set(process, new Set());
  }

  stepped(process: Process, _event: Event): void {
    const cuts = 1 + this.#taken;
    this.#taken = 0;
    if (cuts > 1) this.#checkLeftOver(process);
    if (this.#given.length === 0) return;
    const views = process.cuts.slice(-cuts).map(({ view }) => view);
    for (const { join, reply } of this.#given.splice(0)) {
      const view = views.find(({ id }) => id === reply.view.id && id === reply.configuration);
      if (view === undefined) {
        this.#report(14, process, `let ${join.sender} into ${reply.view.id}, where it is not itself`);
      } else if (!view.hasAs(join.sender, join.uuid)) {
        this.#report(14, process, `let ${join.sender} into ${view.id}, which does not have it as it came`);
      }
    }
  }

  #checkLeftOver(process: Process): void {
    for (const { join } of this.#waiting.get(process)?.values() ?? []) {
      if (join.configuration === process.view?.id) continue;
      this.#report(21, process, `lets ${join.sender} wait, which asked about a configuration that is over`);
    }
  }

  settled(): void {
    for (const [process, waiting] of this.#waiting) {
      if (!process.isLiving || process.isFrozen) continue;
      for (const { join, since } of waiting.values()) {
        if (this.#now() - since < WAIT_MAX_MS) continue;
        this.#report(
          21,
          process,
          `${join.sender} has waited for ${Math.round(this.#now() - since)} ms to be let in`,
        );
      }
    }
  }
}
