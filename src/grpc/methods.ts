// Where each kind of request goes.

import type { Request } from "../core/messages.ts";

export type Kind = Request["kind"];

export const PATHS: { readonly [kind in Kind]: string } = {
  preJoin: "/blip.Membership/PreJoin",
  join: "/blip.Membership/Join",
  alerts: "/blip.Membership/BatchedAlert",
  fastAccepted: "/blip.Membership/FastAccepted",
  prepare: "/blip.Membership/Prepare",
  promise: "/blip.Membership/Promise",
  accept: "/blip.Membership/Accept",
  accepted: "/blip.Membership/Accepted",
  broadcast: "/blip.Membership/Broadcast",
  probe: "/blip.Membership/Probe",
  leave: "/blip.ext.v1.Peer/Leave",
  compare: "/blip.ext.v1.Peer/Compare",
  declareDead: "/blip.ext.v1.Operator/DeclareDead",
  forceNew: "/blip.ext.v1.Operator/ForceNew",
};

/** What every member answers at once, of either kind. */
export const PROBE: string = PATHS.probe;

/** The header by which a Node joiner says the name of the mesh that it looks for; empty where it has none. */
export const MESH_HEADER = "blip-mesh";

/** Broadcasts in frames, between Node members. */
export const RELAY = "/blip.ext.v1.Peer/Relay";
/** Probes of one observer, on a stream that stays open. */
export const PROBES = "/blip.ext.v1.Peer/Probes";
export const SYNC = "/blip.ext.v1.Peer/Sync";
export const WATCH = "/blip.ext.v1.Peer/Watch";
