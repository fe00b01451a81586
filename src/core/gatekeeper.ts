// What those who want in are told, and the joiners that we vouch for as their observers and whose calls we have not
// answered yet. All calls of one joiner are kept, since any answer that arrives lets it in (PITFALLS B11).

import type { Millis, Token } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Edge, Join, PreJoin, Reply } from "./messages.ts";
import { refuse } from "./refusals.ts";
import type { View } from "./view.ts";

/** How often a joiner that still waits is reported again; reports are sets, so repeating is free of harm. */
const REPEAT_MS = 1000;
const WAITING_MAX = 20_000;

export class Gatekeeper {
  readonly #waiting = new Map<Token, Join>();
  #repeatAt: Millis = Infinity;

  get wakeAt(): Millis {
    return this.#repeatAt;
  }

  get isFull(): boolean {
    return this.#waiting.size >= WAITING_MAX;
  }

  /** The answer to a Join that need not wait, because it can be given now. */
  judge(join: Join, view: View | undefined, self: Endpoint): Reply | undefined {
    if (view === undefined) return refuse.joining;
    const { sender, uuid, configuration } = join;
    if (view.hasAs(sender, uuid)) return { kind: "joined", sender: self, configuration: view.id, view };
    if (configuration !== view.id) return refuse.wrongConfiguration;
    if (view.has(sender)) return refuse.hostExists;
    if (view.knows(uuid)) return refuse.uuidExists;
    if (!isOurs(join, view, self)) return refuse.invalidRing;
    return this.isFull ? refuse.tooMany : undefined;
  }

  admit(token: Token, join: Join, now: Millis): void {
    this.#waiting.set(token, join);
    this.#repeatAt = Math.min(this.#repeatAt, now + REPEAT_MS);
  }

  hangup(token: Token): void {
    this.#waiting.delete(token);
    if (this.#waiting.size === 0) this.#repeatAt = Infinity;
  }

  /** The edges of those who still wait, when it is time to repeat them. */
  repeat(now: Millis): readonly Edge[] {
    if (now < this.#repeatAt) return [];
    this.#repeatAt = this.#waiting.size === 0 ? Infinity : now + REPEAT_MS;
    return [...this.#waiting.values()].flatMap(edgesOf);
  }

  /** Ends every call after a view change: with the view for the admitted, with a reason to ask again for the rest. */
  release(view: View, self: Endpoint): readonly { readonly token: Token; readonly reply: Reply }[] {
    const replies = [...this.#waiting].map(([token, join]) => ({ token, reply: answerTo(join, view, self) }));
    this.#waiting.clear();
    this.#repeatAt = Infinity;
    return replies;
  }

  /** The calls that nobody here will answer any more. */
  close(): readonly Token[] {
    const tokens = [...this.#waiting.keys()];
    this.#waiting.clear();
    this.#repeatAt = Infinity;
    return tokens;
  }
}

/** Who would observe this joiner, or why it cannot come in. */
export function contactsFor({ sender, uuid }: PreJoin, view: View | undefined, self: Endpoint): Reply {
  if (view === undefined) return refuse.joining;
  const { id: configuration } = view;
  // A member that never got its view, as its uuid tells, gets it here: Rust observers turn it away.
  if (view.hasAs(sender, uuid)) {
    const rings = Array.from({ length: view.observers }, (_, ring) => ring);
    return {
      kind: "contacts",
      sender: self,
      configuration,
      observers: rings.map(() => self),
      nodeRings: rings,
    };
  }
  if (view.has(sender)) return refuse.hostExists;
  if (view.knows(uuid)) return refuse.uuidExists;
  const observers = view.observersOf(sender);
  const nodeRings = observers.flatMap((observer, ring) => (view.isNode(observer) ? [ring] : []));
  return { kind: "contacts", sender: self, configuration, observers, nodeRings };
}

/** Whether we are the joiner's observer on every ring that it names, and it names none of them twice. */
function isOurs({ sender, ring, moreRings = [] }: Join, view: View, self: Endpoint): boolean {
  const observers = view.observersOf(sender);
  const rings = new Set([ring, ...moreRings]);
  return rings.size === 1 + moreRings.length && [...rings].every((asked) => observers[asked] === self);
}

/** What an observer tells the others of who asked it to be let in: one edge for each ring that it was asked on. */
export function edgesOf({ sender, ring, moreRings = [], uuid, metadata }: Join): readonly Edge[] {
  const join = { uuid, metadata };
  return [ring, ...moreRings].map((on) => ({ node: sender, ring: on, join }));
}

function answerTo(join: Join, view: View, self: Endpoint): Reply {
  const record = view.recordOf(join.sender);
  if (record === undefined) return refuse.wrongConfiguration;
  if (record.uuid !== join.uuid) return refuse.hostExists; // Another incarnation was admitted at this address.
  return { kind: "joined", sender: self, configuration: view.id, view };
}
