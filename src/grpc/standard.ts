// Descriptions of services: those that gRPC has standards for, and those by which members speak to each other.

import type { DescService } from "@bufbuild/protobuf";
import { Peer } from "./gen/blip_ext_pb.ts";
import { Membership } from "./gen/blip_pb.ts";

export {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "./gen/grpc/health/v1/health_pb.ts";
export { ServerReflection, type ServerReflectionRequest } from "./gen/grpc/reflection/v1/reflection_pb.ts";
export { ServerReflection as ServerReflectionAlpha } from "./gen/grpc/reflection/v1alpha/reflection_pb.ts";

/** What every member serves. */
export const MEMBER_SERVICES: readonly DescService[] = [Membership, Peer];
