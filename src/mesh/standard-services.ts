// The services that gRPC has standards for, which a member serves beside the user's. They are no facts about this
// member: all have them, so none says so in its metadata.

import { Health } from "../grpc/index.ts";
import { HEALTH_SERVICE, HealthStatus } from "./bridge-health.ts";
import { reflectionOf } from "./bridge-reflection.ts";
import type { CheckedOptions } from "./options.ts";
import type { MeshService } from "./service.ts";

export class StandardServices {
  readonly health: HealthStatus;
  /** In the place of those that are missing among the user's. */
  readonly services: readonly MeshService[];

  constructor({ services, health, reflection }: Pick<CheckedOptions, "services" | "health" | "reflection">) {
    this.health = new HealthStatus(services.map(({ name }) => name));
    const isOurs = health && !services.some(({ name }) => name === HEALTH_SERVICE);
    const standard = [
      ...(isOurs ? [this.health.service] : []),
      ...(reflection ? reflectionOf(services, isOurs ? [Health] : []) : []),
    ];
    this.services = standard.filter(({ name }) => !services.some((own) => own.name === name));
  }
}
