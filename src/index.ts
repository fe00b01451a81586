// The public names of blip-mesh.

export type { CallContext } from "./mesh/bridge-context.ts";
export type { ServerOptions } from "./mesh/bridge-server-options.ts";
export type {
  CallOptions,
  ClientMethods,
  EveryoneMethods,
  FromMember,
  GrpcHandlers,
  Handlers,
} from "./mesh/bridge-shapes.ts";
export type { Authorize, Caller, CertificateInfo, Wish } from "./mesh/caller.ts";
export { type Client, client, type Everyone } from "./mesh/client.ts";
export type { Balance, ClientOptions, KeyBalance, PreferBalance } from "./mesh/client-options.ts";
export type { Cut, Member } from "./mesh/cut.ts";
export { BlipError, type BlipErrorCode, type BlipErrorDetails, isBlipError } from "./mesh/errors.ts";
export type { Logger } from "./mesh/logger.ts";
export {
  type CutsOptions,
  createMesh,
  type LeaveOptions,
  type Mesh,
  type MeshEvents,
  type WaitOptions,
} from "./mesh/mesh.ts";
export type { MetadataInit } from "./mesh/metadata.ts";
export type { MeshOptions } from "./mesh/options.ts";
export type { FindSeeds, Seeds } from "./mesh/seeds.ts";
export { type MeshService, service } from "./mesh/service.ts";
export type { MeshState } from "./mesh/state.ts";
export type { Certificates, TlsOptions } from "./mesh/tls-options.ts";
