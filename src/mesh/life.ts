// The life of one member, from listening to the end: the parts that a mesh is made of, and the order in which they
// start and stop. First listen, then take part; first leave, then let calls end, then close.

import { isDeepStrictEqual } from "node:util";
import { NO_DOUBTS } from "../core/condition.ts";
import type { Level, ViewChange } from "../core/doorway.ts";
import { addressOf, type Endpoint, ipOf, portOf } from "../core/endpoint.ts";
import { MESH_NAME } from "../core/messages.ts";
import type { Gate } from "../grpc/index.ts";
import { onAbort } from "../host/abort-fan.ts";
import { isWildcard, resolveAll } from "./address.ts";
import type { HealthStatus } from "./bridge-health.ts";
import { Callers } from "./caller.ts";
import { Complaints } from "./complaints.ts";
import { type Cut, CutMaker, type Member } from "./cut.ts";
import { aborted, BlipError, invalid } from "./errors.ts";
import type { Footing, MakeFooting, Participation } from "./footing.ts";
import { gateOf } from "./gate.ts";
import { type CheckedOptions, refuseOwnSeeds } from "./options.ts";
import { StandardServices } from "./standard-services.ts";
import type { MeshState } from "./state.ts";
import { CutFeed } from "./subscription.ts";
import { type Certificates, checkIsFor, doubtAbout, replaceCertificates } from "./tls-options.ts";
import { UserCalls } from "./user-calls.ts";

/** How long a member that is stopped while it joins may take to be let out again. */
const STOP_MS = 1000;

export class Life {
  readonly self: Endpoint;
  readonly feed: CutFeed;
  readonly health: HealthStatus;
  readonly calls: UserCalls;
  /** Who wants to know; one is enough. */
  onCut: (cut: Cut) => void = () => {};
  onState: (state: MeshState) => void = () => {};
  onClosed: (error?: BlipError) => void = () => {};
  readonly #options: CheckedOptions;
  readonly #footing: Footing;
  readonly #participation: Participation;
  readonly #maker: CutMaker;
  #newest: Cut | undefined;
  #last: ViewChange | undefined;
  #doubts = NO_DOUBTS;
  #state: MeshState = { phase: "member", ...NO_DOUBTS };
  #entered: () => void = () => {};
  /** Ends the notice that is given before a leave. */
  #wakeUp: () => void = () => {};
  #leaving: Promise<boolean> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Listens, takes part, and resolves in the first configuration. Rejects, with everything cleaned up, where the
   * address cannot be listened on, and when the signal is aborted.
   */
  static async begin(options: CheckedOptions, makeFooting: MakeFooting): Promise<Life> {
    options.signal?.throwIfAborted();
    const complaints = new Complaints((text) => options.logger.warn({}, text));
    const callers = new Callers(options.tls?.authorize);
    const refused = (from: string, why: string): void => complaints.add(`refused ${from}: ${why}`);
    const { identity, isServed = false } = options.tls ?? {};
    const served = isServed ? { identity: identity!, callers, refused } : undefined;
    const footing = makeFooting({ served, server: options.server, identity });
    const { listener } = footing;
    try {
      const standard = new StandardServices(options);
      for (const service of options.services) service.register(listener.users);
      for (const service of standard.services) service.register(listener.besides);
      const bound = await listener.listen(await addressToListen(options));
      const gate = gateOf({
        meshName: options.meshName,
        needsTls: identity?.material.clientAuth === true,
        callers: options.tls?.authorize && callers,
        told: refused,
      });
      const life = new Life(options, footing, bound, gate, standard.health);
      await life.#enter();
      return life;
    } catch (error) {
      await listener.close(0);
      throw error;
    }
  }

  private constructor(
    options: CheckedOptions,
    footing: Footing,
    bound: Endpoint,
    gate: Gate,
    health: HealthStatus,
  ) {
    const { advertise: self = bound, seeds, metadata, settings, meshName, tls } = options;
    const own = new Set([self, bound]);
    refuseOwnSeeds(seeds, own);
    if (tls?.isServed) checkIsFor(tls.identity.material, self);
    this.calls = new UserCalls(footing.pool);
    this.self = self;
    this.#options = options;
    this.#footing = footing;
    this.health = health;
    this.#maker = new CutMaker(self);
    this.feed = new CutFeed(this.#maker);
    this.#participation = footing.participate({
      self,
      own,
      seeds,
      metadata,
      settings,
      meshName,
      identity: tls?.identity,
      gate,
      cut: (change) => this.#cut(change),
      doubts: (doubts) => {
        this.#doubts = doubts;
        this.#changed();
      },
      note: (level, text) => this.#log(level, text),
      broken: (error) => this.#break(error),
    });
  }

  /** The newest; there is one from the first configuration on. */
  get cut(): Cut {
    return this.#newest!;
  }

  get state(): MeshState {
    return this.#state;
  }

  /** True where the others removed this member in time. */
  leave(timeoutMs: number, noticeMs: number): Promise<boolean> {
    this.#leaving ??= this.#leave(timeoutMs, noticeMs);
    this.#changed();
    return this.#leaving;
  }

  /** @throws BlipError BLIP_INVALID_OPTIONS; then everything stays as it was. */
  replaceCertificates(given: Certificates): void {
    const { tls } = this.#options;
    if (tls === undefined) throw invalid("certificates", "a mesh that was created with the option tls");
    replaceCertificates(tls.identity, given, tls.isServed ? this.self : undefined);
    this.#log("info", "certificates replaced");
    this.#doubt();
  }

  close(error?: BlipError): Promise<void> {
    const closing = this.#beginToClose(0, error);
    // Whoever still waits for calls to end, waits no longer.
    this.#footing.listener.abort();
    this.calls.abort();
    return closing;
  }

  async #enter(): Promise<void> {
    const { signal } = this.#options;
    this.#log("info", `listening; this member is ${addressOf(this.self)}`);
    this.#doubt();
    const entered = new Promise<void>((resolve, reject) => {
      this.#entered = resolve;
      this.onClosed = (error) => reject(error);
    });
    const stop = (): void => void this.#stop(aborted(signal!, "createMesh"));
    const release = signal && onAbort(signal, stop);
    try {
      if (signal?.aborted) stop();
      else this.#participation.start();
      await entered;
    } finally {
      release?.();
      this.onClosed = () => {};
      if (this.#closing !== undefined) await this.#closing;
    }
  }

  /** Gives up a join. The others may be about to let this member in, so it takes its leave. */
  async #stop(error: BlipError): Promise<void> {
    this.#entered = () => {};
    await this.#participation.leave(STOP_MS);
    await this.close(error);
  }

  /**
   * Those outside of the mesh are told first, by its health; then the members, who call others from then on and end
   * the calls that they have here.
   */
  async #leave(timeoutMs: number, noticeMs: number): Promise<boolean> {
    if (this.#closing !== undefined) return false;
    const until = performance.now() + timeoutMs;
    this.#log("info", "leaving");
    if (noticeMs > 0) await this.#pause(Math.min(noticeMs, timeoutMs));
    // Closed meanwhile, or broken down.
    if (this.#closing !== undefined) return false;
    const isRemoved = await this.#participation.leave(Math.max(0, until - performance.now()));
    await this.#beginToClose(Math.max(0, until - performance.now()));
    return isRemoved;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #beginToClose(drainMs: number, error?: BlipError): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#close(drainMs, error);
      this.#changed();
    }
    return this.#closing;
  }

  async #close(drainMs: number, error?: BlipError): Promise<void> {
    this.#wakeUp();
    this.health.close();
    await Promise.all([
      this.#participation.close(drainMs),
      this.#footing.listener.close(drainMs),
      this.calls.close(drainMs),
    ]);
    this.feed.close();
    this.onClosed(error);
  }

  #cut(change: ViewChange): void {
    this.#newest = this.#maker.make(change, this.#last?.view, 0);
    const isFirst = this.#last === undefined;
    this.#last = change;
    const stranger = this.#newest.joined.find((member) => member.text(MESH_NAME) !== this.#options.meshName);
    if (stranger !== undefined && this.#isWrongMesh(stranger, isFirst)) return;
    this.calls.follow(this.#newest);
    this.#changed();
    this.feed.publish(change);
    this.onCut(this.#newest);
    this.#entered();
  }

  /** Those outside of the mesh learn of a new phase by its health, its owner by an event. */
  #changed(): void {
    const phase = this.#phase;
    this.health.isReady = phase === "member";
    const state: MeshState = { phase, ...this.#doubts };
    if (isDeepStrictEqual(state, this.#state)) return;
    this.#state = state;
    this.onState(state);
  }

  get #phase(): MeshState["phase"] {
    if (this.#closing !== undefined) return "closed";
    if (this.#leaving !== undefined) return "leaving";
    return this.#last?.degraded === false ? "member" : "degraded";
  }

  /** Only Rust members let in who is of another mesh; so this is where it is noticed. */
  #isWrongMesh(stranger: Member, isFirst: boolean): boolean {
    const { meshName } = this.#options;
    const named = (name: string | undefined): string => (name === undefined ? "none" : JSON.stringify(name));
    const why = `${stranger.address} is of the mesh ${named(stranger.text(MESH_NAME))}, not ${named(meshName)}`;
    if (isFirst) void this.#stop(new BlipError("BLIP_WRONG_MESH", `meshName: ${why}`, { field: "meshName" }));
    else this.#log("warn", why);
    return isFirst;
  }

  #break(cause: unknown): void {
    this.#log("error", `the member broke down: ${cause instanceof Error ? cause.stack : cause}`);
    void this.close(new BlipError("BLIP_INTERNAL", "a defect ended this member", { cause }));
  }

  #doubt(): void {
    const doubt = this.#options.tls && doubtAbout(this.#options.tls.identity.material);
    if (doubt !== undefined) this.#log("warn", doubt);
  }

  #log(level: Level | "error", text: string): void {
    this.#options.logger[level]({ local: addressOf(this.self) }, text);
  }
}

async function addressToListen({ listen, advertise }: CheckedOptions): Promise<Endpoint> {
  let found: readonly Endpoint[];
  try {
    found = await resolveAll(listen);
  } catch (cause) {
    throw new BlipError("BLIP_CANNOT_LISTEN", `listen: ${listen.host} does not resolve`, {
      cause,
      field: "listen",
    });
  }
  const at = found[0]!;
  if (isWildcard(ipOf(at)) && advertise === undefined) {
    throw invalid("advertise", `IP:port, since listen is ${ipOf(at)}:${portOf(at)}; none is given`);
  }
  return at;
}
