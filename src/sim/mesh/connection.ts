// A connection from a member to another, over which calls go. It is made when somebody wants it, breaks when the process
// at the other end dies, and is made anew after a pause, as those of grpc-js are.

import { connectivityState } from "@grpc/grpc-js";
import type { Millis } from "../../core/doorway.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";
import { Pipe } from "./pipe.ts";

const { CONNECTING, IDLE, READY, TRANSIENT_FAILURE } = connectivityState;
const CONNECT_MS: Millis = 3000;
const AGAIN_MS: Millis = 100;

/** Both ends, while it is there. */
export interface Wires {
  readonly to: Process;
  readonly there: Pipe;
  readonly back: Pipe;
}

export class Connection {
  readonly from: Process;
  readonly to: Endpoint;
  readonly #world: World;
  #state: connectivityState = IDLE;
  #wires: Wires | undefined;
  readonly #watchers = new Set<() => void>();
  /** Told once when it breaks. */
  readonly #onBreak = new Set<() => void>();

  constructor(world: World, from: Process, to: Endpoint) {
    this.#world = world;
    this.from = from;
    this.to = to;
  }

  get state(): connectivityState {
    return this.#state;
  }

  /** The last attempt was in vain, and the next one has to wait. */
  get hasFailed(): boolean {
    return this.#state === TRANSIENT_FAILURE;
  }

  get wires(): Wires | undefined {
    return this.#wires;
  }

  /** Sees to it that it is there, unless an attempt has just failed. */
  connect(): void {
    if (this.#state !== IDLE) return;
    this.#become(CONNECTING);
    const { network } = this.#world;
    network.dial(this.from, this.to, (found) => {
      const target = this.#world.hosts.get(this.to)?.process;
      if (found === "accepted" && target?.isUp) return this.#open(target);
      // An attempt that nobody answers is given up later than one that is refused.
      const waitMs = found === "unknown" ? CONNECT_MS : 0;
      network.at(this.from, this.#world.now + waitMs, () => this.#fail());
    });
  }

  /** Calls once when the state is another than now, or false when that takes until `until`. */
  whenChanged(until: Millis, changed: (inTime: boolean) => void): void {
    let isOver = false;
    const end = (inTime: boolean): void => {
      if (isOver) return;
      isOver = true;
      this.#watchers.delete(told);
      changed(inTime);
    };
    const told = (): void => end(true);
    this.#watchers.add(told);
    if (until !== Infinity) this.#world.network.at(this.from, until, () => end(false));
  }

  whenBroken(run: () => void): () => void {
    this.#onBreak.add(run);
    return () => void this.#onBreak.delete(run);
  }

  /** Ends it at once; whoever uses it is told. */
  readonly break = (): void => {
    const wires = this.#wires;
    if (wires === undefined) return;
    this.#wires = undefined;
    wires.there.close();
    wires.back.close();
    for (const run of [...this.#onBreak]) run();
    this.#onBreak.clear();
    this.#become(IDLE);
  };

  #open(to: Process): void {
    this.#wires = {
      to,
      there: new Pipe(this.#world, this.from, to, this.break),
      back: new Pipe(this.#world, to, this.from, this.break),
    };
    this.#become(READY);
  }

  #fail(): void {
    this.#become(TRANSIENT_FAILURE);
    this.#world.network.at(this.from, this.#world.now + AGAIN_MS, () => this.#become(IDLE));
  }

  #become(state: connectivityState): void {
    this.#state = state;
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const told of watchers) told();
  }
}
