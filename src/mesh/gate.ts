// Who may come near the membership protocol: members of a mesh of the same name, by TLS where the mesh has it, and
// whom the user's own decision lets in. The core hears of nobody else.

import { addressOf, type Endpoint, isTls } from "../core/endpoint.ts";
import { type Join, MESH_NAME, type Metadata, type PreJoin, type Refused } from "../core/messages.ts";
import { refused } from "../core/refusals.ts";
import { type Gate, MESH_HEADER } from "../grpc/index.ts";
import type { Callers } from "./caller.ts";

export interface GateOptions {
  readonly meshName: string | undefined;
  /** Mutual TLS: who is reached in plaintext would be a way in for those without a certificate. */
  readonly needsTls: boolean;
  /** Present where the user decides. */
  readonly callers: Callers | undefined;
  readonly told: (who: string, why: string) => void;
}

export function gateOf({ meshName, needsTls, callers, told }: GateOptions): Gate {
  const refuse = (sender: Endpoint, refusal: Refused): Refused => {
    told(addressOf(sender), refusal.why);
    return refusal;
  };
  const newcomer = ({ sender }: PreJoin | Join): Refused | undefined => {
    if (needsTls && !isTls(sender)) {
      return refuse(sender, refused("permission_denied", "this mesh takes members with TLS only"));
    }
    return undefined;
  };
  return {
    preJoin(request, headers) {
      // Rust members send no such header; their metadata is looked at when they join.
      const [theirs] = headers.get(MESH_HEADER);
      if (theirs !== undefined && String(theirs) !== (meshName ?? "")) {
        return refuse(request.sender, otherMesh(meshName, String(theirs)));
      }
      return newcomer(request);
    },
    join(request, peer) {
      const theirs = meshNameIn(request.metadata);
      if (theirs !== meshName) return refuse(request.sender, otherMesh(meshName, theirs ?? ""));
      const refusal = newcomer(request);
      if (refusal !== undefined || callers === undefined) return refusal;
      const address = addressOf(request.sender);
      const why = callers.refusalOf(peer, { kind: "join", address, metadata: request.metadata });
      return why === undefined ? undefined : refuse(request.sender, refused("permission_denied", why));
    },
    operator(peer, order) {
      if (isLoopback(peer)) return undefined;
      if (callers === undefined) {
        return refused("permission_denied", `${order} is taken from the member's own machine only`);
      }
      const why = callers.refusalOf(peer, { kind: "operate", order });
      if (why !== undefined) told(peer, why);
      return denied(why);
    },
    ...(callers !== undefined && {
      member(peer: string) {
        const why = callers.refusalOf(peer, { kind: "membership" });
        if (why !== undefined) told(peer.replace(/:\d+$/, ""), why);
        return denied(why);
      },
      query: (peer: string, service: string, method: string) =>
        denied(callers.refusalOf(peer, { kind: "call", service, method })),
    }),
  };
}

/** Whether a connection comes from this machine; `peer` as grpc-js writes it, "ip:port" or "[ip]:port". */
function isLoopback(peer: string): boolean {
  const ip = peer.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return ip === "::1" || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(ip);
}

function meshNameIn(metadata: Metadata): string | undefined {
  const value = Object.hasOwn(metadata, MESH_NAME) ? metadata[MESH_NAME] : undefined;
  return value && Buffer.from(value).toString();
}

function otherMesh(ours: string | undefined, theirs: string): Refused {
  const named = (name: string): string => (name === "" ? "without a name" : `named ${JSON.stringify(name)}`);
  return refused("failed_precondition", `this mesh is ${named(ours ?? "")}, and not ${named(theirs)}`);
}

function denied(why: string | undefined): Refused | undefined {
  return why === undefined ? undefined : refused("permission_denied", why);
}
