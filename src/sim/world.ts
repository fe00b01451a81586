// A simulated world: hosts with processes on them, a network between them, and one virtual time. Members are the same as
// in production and are driven by the same loop. What happens is drawn from one seed, watched by checkers, and hashed.

import type { Effect, Event, Millis } from "../core/doorway.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { DEFAULT_SETTINGS, type Settings } from "../core/settings.ts";
import type { View } from "../core/view.ts";
import { START } from "./agenda.ts";
import type { Checker, Violation } from "./checkers/checker.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { Population, type StartOptions } from "./population.ts";
import type { Ending, Host, MakeMachine, Process } from "./process.ts";
import { type Stream, Streams } from "./streams.ts";
import { Timeline } from "./timeline.ts";
import { TraceHash } from "./trace-hash.ts";
import { nameOf, Transcript } from "./transcript.ts";
import { Watch } from "./watch.ts";

export interface WorldOptions extends NetworkOptions {
  readonly seed: bigint | number;
  readonly settings?: Partial<Settings> | undefined;
  /** Makes the machines of processes that do not say otherwise; a Member by default. */
  readonly makeMachine?: MakeMachine | undefined;
  /** Keeps every line of the transcript instead of the last few hundred. */
  readonly keepsTranscript?: boolean | undefined;
  readonly checkers?: readonly Checker[] | undefined;
  /** `run` and `until` throw RuleBroken as soon as a checker finds something. */
  readonly stopsAtViolation?: boolean | undefined;
}

export class World extends Timeline {
  readonly seed: bigint;
  readonly settings: Settings;
  readonly streams: Streams;
  readonly network: Network;
  readonly watch: Watch;
  readonly transcript: Transcript;
  readonly trace: TraceHash = new TraceHash();
  steps = 0;
  readonly #population: Population;
  #isRough = false;
  #missing: Process | undefined;

  constructor(options: WorldOptions) {
    super(options.stopsAtViolation ?? false);
    this.seed = BigInt.asUintN(64, BigInt(options.seed));
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.streams = new Streams(this.seed);
    this.#population = new Population({
      agenda: this.agenda,
      settings: this.settings,
      streams: this.streams,
      makeMachine: options.makeMachine,
      changed: () => {
        this.hasChanged = true;
      },
      broke: (process) => this.#end(process, "broke"),
    });
    this.network = new Network(this.agenda, this.hosts, this.streams, options);
    this.transcript = new Transcript(options.keepsTranscript ?? false);
    this.watch = new Watch({
      settings: this.settings,
      hosts: this.hosts,
      now: () => this.now,
      startedAt: START,
      stepped: (process, event, effects) => this.#stepped(process, event, effects),
      did: (process, effect) => this.#did(process, effect),
      more: options.checkers,
    });
  }

  /** By address. */
  get hosts(): ReadonlyMap<Endpoint, Host> {
    return this.#population.hosts;
  }

  /** Every process there ever was, in the order in which they started. */
  get processes(): readonly Process[] {
    return this.#population.processes;
  }

  override get violations(): readonly Violation[] {
    return this.watch.violations;
  }

  /** The newest process at each address that runs and has not left. */
  get living(): readonly Process[] {
    return [...this.hosts.values()].flatMap(({ process }) => (process?.isLiving ? [process] : []));
  }

  /** Starts a process at this address (a port stands for 127.0.0.1), in place of one that may be there. */
  start(at: Endpoint | number, options: StartOptions = {}): Process {
    const host = this.hostAt(at);
    if (host.process?.isUp) this.#end(host.process, "crashed");
    const process = this.#population.settle(host, options, this.network, this.watch);
    process.isHarmed = this.#isRough || this.network.links.isTroubled(host.endpoint);
    const isFounder = (options.seeds ?? []).length === 0;
    this.transcript.add(this.elapsed, isFounder ? "starts a mesh" : "starts", nameOf(host.endpoint));
    this.watch.started(process);
    process.feed({ kind: "start" });
    return process;
  }

  /** A mesh of this many members at ports `from`, `from + 1`, …, all in one configuration. */
  grow(size: number, from = 1, options: StartOptions = {}): readonly Process[] {
    const founder = this.start(from, { ...options, seeds: [] });
    const processes = [founder];
    for (let i = 1; i < size; i++) {
      processes.push(this.start(from + i, { seeds: [founder.endpoint], ...options }));
    }
    this.until(`${size} members agree`, () => this.agree(processes), 120_000 + 100 * size);
    return processes;
  }

  /** Processes die; their hosts refuse calls from now on, and reset those that wait. */
  crash(...processes: readonly Process[]): void {
    for (const process of processes) {
      this.tell(`${nameOf(process.endpoint)} crashes`);
      this.#end(process, "crashed");
    }
  }

  /** A process ends of its own accord. */
  exit(process: Process): void {
    this.tell(`${nameOf(process.endpoint)} ends`);
    this.#end(process, "crashed");
  }

  /** Hosts lose power: their processes die, and nobody answers in their place. */
  powerOff(...processes: readonly Process[]): void {
    for (const process of processes) {
      this.tell(`${nameOf(process.endpoint)} loses power`);
      process.host.isUp = false;
      this.#end(process, "crashed");
    }
  }

  /** The host is there again, without a process. */
  powerOn(host: Host): void {
    host.isUp = true;
  }

  /** A new process at the address of this one, which dies if it has not. */
  restart(process: Process, options: StartOptions = {}): Process {
    if (process.isUp) this.crash(process);
    process.host.isUp = true;
    return this.start(process.endpoint, options);
  }

  leave(process: Process, timeoutMs: Millis = 30_000): void {
    this.tell(`${nameOf(process.endpoint)} is told to leave`);
    process.leavesAt = this.now;
    process.isHarmed = true;
    process.feed({ kind: "leave", timeoutMs });
  }

  /** Processes stand still, as after SIGSTOP. */
  freeze(...processes: readonly Process[]): void {
    for (const process of processes) {
      this.tell(`${nameOf(process.endpoint)} stands still`);
      process.isFrozen = true;
      process.isHarmed = true;
    }
  }

  /** They go on where they stood: first with the timers that are overdue, then with what arrived. */
  thaw(...processes: readonly Process[]): void {
    for (const process of processes) {
      if (!process.isFrozen) continue;
      this.tell(`${nameOf(process.endpoint)} goes on`);
      process.isFrozen = false;
      const backlog = process.backlog.splice(0);
      for (const { task } of backlog.filter(({ isTimer }) => isTimer)) this.agenda.add(this.now, task);
      for (const { task } of backlog.filter(({ isTimer }) => !isTimer)) this.agenda.add(this.now, task);
    }
  }

  /** Nothing gets from one group to the other any more, in this direction. */
  block(from: readonly Process[], to: readonly Process[]): void {
    for (const a of from) for (const b of to) this.network.links.block(a.endpoint, b.endpoint);
    // Others may have been started at their addresses meanwhile.
    for (const { host } of [...from, ...to]) if (host.process !== undefined) host.process.isHarmed = true;
    this.tell(`nothing gets from ${namesOf(from)} to ${namesOf(to)}`);
  }

  /** Nothing gets from one group to the other, in either direction. */
  partition(some: readonly Process[], others: readonly Process[]): void {
    this.block(some, others);
    this.block(others, some);
  }

  unblock(from: readonly Process[], to: readonly Process[]): void {
    for (const a of from) for (const b of to) this.network.links.unblock(a.endpoint, b.endpoint);
    this.tell(`messages get from ${namesOf(from)} to ${namesOf(to)} again`);
  }

  /** The share of messages to or from this address that is lost. */
  lose(process: Process, shares: { readonly inbound?: number; readonly outbound?: number }): void {
    process.isHarmed = true;
    this.network.links.setLoss(process.endpoint, shares);
    const { inbound = 0, outbound = 0 } = shares;
    this.tell(
      `${nameOf(process.endpoint)} loses ${100 * inbound} % of what comes, ${100 * outbound} % of what goes`,
    );
  }

  /** Every link works again, and works well. */
  heal(): void {
    this.network.heal();
    this.tell("the network is well again");
  }

  /** The weather is bad for all from here on: nobody may complain of being removed. */
  harmAll(): void {
    this.#isRough = true;
    for (const { process } of this.hosts.values()) if (process !== undefined) process.isHarmed = true;
  }

  /** What was done to members is long over: whoever lives is well. */
  forgiveAll(): void {
    this.#isRough = false;
    for (const process of this.living) process.isHarmed = process.leavesAt !== undefined;
  }

  /** Dice for a scenario, which move nobody else's. */
  dice(name: string): Stream {
    return this.streams.of(`scenario ${name}`);
  }

  /** All of these are in one configuration that has exactly these members. */
  agree(processes: readonly Process[] = this.living): boolean {
    const view = processes[0]?.view;
    if (view === undefined || view.size !== processes.length) return false;
    const isThere = (process: Process): boolean =>
      process.view?.id === view.id && process.isMember && view.has(process.endpoint);
    // While many are asked for again and again, mostly the same one is still missing.
    const missing = this.#missing;
    if (missing !== undefined && !isThere(missing) && processes.includes(missing)) return false;
    this.#missing = processes.find((process) => !isThere(process));
    return this.#missing === undefined;
  }

  /** The configuration that the mesh is in. */
  get head(): View | undefined {
    return this.watch.history.head;
  }

  hostAt(at: Endpoint | number): Host {
    return this.#population.hostAt(at);
  }

  /** Adds a line to the transcript. */
  tell(what: string): void {
    this.transcript.add(this.elapsed, what);
  }

  /** Where everybody is, one line each. */
  override state(): string {
    return [...this.hosts.values()]
      .flatMap(({ process }) => (process === undefined ? [] : [stateOf(process)]))
      .join("\n");
  }

  #end(process: Process, how: Ending): void {
    if (!process.isUp) return;
    process.isUp = false;
    process.isHarmed = true;
    process.driver?.stop();
    process.backlog.length = 0;
    this.network.wentDown(process);
    this.watch.ended(process, how);
    this.hasChanged = true;
  }

  #stepped(process: Process, event: Event, effects: readonly Effect[]): void {
    this.steps += 1;
    const { trace } = this;
    trace.add(16 * this.elapsed);
    trace.add(process.number);
    trace.addWord(event.kind === "request" ? event.request.kind : event.kind);
    trace.add(effects.length);
  }

  #did(process: Process, effect: Effect): void {
    if (effect.kind === "cut") this.trace.addBig(effect.cut.view.id);
    this.transcript.addEffect(this.elapsed, process.endpoint, effect);
  }
}

function namesOf(processes: readonly Process[]): string {
  return processes.map(({ endpoint }) => nameOf(endpoint)).join(" ");
}

function stateOf({ endpoint, isUp, isFrozen, cut, notes }: Process): string {
  const where = cut === undefined ? "no view" : `${cut.view.id} of ${cut.view.size}`;
  const how = isUp ? (isFrozen ? "frozen" : "up") : "down";
  return `${endpoint} ${how} ${where}${cut?.degraded ? " degraded" : ""} ${notes.at(-1) ?? ""}`;
}
