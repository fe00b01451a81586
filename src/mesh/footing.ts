// What the life of a member stands on: where it listens, how it takes part, and how it reaches others. That is sockets, a
// clock and dice as a rule; a simulation brings its own, and everything above is the same.

import { Channels, type TlsIdentity } from "../grpc/index.ts";
import "../host/preload.ts";
import { MeshServer, type ServedTls } from "./bridge-server.ts";
import type { CheckedOptions } from "./options.ts";
import { Participant, type ParticipantOptions } from "./participant.ts";

/** Where others reach the member. */
export type Listener = Pick<MeshServer, "users" | "besides" | "listen" | "close" | "abort">;

/** How it takes part in the protocol. */
export type Participation = Pick<Participant, "start" | "leave" | "close">;

/** How it reaches others on behalf of users. */
export type Pool = Pick<Channels, "to" | "close" | "closeAll">;

export interface Footing {
  readonly listener: Listener;
  readonly pool: Pool;
  /** Once, when it is known where the member is reached. */
  participate(options: ParticipantOptions): Participation;
}

export interface FootingOptions {
  readonly served: ServedTls | undefined;
  readonly server: CheckedOptions["server"];
  readonly identity: TlsIdentity | undefined;
}

export type MakeFooting = (options: FootingOptions) => Footing;

export const onSockets: MakeFooting = ({ served, server, identity }) => {
  const listener = new MeshServer(served, server);
  return {
    listener,
    // A stream that a leaving member refused never reached it, and grpc-js then tries again by itself.
    pool: new Channels({ identity, channelOptions: { "grpc.enable_retries": 1 } }),
    participate(options) {
      const participant = new Participant(options);
      participant.serveOn(listener.grpc);
      return participant;
    },
  };
};
