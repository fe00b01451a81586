// What other rooms may use of gRPC.

export {
  type CertificateInfo,
  dateOf,
  infoOf,
  isFor,
  nameIn,
  nameOfCertificate,
  notFor,
  readPem,
} from "./certificates.ts";
export { Channels, type ChannelsOptions } from "./channels.ts";
export { MESH_HEADER, PROBE } from "./methods.ts";
export {
  fetchConfiguration,
  giveOrder,
  type PeerClientOptions,
  PeerError,
  watchConfigurations,
} from "./peer-client.ts";
export type { Configuration } from "./peer-codec.ts";
export { type Ask, type Gate, Membership, type MembershipOptions } from "./server.ts";
export {
  Health,
  MEMBER_SERVICES,
  ServerReflection,
  ServerReflectionAlpha,
  type ServerReflectionRequest,
  ServingStatus,
} from "./standard.ts";
export { isTarget } from "./target.ts";
export { TlsIdentity, type TlsMaterial } from "./tls-identity.ts";
export { createTlsListener } from "./tls-listener.ts";
export { Transport, type TransportOptions } from "./transport.ts";
export type { Snapshot, SnapshotSource } from "./watching.ts";
