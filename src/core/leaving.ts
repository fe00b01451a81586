// How a member gets out, of its own accord or because another process has taken its address. Nobody can report itself, so its observers must: Node members are asked to, and for Rust
// members, who cannot be asked, the leaver says it in their name (PITFALLS E5).

import type { Endpoint } from "./endpoint.ts";
import type { Alerts, Edge, Leave, Refused } from "./messages.ts";
import { refuse } from "./refusals.ts";
import type { View } from "./view.ts";

/**
 * Observers that are not yet in the configuration that we are leaving refuse to report us, so they are asked again,
 * after longer than a view change takes to reach everybody where nothing is wrong.
 */
export const FAREWELL_AGAIN_MS = 300;

/** What a leaver does, all at once, since view changes are held back meanwhile. */
export interface Farewell {
  readonly ask: readonly Endpoint[];
  readonly request: Leave;
  readonly say: readonly Alerts[];
}

export function farewell(view: View, self: Endpoint): Farewell {
  const observers = [...new Set(view.observersOf(self))];
  return {
    ask: observers.filter((observer) => view.isNode(observer)),
    request: { kind: "leave", sender: self, configuration: view.id },
    say: observers
      .filter((observer) => !view.isNode(observer))
      .map((sender) => ({
        kind: "alerts",
        sender,
        configuration: view.id,
        edges: edgesBetween(view, sender, self),
      })),
  };
}

/** What we report when another member leaves, or why we do not. */
export function edgesOfLeaver(
  view: View | undefined,
  self: Endpoint,
  { sender, configuration }: Leave,
): readonly Edge[] | Refused {
  if (view === undefined) return refuse.joining;
  if (!view.has(sender)) return refuse.notMember(sender);
  if (configuration !== view.id) return refuse.wrongConfiguration;
  const edges = sender === self ? [] : edgesBetween(view, self, sender);
  return edges.length === 0 ? refuse.invalidRing : edges;
}

/** What is said of a member whose address was taken: by us for our rings, and in the name of Rust observers (B5). */
export function accusations(view: View, self: Endpoint, subject: Endpoint): readonly Alerts[] {
  return view.members
    .filter((sender) => sender === self || !view.isNode(sender))
    .map((sender) => ({
      kind: "alerts" as const,
      sender,
      configuration: view.id,
      edges: subject === sender ? [] : edgesBetween(view, sender, subject),
    }))
    .filter(({ edges }) => edges.length > 0);
}

/** That the subject is down, on every ring on which `observer` holds it. */
function edgesBetween(view: View, observer: Endpoint, subject: Endpoint): readonly Edge[] {
  return view.ringsHeld(observer, subject).map((ring) => ({ node: subject, ring }));
}
