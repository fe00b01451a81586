// grpc.health.v1 on the member's own port. "readiness" and each service follow the membership and the user's word;
// "liveness" says that this process answers, and never more: who restarts a member because its mesh is in trouble
// makes the trouble worse.

import { status } from "@grpc/grpc-js";
import { Health, ServingStatus } from "../grpc/index.ts";
import { type MeshService, service } from "./service.ts";

export const HEALTH_SERVICE: string = Health.typeName;

const LIVENESS = "liveness";
const READINESS = "readiness";
/** Watchers cost little, but strangers must not have any number of them. */
const WATCHERS_MAX = 1000;

export class HealthStatus {
  /** What is served to those who ask; it is no fact about this member that others have to know. */
  readonly service: MeshService;
  readonly #services: ReadonlySet<string>;
  readonly #off = new Set<string>();
  readonly #watchers = new Set<() => void>();
  #isReady = false;
  #isClosed = false;

  constructor(services: Iterable<string>) {
    this.#services = new Set(services);
    this.service = service(Health, {
      check: ({ service: name }) => {
        const now = this.#of(name);
        if (now !== ServingStatus.SERVICE_UNKNOWN) return { status: now };
        throw Object.assign(new Error(`no service ${JSON.stringify(name)} here`), { code: status.NOT_FOUND });
      },
      watch: ({ service: name }, { signal }) => this.#watch(name, signal),
    });
  }

  /** Whether this member is one that may be called: in a configuration, and not about to leave. */
  set isReady(isReady: boolean) {
    this.#isReady = isReady;
    this.#tell();
  }

  has(name: string): boolean {
    return this.#services.has(name);
  }

  setServing(name: string, isServing: boolean): void {
    if (isServing) this.#off.delete(name);
    else this.#off.add(name);
    this.#tell();
  }

  /** Ends those who watch. */
  close(): void {
    this.#isClosed = true;
    this.#tell();
  }

  #of(name: string): ServingStatus {
    if (name === LIVENESS) return ServingStatus.SERVING;
    if (name !== "" && name !== READINESS && !this.#services.has(name)) return ServingStatus.SERVICE_UNKNOWN;
    const isOff = this.#off.has(READINESS) || this.#off.has(name);
    return this.#isReady && !isOff ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  async *#watch(name: string, signal: AbortSignal): AsyncGenerator<{ status: ServingStatus }> {
    if (this.#watchers.size >= WATCHERS_MAX) {
      throw Object.assign(new Error("too many watch already"), { code: status.RESOURCE_EXHAUSTED });
    }
    let wake = (): void => {};
    const told = (): void => wake();
    this.#watchers.add(told);
    signal.addEventListener("abort", told);
    try {
      let last: ServingStatus | undefined;
      while (!signal.aborted) {
        const now = this.#of(name);
        const next = new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (now !== last) yield { status: now };
        last = now;
        if (this.#isClosed) return;
        if (this.#of(name) === now) await next;
      }
    } finally {
      this.#watchers.delete(told);
    }
  }

  #tell(): void {
    for (const told of this.#watchers) told();
  }
}
