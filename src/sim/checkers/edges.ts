// Observers report their own subjects only, and nobody is removed whom nobody suspects. Invariants 12 and 20 of PITFALLS
// §3.1.

import { countOnes } from "../../core/bitset.ts";
import type { Millis, ViewChange } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Alerts, ConfigurationId, Edge, Request } from "../../core/messages.ts";
import type { Settings } from "../../core/settings.ts";
import type { View } from "../../core/view.ts";
import type { Host, Process } from "../process.ts";
import type { Checker, Report } from "./checker.ts";

/** Probe periods after which three probes may have failed, so that an observer gives its subject up. */
const PATIENCE_PERIODS = 2;

export class Edges implements Checker {
  readonly #report: Report;
  readonly #hosts: ReadonlyMap<Endpoint, Host>;
  readonly #settings: Settings;
  readonly #now: () => Millis;
  /** Configuration → endpoint → the rings on which somebody reported it, as bits. */
  readonly #told = new Map<ConfigurationId, Map<Endpoint, number>>();
  /** When somebody first took a configuration. */
  readonly #since = new Map<ConfigurationId, Millis>();
  /** Who learned late that it is a member, and in which configuration. */
  readonly #late = new Map<Process, ConfigurationId>();

  constructor(report: Report, hosts: ReadonlyMap<Endpoint, Host>, settings: Settings, now: () => Millis) {
    this.#report = report;
    this.#hosts = hosts;
    this.#settings = settings;
    this.#now = now;
  }

  /** Endpoints that were reported in this configuration on too many rings to be noise, and too few to be stable. */
  unstable(id: ConfigurationId): readonly Endpoint[] {
    const { low, high } = this.#settings.cutDetector;
    return [...(this.#told.get(id) ?? [])]
      .filter(([, rings]) => countOnes(rings) >= low && countOnes(rings) < high)
      .map(([node]) => node);
  }

  said(process: Process, request: Request, to: readonly Endpoint[]): void {
    const gossip = request.kind === "broadcast" ? request.gossip : request;
    if (gossip.kind !== "alerts") return;
    // One that stayed behind, and cannot be told in any other way, is told what ended the configuration that it is in.
    if (request.kind !== "broadcast" && to.some((node) => this.#isForeign(node))) return;
    let told = this.#told.get(gossip.configuration);
    // What was told is told once more to one who stayed behind, by whomever.
    const isNews = gossip.edges.some(({ node, ring }) => (((told?.get(node) ?? 0) >>> ring) & 1) === 0);
    if (!isNews && (gossip.sender !== process.endpoint || gossip.configuration !== process.view?.id)) return;
    this.#checkAlerts(process, gossip);
    if (told === undefined) {
      told = new Map();
      this.#told.set(gossip.configuration, told);
    }
    for (const { node, ring } of gossip.edges) told.set(node, (told.get(node) ?? 0) | (1 << ring));
  }

  #checkAlerts(process: Process, { sender, configuration, edges }: Alerts): void {
    const { view, endpoint } = process;
    if (view?.id !== configuration) {
      return this.#report(12, process, `reports in ${configuration}, where it is not`);
    }
    // Whoever leaves may say so in the name of observers that cannot be asked to.
    const isProxy = sender !== endpoint && process.leavesAt !== undefined;
    if (!view.isNode(sender) && edges.every(({ node }) => this.#isAnother(node, view))) return;
    if (sender !== endpoint && !isProxy) {
      this.#report(12, process, `reports in the name of ${sender}`);
    }
    for (const edge of edges) {
      const wrong = isProxy ? faultInProxy(edge, endpoint) : faultIn(edge, view, sender);
      if (wrong !== undefined)
        this.#report(12, process, `reports ${edge.node} on ring ${edge.ring}: ${wrong}`);
    }
  }

  #isForeign(node: Endpoint): boolean {
    return this.#hosts.get(node)?.process?.seemsNode === false;
  }

  /**
   * Another process has taken its address: Rust observers do not notice, and are spoken for (PITFALLS B5). A Rust process
   * is let in as whoever was let in there, so it may be where the others are, as a Node member.
   */
  #isAnother(node: Endpoint, view: View): boolean {
    const process = this.#hosts.get(node)?.process;
    return process?.view?.id !== view.id || (view.isNode(node) && !process.seemsNode);
  }

  took(process: Process, { view: { id } }: ViewChange): void {
    const since = this.#since.get(id) ?? this.#now();
    this.#since.set(id, since);
    const isLate = this.#now() - since >= PATIENCE_PERIODS * this.#settings.faultTimeoutMs;
    if (isLate && !process.isMember) this.#late.set(process, id);
  }

  decided(process: Process, from: View, to: View): void {
    const told = this.#told.get(from.id) ?? new Map<Endpoint, number>();
    const kicked = from.members.filter((node) => !to.has(node));
    if (kicked.length === 0) return;
    const going = this.#goingWith(kicked, from);
    const { low } = this.#settings.cutDetector;
    for (const node of kicked) {
      const reported = told.get(node) ?? 0;
      // Nobody can report one whose observers all go, with it or, where they are too many at a time, after it.
      const hasWitness = from.observersOf(node).some((observer) => !going.has(observer));
      if ((reported === 0 && hasWitness) || this.#ringsAgainst(node, from, going) < low) {
        this.#report(20, process, `${node} was removed, but reported on ${countOnes(reported)} rings only`);
      }
      const victim = this.#hosts.get(node)?.process;
      if (victim?.model !== "node") continue; // Models of other peers may be deaf while they join, or stay behind.
      if (this.#late.get(victim) === from.id) continue; // So late that it may have been given up before.
      // The first Node member may follow others so late that it is back, or another process at its address is in.
      if (victim.view?.uuids.every((uuid) => from.knows(uuid)) !== true) continue;
      if (victim.isStaying && victim.isMember && !victim.isFrozen && !victim.isHarmed) {
        this.#report(20, process, `${node} was removed, but nothing was ever wrong with it`);
      }
    }
  }

  /** These, and all whom somebody reported and who are unstable at least, by reports and by what these imply (PITFALLS B7). */
  #goingWith(kicked: readonly Endpoint[], from: View): ReadonlySet<Endpoint> {
    const going = new Set(kicked);
    const reported = [...(this.#told.get(from.id)?.keys() ?? [])].filter((node) => from.has(node));
    for (let size = -1; size < going.size; ) {
      size = going.size;
      for (const node of reported)
        if (this.#ringsAgainst(node, from, going) >= this.#settings.cutDetector.low) going.add(node);
    }
    return going;
  }

  /** On how many rings a member was reported, or is observed by one of these. */
  #ringsAgainst(node: Endpoint, from: View, going: ReadonlySet<Endpoint>): number {
    let rings = this.#told.get(from.id)?.get(node) ?? 0;
    for (const [ring, observer] of from.observersOf(node).entries())
      if (going.has(observer)) rings |= 1 << ring;
    return countOnes(rings);
  }
}

function faultIn({ node, ring, join }: Edge, view: View, sender: Endpoint): string | undefined {
  if (node === sender) return "that is itself";
  if (view.observersOf(node)[ring] !== sender) return "it is not its observer there";
  if (view.has(node) !== (join === undefined)) return "a member joins, or somebody else is down";
  return undefined;
}

function faultInProxy({ node, join }: Edge, leaver: Endpoint): string | undefined {
  return node === leaver && join === undefined ? undefined : "a leaver may speak of itself only";
}
