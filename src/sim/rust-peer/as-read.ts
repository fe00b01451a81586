// What the crate reads of a message: the fields that it knows. It tells the same on, so that what Node members say to each
// other in fields of their own does not get past a Rust member.

import type { Request } from "../../core/messages.ts";

export function asRead(request: Request): Request {
  if (request.kind === "broadcast") {
    const gossip = asRead(request.gossip) as typeof request.gossip;
    return gossip === request.gossip ? request : { ...request, gossip };
  }
  if (!("value" in request)) return request;
  const { identities, advice } = request.value;
  return identities === undefined && advice === undefined
    ? request
    : { ...request, value: [...request.value] };
}
