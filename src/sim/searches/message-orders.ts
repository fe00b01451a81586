// All orders in which the messages of a small case can arrive, each once. Two orders are the same where they differ in
// events at different members only, which cannot disturb each other; dynamic partial order reduction (Flanagan and
// Godefroid, POPL 2005) with sleep sets finds the others: it runs one order, looks which of its events could have come the
// other way round, and goes back there.

import type { Violation } from "../checkers/checker.ts";
import { TraceHash } from "../trace-hash.ts";
import type { Line } from "../transcript.ts";
import { type Case, joinerAt, valueNamed, viewOf } from "./case.ts";
import { Council, type Pending } from "./council.ts";
import { outcomeOf, type Search, type SearchOptions } from "./search.ts";

/** From a seed each, one after the other; those at the end have too many orders to see all of them. */
const CASES: readonly (Case & { readonly isDoubled?: true })[] = [
  { members: 3, sees: "aaa", coordinators: [0] },
  { members: 3, sees: "aab", coordinators: [2] },
  { members: 3, sees: "aab", coordinators: [0, 2] },
  { members: 3, sees: "ab-", coordinators: [0, 1], isDoubled: true },
  { members: 4, sees: "aaab", coordinators: [3] },
  { members: 4, sees: "aabb", coordinators: [0] },
  { members: 4, sees: "aaac", coordinators: [3], isDoubled: true },
  { members: 5, sees: "aaaab", coordinators: [4] },
  { members: 5, sees: "a--b-", coordinators: [0, 3], isDoubled: true },
  { members: 5, sees: "aaabb", coordinators: [4] },
  { members: 4, sees: "aabb", coordinators: [0, 2] },
  { members: 5, sees: "aabbc", coordinators: [0, 4] },
];

/** Orders of one case that are tried. */
const ORDERS_MAX = 3000;

/** One event of an order, and what could have come instead of it. */
interface Node {
  event: Pending;
  /** The events before it that had to come before it, as bits. */
  before: bigint;
  readonly enabled: ReadonlyMap<string, Pending>;
  readonly asleep: Set<string>;
  readonly todo: Set<string>;
}

export interface Outcome {
  readonly orders: number;
  readonly isComplete: boolean;
  readonly steps: number;
  readonly violations: readonly Violation[];
  readonly lines: readonly Line[];
  readonly traceHash: string;
}

export interface OrdersOptions {
  readonly seed: bigint;
  /** Every promise is heard twice. */
  readonly isDoubled?: boolean | undefined;
  readonly keepsLines?: boolean | undefined;
  readonly ordersMax?: number | undefined;
}

export function allOrders(
  { members, sees, coordinators }: Case,
  { seed, isDoubled = false, keepsLines = false, ordersMax = ORDERS_MAX }: OrdersOptions,
): Outcome {
  const view = viewOf(members);
  const notices = [...sees].map((letter) => valueNamed(letter, view));
  const path: Node[] = [];
  const trace = new TraceHash();
  let orders = 0;
  let steps = 0;
  for (;;) {
    const council = new Council({ view, notices, coordinators, joinerOf: joinerAt, seed, keepsLines });
    const isNew = play(council, path, isDoubled ? 2 : 1);
    if (isNew) {
      orders += 1;
      hearTheRest(council);
    }
    steps += council.steps;
    trace.addText(council.trace.digest());
    const { violations, lines } = council;
    const isComplete = violations.length === 0 && !turnBack(path);
    if (violations.length > 0 || isComplete || orders >= ordersMax) {
      return { orders, isComplete, steps, violations, lines, traceHash: trace.digest() };
    }
  }
}

/** Votes and acceptances move nobody but who counts them, so they are all heard in the end, and some of them again. */
export function isForTheEnd({ kind }: Pending): boolean {
  return kind === "fastAccepted" || kind === "accepted";
}

/** Follows the path and goes on from there; false where that leads to nothing but orders that are known. */
function play(council: Council, path: Node[], times: number): boolean {
  const last: (number | undefined)[] = [];
  for (let depth = 0; ; depth++) {
    const enabled = new Map([...council.pending].filter(([, event]) => !isForTheEnd(event)));
    if (enabled.size === 0) return true;
    let node = path[depth];
    if (node === undefined) {
      const parent = path[depth - 1];
      const asleep = new Set<string>();
      for (const name of parent?.asleep ?? []) {
        if (parent!.enabled.get(name)?.to !== parent!.event.to && enabled.has(name)) asleep.add(name);
      }
      const event = [...enabled.values()].find(({ name }) => !asleep.has(name));
      if (event === undefined) return false;
      node = { event, before: 0n, enabled, asleep, todo: new Set() };
      path.push(node);
    }
    const { event } = node;
    const rival = last[event.to];
    const cause = event.cause < 0 ? 0n : bit(event.cause) | path[event.cause]!.before;
    if (rival !== undefined && (cause & bit(rival)) === 0n) addReversal(path, rival, depth);
    node.before = cause | (rival === undefined ? 0n : bit(rival) | path[rival]!.before);
    last[event.to] = depth;
    council.happen(enabled.get(event.name)!, event.kind === "promise" ? times : 1);
  }
}

/** The event at `depth` could have come before its rival: what has to come first for that is to be tried there. */
function addReversal(path: readonly Node[], rival: number, depth: number): void {
  for (let i = rival + 1; i <= depth; i++) {
    const isLater = i < depth && (path[i]!.before & bit(rival)) !== 0n;
    if (isLater) continue;
    const { name } = path[i]!.event;
    if (!path[rival]!.asleep.has(name)) path[rival]!.todo.add(name);
    return;
  }
}

/** To the last place where something else is to be tried; false where there is none. */
function turnBack(path: Node[]): boolean {
  for (let node = path.pop(); node !== undefined; node = path.pop()) {
    node.asleep.add(node.event.name);
    const next = [...node.todo].find((name) => !node.asleep.has(name));
    if (next === undefined) continue;
    path.push({ ...node, event: node.enabled.get(next)!, before: 0n });
    return true;
  }
  return false;
}

function hearTheRest(council: Council): void {
  for (let event = first(council); event !== undefined; event = first(council)) council.happen(event, 2);
}

function first({ pending }: Council): Pending | undefined {
  for (const event of pending.values()) return event;
  return undefined;
}

function bit(place: number): bigint {
  return 1n << BigInt(place);
}

export const messageOrders: Search = {
  name: "message-orders",
  about:
    "all orders in which the messages of a small case can arrive: 3 to 5 members, one or two values, one or two coordinators",
  run({ seed, keepsTranscript }: SearchOptions) {
    const one = CASES[Number((seed + BigInt(CASES.length - 1)) % BigInt(CASES.length))]!;
    const { isDoubled = false } = one;
    const outcome = allOrders(one, { seed, isDoubled, keepsLines: keepsTranscript });
    const { members, sees, coordinators } = one;
    const what = `${outcome.orders} orders${outcome.isComplete ? ", which are all" : ""}: ${members} members that see ${sees}, ${coordinators.join(" and ")} coordinate${isDoubled ? ", every promise arrives twice" : ""}`;
    return outcomeOf({
      seed,
      scenario: "message-orders",
      members,
      steps: outcome.steps,
      violations: outcome.violations,
      traceHash: outcome.traceHash,
      lines: [{ atMs: 0, who: undefined, what }, ...outcome.lines],
    });
  },
};
