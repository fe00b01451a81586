// What an operator may order where so many members are gone that the rest can decide nothing any more (PITFALLS E9).
// Both orders end what the protocol promises, on a person's word; so they are taken only for the configuration that the
// person saw, with every name spelled out, and after a look whether something still answers at these names.

import type { Found, Millis, Token } from "./doorway.ts";
import { addressOf, type Endpoint } from "./endpoint.ts";
import { ack, type DeclareDead, type ForceNew, type Refused, type Reply, uuidIn } from "./messages.ts";
import type { CancelsByKind, Outgoing } from "./outgoing.ts";
import { refuse, refused } from "./refusals.ts";
import type { View } from "./view.ts";

export type Order = DeclareDead | ForceNew;

/** How long an order may take, from its arrival to its end. */
export const ORDER_MS = 30_000;
/** How long whoever accepts connections may take to say who it is, and how many are asked at a time. */
const INQUEST_MS = 5000;
const INQUESTS_MAX = 4;

/** Asks who it is that accepts connections at the address of a member. */
export interface Inquest {
  readonly kind: "inquest";
  readonly at: Endpoint;
}

/** What to do about an order now. */
export type Ruling =
  /** Decide without these, who stay silent for ever. */
  { readonly kind: "bury"; readonly dead: ReadonlySet<Endpoint> } | { readonly kind: "found" };

type Voice = Pick<Outgoing<Inquest>, "add" | "call" | "note" | "reply"> & CancelsByKind;

interface Pending {
  readonly token: Token;
  readonly order: Order;
  readonly until: Millis;
  /** Those of whom it is not known yet whether anything answers there. */
  readonly unheard: Set<Endpoint>;
  readonly answering: Set<Endpoint>;
  /** Who accepts connections and is still to be asked, and who is being asked. */
  readonly toAsk: Endpoint[];
  readonly asked: Set<Endpoint>;
  /** We have looked, and the order is being carried out. */
  isBegun: boolean;
}

export class LastResort {
  readonly #self: Endpoint;
  readonly #out: Voice;
  #pending: Pending | undefined;

  constructor(self: Endpoint, out: Voice) {
    this.#self = self;
    this.#out = out;
  }

  get wakeAt(): Millis {
    return this.#pending?.until ?? Infinity;
  }

  /** Takes an order, one at a time, and first looks whether anything answers at the names in it. */
  take(token: Token, order: Order, view: View | undefined, now: Millis): void {
    const fault = this.#pending === undefined ? faultIn(order, view, this.#self) : refuse.orderPending;
    if (fault !== undefined) return this.#out.reply(token, fault);
    const named = new Set(namesIn(order));
    this.#pending = {
      token,
      order,
      until: now + ORDER_MS,
      unheard: named,
      answering: new Set(),
      toAsk: [],
      asked: new Set(),
      isBegun: false,
    };
    for (const at of named) this.#out.add({ kind: "dial", at });
  }

  /** Whoever gave the order has stopped waiting: what has not begun yet does not begin. */
  hangup(token: Token): void {
    if (this.#pending?.token === token) this.#forget();
  }

  dialled(at: Endpoint, found: Found, view: View | undefined): Ruling | undefined {
    const pending = this.#pending;
    if (pending?.unheard.has(at) !== true) return undefined;
    if (found !== "accepted") return this.#looked(pending, at, found, view);
    pending.toAsk.push(at);
    this.#inquire(pending);
    return undefined;
  }

  #inquire({ toAsk, asked }: Pending): void {
    for (const at of toAsk.splice(0, INQUESTS_MAX - asked.size)) {
      asked.add(at);
      this.#out.call({ kind: "inquest", at }, at, { kind: "probe" }, INQUEST_MS);
    }
  }

  /** Where a process that was started again says by its uuid that it is another, the one before it is dead for certain. */
  answered({ at }: Inquest, reply: Reply, view: View | undefined): Ruling | undefined {
    const pending = this.#pending;
    if (pending?.unheard.has(at) !== true) return undefined;
    pending.asked.delete(at);
    this.#inquire(pending);
    const uuid = uuidIn(reply);
    const isAnother = uuid !== undefined && view?.hasAs(at, uuid) === false;
    return this.#looked(pending, at, isAnother ? "refused" : "accepted", view);
  }

  #looked(pending: Pending, at: Endpoint, found: Found, view: View | undefined): Ruling | undefined {
    pending.unheard.delete(at);
    if (found === "accepted") pending.answering.add(at);
    if (pending.unheard.size > 0) return undefined;
    const fault = faultIn(pending.order, view, this.#self) ?? faultInAnswers(pending, view!);
    if (fault !== undefined) return void this.#end(fault);
    pending.isBegun = true;
    const names = namesIn(pending.order).map(addressOf).join(", ");
    if (pending.order.kind === "forceNew") {
      this.#out.note("warn", `an operator had this member found a new mesh, without ${names}`);
      return { kind: "found" };
    }
    this.#out.note("warn", `an operator declared dead: ${names}`);
    return { kind: "bury", dead: new Set(pending.order.dead) };
  }

  /** The configuration has changed; where not all of the dead are gone, the rest is decided on in the new one. */
  follow(view: View | undefined): Ruling | undefined {
    const pending = this.#pending;
    if (pending === undefined) return undefined;
    if (view === undefined || !pending.isBegun) return void this.#end(refuse.wrongConfiguration);
    const dead = new Set(namesIn(pending.order).filter((node) => view.has(node)));
    if (dead.size > 0) return { kind: "bury", dead };
    return void this.#end(ack);
  }

  /** `unheard`: members that were not named, and of whom nothing was heard since. */
  wake(now: Millis, unheard: readonly Endpoint[]): void {
    if (now < this.wakeAt) return;
    const who =
      unheard.length === 0 ? "" : `: no answer from ${listOf(unheard)}, which the order does not name`;
    this.#end(refused("deadline_exceeded", `not decided in time${who}`));
  }

  #end(reply: Reply): void {
    this.#out.reply(this.#pending!.token, reply);
    this.#forget();
  }

  #forget(): void {
    this.#pending = undefined;
    this.#out.cancelThose(({ kind }) => kind === "inquest");
  }
}

function namesIn(order: Order): readonly Endpoint[] {
  return order.kind === "declareDead" ? order.dead : order.abandoned;
}

function faultIn(order: Order, view: View | undefined, self: Endpoint): Refused | undefined {
  if (view === undefined) return refuse.joining;
  if (order.configuration !== view.id) return refuse.wrongConfiguration;
  return order.kind === "declareDead"
    ? faultInDead(order.dead, view, self)
    : faultInAll(order.abandoned, view, self);
}

function faultInDead(dead: readonly Endpoint[], view: View, self: Endpoint): Refused | undefined {
  const strangers = dead.filter((node) => !view.has(node));
  if (strangers.length > 0) return refused("invalid_argument", `${listOf(strangers)}: expected members`);
  if (dead.includes(self)) return refused("invalid_argument", `${addressOf(self)}: this member is not dead`);
  if (dead.length === 0 || new Set(dead).size < dead.length) {
    return refused("invalid_argument", "expected at least one member, and none twice");
  }
  const rest = view.size - dead.length;
  if (rest < view.majority) return undefined;
  return refused(
    "failed_precondition",
    `the other ${rest} of ${view.size} are a majority, who need no order; name those of them too who are dead`,
  );
}

function faultInAll(abandoned: readonly Endpoint[], view: View, self: Endpoint): Refused | undefined {
  const others = view.membersByAddress.filter((node) => node !== self);
  if (others.length === 0) return refused("failed_precondition", "this member is alone already");
  const missing = others.filter((node) => !abandoned.includes(node));
  const strangers = abandoned.filter((node) => !others.includes(node));
  if (missing.length === 0 && strangers.length === 0 && abandoned.length === others.length) return undefined;
  const all = `expected all other members, ${listOf(others)}`;
  return refused("invalid_argument", strangers.length > 0 ? `${listOf(strangers)}: ${all}` : all);
}

function faultInAnswers({ order, answering }: Pending, view: View): Refused | undefined {
  if (answering.size === 0) return undefined;
  const who = listOf([...answering]);
  if (order.kind === "declareDead") {
    return refused("failed_precondition", `something answers at ${who}: end that process first`);
  }
  if (1 + answering.size < view.majority) return undefined;
  return refused("failed_precondition", `with ${who}, where something answers, this member has a majority`);
}

function listOf(nodes: readonly Endpoint[]): string {
  return nodes.map(addressOf).join(", ");
}
