// Where a mesh comes from, where there may be two: of a founder that founded anew what it had founded before (PITFALLS
// B5), and of an operator who had one member found a mesh in place of one that was lost (PITFALLS E9). Which of the two
// has to yield is judged here, by evidence.

import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Compare, Compared, ConfigurationId, Reply } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

/** A question to one who may be in an older mesh, in which our address is a member. */
export interface Claim {
  readonly kind: "claim";
  readonly to: Endpoint;
  readonly isOurs: boolean;
}

/** The mesh of this member is older, and we have to go there. */
export interface Elder {
  readonly to: Endpoint;
  readonly why: string;
}

const REPLACED_MAX = 8;

export class Origins {
  readonly #timeoutMs: Millis;
  readonly #out: Pick<Outgoing<Claim>, "call" | "note">;
  /** We founded this mesh of our own accord, and nobody told us where another one is. */
  #isFounder = false;
  #movedTo: readonly Endpoint[] = [];
  #claimedAt: Millis = -Infinity;
  /** Configurations in whose place an operator had us found a new mesh. */
  #replaced: readonly ConfigurationId[] = [];
  /** Who founded, by an operator's order, a new mesh in place of our configuration. */
  #successor: Endpoint | undefined;
  #knowsOfSplit = false;

  constructor({ faultTimeoutMs }: Settings, out: Pick<Outgoing<Claim>, "call" | "note">) {
    this.#timeoutMs = faultTimeoutMs;
    this.#out = out;
  }

  get isFounder(): boolean {
    return this.#isFounder;
  }

  get successor(): Endpoint | undefined {
    return this.#successor;
  }

  /** What others are told of it who compare. */
  get told(): Pick<Compared, "contacts" | "replaced"> {
    return { contacts: this.#movedTo, replaced: this.#replaced };
  }

  /** We founded a mesh; by an operator's order, where it replaces a configuration. */
  founded(replaced?: View): void {
    this.#isFounder = true;
    this.#movedTo = [];
    this.#replaced =
      replaced === undefined ? [] : [replaced.id, ...this.#replaced.slice(0, REPLACED_MAX - 1)];
  }

  /** We entered a mesh that others founded. */
  entered(): void {
    this.#isFounder = false;
    this.#replaced = [];
  }

  /** Another configuration begins. */
  follow(): void {
    this.#successor = undefined;
    this.#knowsOfSplit = false;
  }

  /** True where this one says that it founded a mesh in place of our configuration. */
  isSucceededBy(from: Endpoint, { replaced }: Compared, view: View): boolean {
    if (!replaced.includes(view.id)) return false;
    this.#successor = from;
    return true;
  }

  /** Asks one who may be in an older mesh. Claims are made one after the other, and not too often. */
  claim(to: Endpoint, isOurs: boolean, question: Compare, now: Millis): void {
    if (now <= this.#claimedAt + this.#timeoutMs / 2) return;
    this.#claimedAt = now;
    this.#out.call({ kind: "claim", to, isOurs }, to, question, this.#timeoutMs);
  }

  /** Somebody is where it should not be. */
  noteSplit(why: string): void {
    if (!this.#knowsOfSplit) this.#out.note("warn", `the mesh is split in two: ${why}`);
    this.#knowsOfSplit = true;
  }

  /** One of an older mesh told where it is. */
  judge({ to, isOurs }: Claim, reply: Reply, view: View): Elder | undefined {
    if (reply.kind !== "compared" || reply.configuration === 0n || reply.configuration === view.id) {
      return undefined;
    }
    // It knows what ended a configuration of ours, or was told of us as who we are: our own mesh, further on.
    if (reply.chain.length > 0 || reply.hasAdmitted) return undefined;
    const isKnown = reply.isMember || reply.wasMember;
    if (isKnown !== isOurs || (isOurs && !this.#isFounder)) return undefined;
    // Of two, the other one alone could not remove our old incarnation.
    if (reply.size < (reply.isMember ? 3 : 2) || view.size > 2 * reply.size) {
      this.noteSplit(`${to} is in an older mesh, of ${reply.size}, in which this address was a member`);
      return undefined;
    }
    this.#movedTo = [to];
    const why = isOurs
      ? "this address is a member of an older mesh"
      : "the founder of this mesh went back to an older one";
    return { to, why };
  }
}
