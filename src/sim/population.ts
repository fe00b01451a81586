// Hosts and the processes on them: makes a machine for each process, gives it clock, network and dice, and sets it going.

import type { Millis } from "../core/doorway.ts";
import { drive, type World as Surroundings } from "../core/drive.ts";
import { type Endpoint, parseEndpoint } from "../core/endpoint.ts";
import { Member } from "../core/member.ts";
import { type Metadata, PEER_SERVICE } from "../core/messages.ts";
import type { Settings } from "../core/settings.ts";
import { type Agenda, START } from "./agenda.ts";
import type { Network } from "./network.ts";
import { type Host, type MakeMachine, Process } from "./process.ts";
import type { Streams } from "./streams.ts";
import type { Watch } from "./watch.ts";

export interface StartOptions {
  /** Without any, the process founds a mesh. */
  readonly seeds?: readonly Endpoint[] | undefined;
  readonly metadata?: Metadata | undefined;
  /** Its metadata does not say that it runs this library, as a Rust member's. */
  readonly isForeign?: boolean | undefined;
  /** What runs here instead of a Member, and its name in reports. */
  readonly makeMachine?: MakeMachine | undefined;
  readonly model?: string | undefined;
}

export interface PopulationOptions {
  readonly agenda: Agenda;
  readonly settings: Settings;
  readonly streams: Streams;
  readonly makeMachine?: MakeMachine | undefined;
  /** A process took a view or left. */
  readonly changed: () => void;
  readonly broke: (process: Process) => void;
}

const NODE_VERSION = Uint8Array.of(0x31);

export class Population {
  readonly hosts: Map<Endpoint, Host> = new Map();
  readonly processes: Process[] = [];
  readonly #options: PopulationOptions;
  readonly #incarnations = new Map<Endpoint, number>();

  constructor(options: PopulationOptions) {
    this.#options = options;
  }

  /** The host at this address (a port stands for 127.0.0.1), which is there as soon as somebody asks. */
  hostAt(at: Endpoint | number): Host {
    const endpoint = typeof at === "number" ? endpointAt(at) : at;
    let host = this.hosts.get(endpoint);
    if (host === undefined) {
      host = { endpoint, isUp: true, aheadMs: 0, drift: 0, process: undefined };
      this.hosts.set(endpoint, host);
    }
    return host;
  }

  /** A new process on this host, ready to start. */
  settle(host: Host, options: StartOptions, network: Network, watch: Watch): Process {
    const { agenda, settings, streams, broke } = this.#options;
    const { seeds = [], isForeign = false, model = "node" } = options;
    const metadata: Metadata = Object.assign(
      Object.create(null),
      options.metadata,
      !isForeign && { [PEER_SERVICE]: NODE_VERSION },
    );
    const incarnation = this.#incarnations.get(host.endpoint) ?? 0;
    this.#incarnations.set(host.endpoint, incarnation + 1);
    const process = new Process(this.processes.length, host, metadata, model, agenda.now);
    process.seeds = seeds;
    this.processes.push(process);
    host.process = process;
    const make = options.makeMachine ?? this.#options.makeMachine ?? ((member) => new Member(member));
    const machine = make({
      self: host.endpoint,
      metadata,
      settings,
      founder: seeds.length === 0,
      random: streams.of(`process ${host.endpoint} ${incarnation}`),
      wallClock: () => agenda.now + host.aheadMs + (agenda.now - START) * host.drift,
    });
    const watched = watch.over(process, machine, () => broke(process));
    process.driver = drive(watched, this.#surroundings(process, seeds, network));
    return process;
  }

  #surroundings(process: Process, seeds: readonly Endpoint[], network: Network): Surroundings {
    const { agenda, changed } = this.#options;
    const { host, startedAt } = process;
    const { aheadMs, drift } = host;
    const now = (): Millis => agenda.now + aheadMs + (agenda.now - startedAt) * drift;
    const timeOf = (local: Millis): Millis => startedAt + (local - aheadMs - startedAt) / (1 + drift);
    const wake = (due: Millis, run: () => void): (() => void) => {
      let task = network.at(process, timeOf(due), () => {
        // A clock that drifts may be rounded to just before the time that was asked for.
        if (now() < due) task = network.at(process, agenda.now + 1, run);
        else run();
      });
      return () => {
        task.isOff = true;
      };
    };
    return {
      now,
      wake,
      send: (to, request) => network.send(process, to, request),
      call: (to, request, timeoutMs, answered) => network.call(process, to, request, timeoutMs, answered),
      dial: (at, dialled) => network.dial(process, at, dialled),
      reply: (token, reply) => network.reply(process, token, reply),
      cut: changed,
      findSeeds: (found) => void network.at(process, agenda.now, () => found(seeds)),
      left: changed,
      doubts: () => {},
      note: (level, text) => process.note(level, text),
    };
  }
}

/** The address that a port stands for. */
export function endpointAt(port: number): Endpoint {
  return parseEndpoint(`127.0.0.1:${port}`)!;
}
