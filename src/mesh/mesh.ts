// A member of a mesh, as a user holds it: what it sees, how to follow that, and how to end it.

import { EventEmitter } from "node:events";
import { addressOf } from "../core/endpoint.ts";
import { onAbort } from "../host/abort-fan.ts";
import type { Cut, Member } from "./cut.ts";
import { aborted, BlipError, invalid } from "./errors.ts";
import { type MakeFooting, onSockets } from "./footing.ts";
import { Life } from "./life.ts";
import { checkOptions, type MeshOptions } from "./options.ts";
import type { MeshState } from "./state.ts";
import type { Certificates } from "./tls-options.ts";
import { bindCalls } from "./user-calls.ts";

/** What a mesh emits. Listeners run after the view change is complete. */
export interface MeshEvents {
  /** A view change. */
  cut: [cut: Cut];
  /** A member is new; once for each. */
  joined: [member: Member, cut: Cut];
  /** A member is gone; once for each. */
  kicked: [member: Member, cut: Cut];
  /** This member is not in the configuration any more; it joins again by itself. */
  degraded: [cut: Cut];
  /** This member is not as it was: see {@link Mesh.state}. */
  state: [state: MeshState];
  /** This member begins to leave: who keeps calls open for long should end them now. */
  leaving: [];
  /** This member has ended; with an error where it was not asked to. */
  closed: [error?: BlipError];
}

export interface CutsOptions {
  /** Ends the iteration when it is aborted. Default none. */
  readonly signal?: AbortSignal;
}

export interface WaitOptions {
  /** Ends the wait with BLIP_ABORTED. Default none. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the wait ends with BLIP_TIMEOUT. Default: no limit. */
  readonly timeoutMs?: number;
}

export interface LeaveOptions {
  /** Milliseconds that leaving may take in all, calls under way included. Default 5000. */
  readonly timeoutMs?: number;
  /**
   * Milliseconds to be seen as not ready (grpc.health.v1) before leaving, so that load balancers outside of the mesh send
   * nothing any more; part of `timeoutMs`. Members need no notice. Default 0.
   */
  readonly noticeMs?: number;
  /** Closes at once when it is aborted. Default none. */
  readonly signal?: AbortSignal;
}

const LEAVE_MS = 5000;

/** A member of a mesh. Made by {@link createMesh}. */
export class Mesh extends EventEmitter<MeshEvents> {
  readonly #life: Life;
  #isLeaving = false;

  constructor(life: Life) {
    super();
    this.#life = life;
    bindCalls(this, life.calls);
    life.onCut = (cut) => this.#tell(cut);
    life.onState = (state) => void queueMicrotask(() => this.emit("state", state));
    life.onClosed = (error) => void queueMicrotask(() => this.emit("closed", error));
  }

  /** The newest configuration, as this member sees it. */
  get cut(): Cut {
    return this.#life.cut;
  }

  /** How this member is: what it takes part in, and what it doubts. For alerts and dashboards; nothing depends on it. */
  get state(): MeshState {
    return this.#life.state;
  }

  /** "ip:port" by which the other members reach this one. */
  get localAddress(): string {
    return addressOf(this.#life.self);
  }

  /**
   * Every view change, beginning with the newest configuration. A reader that is slow is given the newest and told
   * how many it missed; `joined` and `kicked` are as seen from the cut that it read before. Ends when the mesh is
   * closed.
   */
  cuts({ signal }: CutsOptions = {}): AsyncIterableIterator<Cut, undefined> {
    return this.#life.feed.subscribe(signal);
  }

  /**
   * The first cut, from the newest on, that `predicate` accepts.
   * @throws BlipError BLIP_ABORTED, BLIP_TIMEOUT, BLIP_CLOSED; and what `predicate` throws.
   */
  async waitFor(
    predicate: (cut: Cut) => boolean,
    { signal, timeoutMs = Infinity }: WaitOptions = {},
  ): Promise<Cut> {
    checkDuration("timeoutMs", timeoutMs);
    const reader = this.#life.feed.subscribe(signal);
    let isLate = false;
    const timer = after(timeoutMs, () => {
      isLate = true;
      void reader.return();
    });
    try {
      for await (const cut of reader) if (predicate(cut)) return cut;
    } finally {
      clearTimeout(timer);
    }
    if (signal?.aborted) throw aborted(signal, "waitFor");
    if (isLate) throw new BlipError("BLIP_TIMEOUT", `waitFor: no such cut within ${timeoutMs} ms`);
    throw new BlipError("BLIP_CLOSED", "waitFor: the mesh was closed");
  }

  /**
   * Leaves gracefully: the others remove this member without waiting for probes to fail, calls under way end, and
   * everything is closed, all within `timeoutMs`. True where the others have removed it in time.
   */
  async leave({ timeoutMs = LEAVE_MS, noticeMs = 0, signal }: LeaveOptions = {}): Promise<boolean> {
    checkDuration("timeoutMs", timeoutMs);
    checkDuration("noticeMs", noticeMs);
    if (!this.#isLeaving) queueMicrotask(() => this.emit("leaving"));
    this.#isLeaving = true;
    const hurry = (): void => void this.close();
    if (signal?.aborted) hurry();
    const release = signal && onAbort(signal, hurry);
    try {
      return await this.#life.leave(timeoutMs, noticeMs);
    } finally {
      release?.();
    }
  }

  /**
   * Shows other certificates from now on, and trusts others: connections that are open stay, new ones go by these.
   * What is not given stays as it is.
   * @throws BlipError BLIP_INVALID_OPTIONS naming what is wrong with which; then everything stays as it was.
   */
  replaceCertificates(certificates: Certificates): void {
    this.#life.replaceCertificates(certificates);
  }

  /**
   * Says by grpc.health.v1 whether a service of this member, by its full name, or the member as a whole ("readiness")
   * may be called now; true for all at first. Members call it all the same: this is for those outside of the mesh.
   * @throws BlipError BLIP_INVALID_OPTIONS where this member has no such service.
   */
  setServing(service: string, isServing: boolean): void {
    if (service !== "readiness" && !this.#life.health.has(service)) {
      throw invalid("service", '"readiness", or the name of a service of this member', service);
    }
    if (typeof isServing !== "boolean") throw invalid("isServing", "true or false", isServing);
    this.#life.health.setServing(service, isServing);
  }

  /** Closes at once: calls under way break, and the others notice by their probes. May be called again. */
  close(): Promise<void> {
    return this.#life.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tell(cut: Cut): void {
    // Later, so that a listener that throws cannot reach into the view change.
    queueMicrotask(() => {
      this.emit("cut", cut);
      for (const member of cut.kicked) this.emit("kicked", member, cut);
      for (const member of cut.joined) this.emit("joined", member, cut);
      if (cut.degraded) this.emit("degraded", cut);
    });
  }
}

/**
 * Starts a member: listens, joins the mesh that its seeds are in, or founds one, and resolves once it is in a
 * configuration. While no seed answers it keeps trying, until `signal` is aborted.
 *
 * @throws BlipError BLIP_INVALID_OPTIONS, BLIP_ADDRESS_IN_USE, BLIP_CANNOT_LISTEN, BLIP_WRONG_MESH, BLIP_ABORTED
 */
export function createMesh(options: MeshOptions = {}): Promise<Mesh> {
  return createMeshOn(onSockets, options);
}

/** The same on whatever footing is wanted. @throws BlipError as `createMesh` does */
export async function createMeshOn(footing: MakeFooting, options: MeshOptions): Promise<Mesh> {
  const checked = checkOptions(options);
  if (checked.signal?.aborted) throw aborted(checked.signal, "createMesh");
  const mesh = new Mesh(await Life.begin(checked, footing));
  try {
    for (const service of checked.services) service.accept?.(mesh);
  } catch (error) {
    await mesh.close();
    throw error;
  }
  return mesh;
}

function after(ms: number, run: () => void): NodeJS.Timeout | undefined {
  // setTimeout knows no longer delays, and no wait of 24 days is meant as one.
  return ms < 2 ** 31 ? setTimeout(run, ms) : undefined;
}

function checkDuration(field: string, ms: unknown): void {
  if (typeof ms !== "number" || !(ms >= 0)) throw invalid(field, "milliseconds, 0 or more", ms);
}
