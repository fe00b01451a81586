// Small cases that searches put to a council: how many members, who comes to see what, who coordinates.

import { type Endpoint, nodeIdOf } from "../../core/endpoint.ts";
import { type Joiner, PEER_SERVICE, type Proposal } from "../../core/messages.ts";
import { View } from "../../core/view.ts";
import { endpointAt } from "../population.ts";

export interface Case {
  readonly members: number;
  /** One letter for each member: which of the values it comes to see; "-" for none. */
  readonly sees: string;
  readonly coordinators: readonly number[];
}

const FIRST_PORT = 1;
const OBSERVERS = 10;

export function joinerAt(endpoint: Endpoint): Joiner {
  const port = BigInt(endpoint.slice(endpoint.lastIndexOf(":") + 1));
  return { uuid: nodeIdOf(0n, port), metadata: { [PEER_SERVICE]: Uint8Array.of(0x31) } };
}

const views = new Map<number, View>();

/** A configuration of this many members, the same every time. */
export function viewOf(size: number): View {
  let view = views.get(size);
  if (view === undefined) {
    const [founder, ...others] = Array.from({ length: size }, (_, i) => endpointAt(FIRST_PORT + i));
    const founding = View.founding(OBSERVERS, founder!, joinerAt(founder!));
    view =
      others.length === 0
        ? founding
        : founding.next(others, new Map(others.map((node) => [node, joinerAt(node)])));
    views.set(size, view);
  }
  return view;
}

/** What a letter of `sees` stands for: joiners, and the last member that crashed. */
export function valueNamed(letter: string, view: View): Proposal | undefined {
  const joiners: Record<string, readonly number[]> = { a: [101], b: [102], c: [101, 102] };
  if (letter === "d") return [view.members.at(-1)!];
  return joiners[letter]?.map(endpointAt);
}
