// One member hears the reports about several that crashed, and about one that joins, in all kinds of orders: one batch of
// each observer that lives, as its probes fail. It must make up its mind with the last report that it takes, and not before:
// what is implied by observers that are going themselves has to be drawn to the end (PITFALLS B7). In rings of nearby
// addresses few observe many (B14), so that chains of such conclusions are long.

import type { Endpoint } from "../../core/endpoint.ts";
import type { Alerts, Edge } from "../../core/messages.ts";
import { seededRandom } from "../../core/random.ts";
import { Round } from "../../core/round.ts";
import { DEFAULT_SETTINGS } from "../../core/settings.ts";
import type { View } from "../../core/view.ts";
import type { Violation } from "../checkers/checker.ts";
import { Reports } from "../checkers/reports.ts";
import { endpointAt } from "../population.ts";
import { Process } from "../process.ts";
import { type Stream, Streams } from "../streams.ts";
import { TraceHash } from "../trace-hash.ts";
import { type Line, nameOf } from "../transcript.ts";
import { joinerAt, viewOf } from "./case.ts";
import { outcomeOf, type Search } from "./search.ts";

const ORDERS = 100;
const JOINER = endpointAt(900);

/** What those who live report, a batch each, in a drawn order. */
function batchesAbout(
  view: View,
  dead: ReadonlySet<Endpoint>,
  joins: boolean,
  dice: Stream,
): readonly Alerts[] {
  const edges = new Map<Endpoint, Edge[]>();
  for (const node of joins ? [...dead, JOINER] : dead) {
    for (const [ring, observer] of view.observersOf(node).entries()) {
      if (dead.has(observer)) continue;
      const edge = node === JOINER ? { node, ring, join: joinerAt(node) } : { node, ring };
      edges.set(observer, [...(edges.get(observer) ?? []), edge]);
    }
  }
  return shuffled([...edges], dice).map(([sender, told]) => ({
    kind: "alerts",
    sender,
    configuration: view.id,
    edges: shuffled(told, dice),
  }));
}

function shuffled<T>(items: T[], dice: Stream): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = dice.below(i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}

function hearAll(view: View, dice: Stream, seed: bigint, tell: (what: string) => void): readonly Violation[] {
  const violations: Violation[] = [];
  const members = shuffled([...view.members], dice);
  const self = members.pop()!;
  const dead = new Set(members.slice(0, dice.between(1, Math.ceil(view.size / 2) - 1)));
  const checker = new Reports(
    (invariant, process, what) => {
      violations.push({ invariant, atMs: 0, member: process!.endpoint, what });
    },
    DEFAULT_SETTINGS,
    () => 0,
  );
  const host = { endpoint: self, isUp: true, aheadMs: 0, drift: 0, process: undefined };
  const process = new Process(0, host, view.recordOf(self)!.metadata, "node", 0);
  const cut = { view, joined: [], kicked: [], degraded: false };
  checker.took(process, cut);
  process.cuts.push(cut);
  const round = new Round(view, self, DEFAULT_SETTINGS, seededRandom(seed));
  tell(`${view.size} members, of which ${[...dead].map(nameOf).join(" ")} are dead`);
  for (const batch of batchesAbout(view, dead, dice.chance(0.3), dice)) {
    checker.heard(process, batch);
    for (const gossip of round.hear(batch, 0).say) checker.uttered(process, gossip);
    checker.stepped(process, { kind: "wake" });
    tell(`hears ${nameOf(batch.sender)} report ${batch.edges.map(({ node }) => nameOf(node)).join(" ")}`);
    if (violations.length > 0) break;
  }
  return violations;
}

export const reportOrders: Search = {
  name: "report-orders",
  about:
    "reports about several that crash at once, in drawn orders: a mind is made up with the last that it takes",
  run({ seed, keepsTranscript }) {
    const dice = new Streams(seed).of("report orders");
    const view = viewOf(dice.between(4, 50));
    const lines: Line[] = [];
    const trace = new TraceHash();
    let steps = 0;
    let violations: readonly Violation[] = [];
    for (let i = 0; i < ORDERS && violations.length === 0; i++) {
      violations = hearAll(view, dice, seed, (what) => {
        steps += 1;
        trace.addText(what);
        if (keepsTranscript) lines.push({ atMs: 0, who: undefined, what });
      });
    }
    return outcomeOf({
      seed,
      scenario: "report-orders",
      members: view.size,
      steps,
      violations,
      traceHash: trace.digest(),
      lines,
    });
  },
};
