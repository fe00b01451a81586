// Every ring is one circle, whoever observes is observed from the other side, and joiners are sent to those who stand
// before them. Invariant 8 of PITFALLS §3.1. Where members stand is not taken from them: order and id are computed here
// once more, slowly, by the letter of PROTOCOL §4.

import { compareEndpoints, type Endpoint } from "../../core/endpoint.ts";
import { hashBytesOf, uuidBytesOf } from "../../core/hash.ts";
import type { PreJoin, Reply, Request } from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import type { Process } from "../process.ts";
import type { Checker, Report } from "./checker.ts";

/** Larger views are checked for symmetry only. */
const RECOMPUTED_MAX = 40;
const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

export class Rings implements Checker {
  readonly ignoresBroadcasts = true;
  readonly #report: Report;
  /** Who asked, in the request that the step under way answers. */
  #asker: { readonly request: PreJoin; readonly token: number } | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  heard(_process: Process, request: Request, token: number): void {
    this.#asker = request.kind === "preJoin" ? { request, token } : undefined;
  }

  replied(process: Process, token: number, reply: Reply): void {
    const { view } = process;
    if (reply.kind !== "contacts" || this.#asker?.token !== token || view === undefined) return;
    if (view.id !== reply.configuration || view.size > RECOMPUTED_MAX) return;
    const { sender: endpoint, uuid } = this.#asker.request;
    // One that is a member already gets its view from whomever it asks.
    if (view.hasAs(endpoint, uuid) && reply.observers.every((observer) => observer === process.endpoint))
      return;
    const others = view.members.filter((node) => node !== endpoint);
    for (const [ring, observer] of reply.observers.entries()) {
      const order = orderOn(ring, [...others, endpoint]);
      const before = order.at(order.indexOf(endpoint) - 1)!;
      if (observer !== before && others.length > 0) {
        this.#report(
          8,
          process,
          `sends ${endpoint} to ${observer} on ring ${ring}, where it stands behind ${before}`,
        );
      }
    }
  }

  decided(process: Process, _from: View, to: View): void {
    if (to.size === 0) return;
    for (let ring = 0; ring < to.observers; ring++) this.#walk(process, to, ring);
    if (to.size > RECOMPUTED_MAX) return;
    for (let ring = 0; ring < to.observers; ring++) this.#compare(process, to, ring);
    let id = FNV_OFFSET;
    for (const member of orderOn(0, to.members)) id = fnv(id, hashBytesOf(member));
    for (const uuid of [...to.uuids].sort()) id = fnv(id, uuidBytesOf(uuid));
    if (id !== to.id) this.#report(8, process, `the id of ${to.id} should be ${id}`);
  }

  #walk(process: Process, view: View, ring: number): void {
    const seen = new Set<Endpoint>();
    let node = view.members[0]!;
    for (let i = 0; i < view.size; i++) {
      seen.add(node);
      const subject = view.subjectsOf(node)[ring]!;
      if (view.observersOf(subject)[ring] !== node) {
        return this.#report(
          8,
          process,
          `${node} has ${subject} on ring ${ring}, but not the other way round`,
        );
      }
      node = subject;
    }
    if (seen.size !== view.size) this.#report(8, process, `ring ${ring} of ${view.id} is not one circle`);
  }

  #compare(process: Process, view: View, ring: number): void {
    const order = orderOn(ring, view.members);
    const isRight = order.every((node, i) => view.subjectsOf(node)[ring] === order[(i + 1) % order.length]);
    if (!isRight) this.#report(8, process, `ring ${ring} of ${view.id} is in the wrong order`);
  }
}

function orderOn(ring: number, members: readonly Endpoint[]): readonly Endpoint[] {
  const prefix = Uint8Array.of(ring & 0xff, 0, 0, 0, 0, 0, 0, 0);
  return members
    .map((node) => ({ node, key: fnv(fnv(FNV_OFFSET, prefix), hashBytesOf(node)) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : compareEndpoints(a.node, b.node)))
    .map(({ node }) => node);
}

function fnv(hash: bigint, bytes: Uint8Array): bigint {
  let state = hash;
  for (const byte of bytes) state = BigInt.asUintN(64, (state ^ BigInt(byte)) * FNV_PRIME);
  return state;
}
