// Resolves "blip:package.Service" to the members that serve it. It answers when it is first asked, and then only when
// other members serve: grpc-js asks again at every lost connection, and an answer each time would keep it busy for ever.

import { type ChannelOptions, experimental, status } from "@grpc/grpc-js";
import { ipOf, portOf } from "../core/endpoint.ts";
import { Candidates } from "../mesh/candidates.ts";
import type { Line } from "../mesh/line.ts";
import { BALANCER } from "./balancer.ts";
import { type CheckedStub, FOUND, stubOf } from "./stub-options.ts";

const SCHEME = "blip";

/** What the balancer is told beside the addresses. */
export interface Found {
  readonly stub: CheckedStub;
  readonly candidates: Candidates;
}

class MeshResolver implements experimental.Resolver {
  readonly #service: string;
  readonly #listener: experimental.ResolverListener;
  readonly #options: ChannelOptions;
  #following: AbortController | undefined;
  #isAnswered = false;

  constructor(
    target: experimental.GrpcUri,
    listener: experimental.ResolverListener,
    options: ChannelOptions,
  ) {
    this.#service = serviceIn(target);
    this.#listener = listener;
    this.#options = options;
  }

  updateResolution(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    // A resolver must not answer before it has returned.
    process.nextTick(() => {
      if (this.#isAnswered) this.#begin();
    });
  }

  destroy(): void {
    this.#isAnswered = false;
    this.#following?.abort();
    this.#following = undefined;
  }

  static getDefaultAuthority(target: experimental.GrpcUri): string {
    return serviceIn(target);
  }

  #begin(): void {
    const stub = stubOf(this.#options);
    if (stub === undefined) {
      // Somebody may attach a mesh later, and then the next question finds it.
      this.#isAnswered = false;
      const remedy = "give the stub meshChannelOptions(mesh), or call attachMesh(mesh) before";
      return this.#fail(`there is no mesh for blip:${this.#service}: ${remedy}`);
    }
    this.#following = new AbortController();
    void this.#follow(stub, this.#following.signal);
  }

  async #follow(stub: CheckedStub, signal: AbortSignal): Promise<void> {
    const { mesh, calls, where, subset } = stub;
    const candidates = new Candidates(calls, { service: this.#service, where, subset });
    let told: readonly Line[] | undefined;
    for await (const _ of mesh.cuts({ signal })) {
      const lines = candidates.subset(mesh.cut);
      if (told !== undefined && sameLines(lines, told)) continue;
      told = lines;
      this.#answer({ stub, candidates }, lines);
    }
    if (!signal.aborted) this.#fail("the mesh was closed");
  }

  #answer(found: Found, lines: readonly Line[]): void {
    const endpoints: experimental.Endpoint[] = lines.map(({ endpoint }) => ({
      addresses: [{ host: ipOf(endpoint), port: portOf(endpoint) }],
    }));
    const note = lines.length === 0 ? `no member serves ${this.#service}` : "";
    const config = this.#hasOwnConfig ? null : experimental.statusOrFromValue(SERVICE_CONFIG);
    this.#listener(experimental.statusOrFromValue(endpoints), { [FOUND]: found }, config, note);
  }

  get #hasOwnConfig(): boolean {
    return this.#options["grpc.service_config"] !== undefined;
  }

  #fail(details: string): void {
    const error = failure(details);
    this.#listener(error, {}, experimental.statusOrFromValue(SERVICE_CONFIG), details);
  }
}

function failure(details: string): experimental.StatusOr<experimental.Endpoint[]> {
  return experimental.statusOrFromError({ code: status.UNAVAILABLE, details }) as experimental.StatusOr<
    experimental.Endpoint[]
  >;
}

const SERVICE_CONFIG = { loadBalancingConfig: [{ [BALANCER]: {} }], methodConfig: [] };

function serviceIn({ path }: experimental.GrpcUri): string {
  // "blip:package.Service", or "blip:///package.Service" as some write it.
  const service = path.replace(/^\/+/, "");
  if (!/^[\w.]+$/.test(service)) {
    throw new Error(`"blip:${path}": expected blip:package.Service, the full name of a gRPC service`);
  }
  return service;
}

function sameLines(a: readonly Line[], b: readonly Line[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}

experimental.registerResolver(SCHEME, MeshResolver);
