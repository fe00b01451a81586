// Passes every message through its bytes, as it would travel: what the codec loses, adds or refuses shows up in the
// simulation. What was read from bytes once is not read again when it is passed on, and shared by all who get it.

import type { Refused, Reply, Request } from "../core/messages.ts";
import { refused } from "../core/refusals.ts";
import type { View } from "../core/view.ts";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "../grpc/codec.ts";
import { decodeProbeResult, encodeProbeResult } from "../grpc/peer-codec.ts";
import type { Wire } from "./network.ts";

export function protobufWire(observers: number): Wire {
  const requests = new WeakMap<Request, Request | Refused>();
  const views = new WeakMap<View, Reply>();

  function request(sent: Request): Request | Refused {
    let read = requests.get(sent);
    if (read === undefined) {
      read = decodeRequest(sent.kind, encodeRequest(sent));
      requests.set(sent, read);
      if (read.kind !== "refused") requests.set(read, read);
    }
    return read;
  }

  function reply(to: Request, sent: Reply): Reply {
    if (to.kind === "probe" && "uuid" in sent) return decodeProbeResult(encodeProbeResult(sent));
    if (sent.kind === "refused") return refused(sent.code, sent.why);
    if (sent.kind !== "joined") return decodeReply(to.kind, encodeReply(sent), observers);
    // The heading is a few bytes; the view is large, and many are told of it.
    const known = views.get(sent.view);
    if (known?.kind === "joined" && sent.configuration === sent.view.id) {
      return { ...known, sender: sent.sender };
    }
    const read = decodeReply(to.kind, encodeReply(sent), observers);
    if (sent.configuration === sent.view.id) views.set(sent.view, read);
    return read;
  }

  return { request, reply };
}
