// What arrives of a reply where messages do not pass through bytes: a view crosses the wire without the uuids of its
// members, only their set is told. All who are told of one view share what arrives of it.

import type { Reply } from "../core/messages.ts";
import { View } from "../core/view.ts";

const views = new WeakMap<View, View>();

export function asReceived(reply: Reply): Reply {
  if (reply.kind !== "joined") return reply;
  let view = views.get(reply.view);
  if (view === undefined) {
    const { members, uuids, observers } = reply.view;
    const records = members.map((endpoint) => ({
      endpoint,
      metadata: reply.view.recordOf(endpoint)!.metadata,
    }));
    view = View.of(observers, records, uuids);
    views.set(reply.view, view);
  }
  return { ...reply, view };
}
