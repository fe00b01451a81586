// What other rooms may use of gRPC.

export { Channels, type ChannelsOptions } from "./channels.ts";
export { PROBE } from "./methods.ts";
export { fetchConfiguration, type PeerClientOptions, PeerError, watchConfigurations } from "./peer-client.ts";
export type { Configuration } from "./peer-codec.ts";
export { type Ask, Membership, type MembershipOptions } from "./server.ts";
export { isTarget } from "./target.ts";
export { Transport, type TransportOptions } from "./transport.ts";
export type { Snapshot, SnapshotSource } from "./watching.ts";
