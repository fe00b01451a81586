// What a member stands on in a simulation: a process of a simulated world, with connections that the world's network
// carries. The life above it is the one that members have in production.

import { status } from "@grpc/grpc-js";
import type { Effect, Event, Machine, Millis } from "../../core/doorway.ts";
import { addressOf, type Endpoint, parseEndpoint, portOf } from "../../core/endpoint.ts";
import { Member } from "../../core/member.ts";
import { invalid } from "../../mesh/errors.ts";
import type { Footing, MakeFooting, Participation } from "../../mesh/footing.ts";
import type { ParticipantOptions } from "../../mesh/participant.ts";
import { parseSeed } from "../../mesh/seeds.ts";
import type { MachineOptions, Process } from "../process.ts";
import type { World } from "../world.ts";
import { SimulatedChannels } from "./channels.ts";
import type { Accept } from "./client-call.ts";
import { refuseCall } from "./served-call.ts";
import { SimulatedServer } from "./server.ts";
import { home } from "./virtual-globals.ts";

const FIRST_PORT = 49_152;

/** All members of a simulated world that users have, and what is between them. */
export class Ground {
  readonly #world: World;
  readonly #standing = new Map<Process, Standing>();
  readonly #listening = new Set<string>();
  #nextPort = FIRST_PORT;

  constructor(world: World) {
    this.#world = world;
  }

  readonly makeFooting: MakeFooting = ({ served, identity }): Footing => {
    if (served !== undefined || identity !== undefined) {
      throw invalid("tls", "nothing: simulated members speak without TLS");
    }
    return new Standing(this.#world, {
      reserve: (at) => this.#reserve(at),
      release: (at) => void this.#listening.delete(at),
      began: (process, standing) => void this.#standing.set(process, standing),
      accept: (wires, request, answers) => {
        const target = this.#standing.get(wires.to);
        if (target === undefined || !wires.to.isUp) {
          return refuseCall(answers, { code: status.UNAVAILABLE, details: "Connection dropped" });
        }
        return home.run(wires.to, () => target.listener.serve(request, answers));
      },
    });
  };

  processOf(local: string): Process | undefined {
    for (const [process] of this.#standing) {
      if (process.isUp && addressOf(process.endpoint) === local) return process;
    }
    return undefined;
  }

  /** A process has ended: its own connections, and those to it, break where its host is there to say so. */
  ended(process: Process): void {
    const standing = this.#standing.get(process);
    // One that has left goes on for a while, to let its calls end.
    if (standing === undefined || process.isUp) return;
    this.#listening.delete(process.endpoint);
    standing.pool.closeAll();
    if (process.host.isUp) this.#breakWith(process);
  }

  #breakWith(process: Process): void {
    for (const { pool } of this.#standing.values()) {
      const connection = pool.connections.get(process.endpoint);
      // What it had said before arrives before that.
      if (connection?.wires?.to === process) connection.wires.back.send(connection.break);
    }
  }

  #reserve(at: Endpoint): Endpoint | undefined {
    let bound = at;
    while (portOf(at) === 0 && (bound === at || this.#listening.has(bound))) {
      bound = parseEndpoint(addressOf(at).replace(/:0$/, `:${this.#nextPort++}`), false)!;
    }
    if (this.#listening.has(bound)) return undefined;
    this.#listening.add(bound);
    return bound;
  }
}

interface Surroundings {
  readonly reserve: (at: Endpoint) => Endpoint | undefined;
  readonly release: (at: Endpoint) => void;
  readonly began: (process: Process, standing: Standing) => void;
  readonly accept: Accept;
}

class Standing implements Footing, Participation {
  readonly listener: SimulatedServer;
  readonly pool: SimulatedChannels;
  readonly #world: World;
  readonly #around: Surroundings;
  #process: Process | undefined;
  #options: ParticipantOptions | undefined;
  #left: ((removed: boolean) => void) | undefined;
  #bound: Endpoint | undefined;

  constructor(world: World, around: Surroundings) {
    this.#world = world;
    this.#around = around;
    this.listener = new SimulatedServer(
      (at) => {
        this.#bound = around.reserve(at);
        return this.#bound;
      },
      () => this.#end(),
    );
    this.pool = new SimulatedChannels(world, around.accept, () => this.#process!);
  }

  participate(options: ParticipantOptions): Participation {
    this.#options = options;
    return this;
  }

  start(): void {
    const { self, metadata, seeds } = this.#options!;
    this.#world.start(self, {
      seeds: seeds === undefined ? [] : endpointsIn(seeds),
      metadata,
      makeMachine: (machine) => {
        this.#process = this.#world.hosts.get(self)!.process!;
        this.#around.began(this.#process, this);
        return this.#observed(machine);
      },
    });
  }

  leave(timeoutMs: Millis): Promise<boolean> {
    return new Promise((resolve) => {
      this.#left = resolve;
      if (this.#process?.isUp) this.#world.leave(this.#process, timeoutMs);
      else resolve(false);
    });
  }

  /** It says no more, and hears no more; its process ends with the last of its calls. */
  async close(): Promise<void> {
    this.#left?.(false);
    this.#process?.driver?.stop();
  }

  #end(): void {
    if (this.#process?.isUp) this.#world.exit(this.#process);
    else if (this.#process === undefined && this.#bound !== undefined) this.#around.release(this.#bound);
  }

  /** A member whose cuts and end the life above is told of, as its own code. */
  #observed(options: MachineOptions): Machine {
    const { settings, cut, doubts, note } = this.#options!;
    const member = new Member({ ...options, settings });
    const tell = (effect: Effect): void => {
      if (effect.kind === "cut") home.run(this.#process, () => cut(effect.cut));
      else if (effect.kind === "doubts") home.run(this.#process, () => doubts(effect.doubts));
      else if (effect.kind === "left") this.#left?.(effect.removed);
      else if (effect.kind === "note") note(effect.level, effect.text);
    };
    return {
      step(event: Event, now: Millis) {
        const effects = member.step(event, now);
        for (const effect of effects) tell(effect);
        return effects;
      },
      get wakeAt() {
        return member.wakeAt;
      },
    };
  }
}

/** A simulated world has no names, and looks nothing up. */
function endpointsIn(seeds: NonNullable<ParticipantOptions["seeds"]>): readonly Endpoint[] {
  if (typeof seeds === "function")
    throw invalid("seeds", "addresses: a simulated member asks nobody for them");
  return seeds.map((text, i) => {
    const at = parseSeed(text, false);
    const endpoint =
      at && parseEndpoint(`${at.host.includes(":") ? `[${at.host}]` : at.host}:${at.port}`, false);
    if (endpoint === undefined)
      throw invalid(`seeds[${i}]`, "IP:port, since a simulated world has no DNS", text);
    return endpoint;
  });
}
