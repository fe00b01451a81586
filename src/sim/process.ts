// One incarnation of a participant: a machine at an address, with its own clock, that may crash or stand still. What
// it published is kept, for scenarios to look at. The machine is a Member as in production, or a model of another peer.

import type { Event, Level, Machine, Millis, ViewChange } from "../core/doorway.ts";
import type { Driver } from "../core/drive.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { MemberOptions } from "../core/member.ts";
import { type Metadata, PEER_SERVICE } from "../core/messages.ts";
import type { View } from "../core/view.ts";
import type { Task } from "./agenda.ts";
import type { Call } from "./call.ts";

/** What a machine is made of. A Member takes no notice of the wall clock; models of other peers may. */
export interface MachineOptions extends MemberOptions {
  readonly wallClock: () => Millis;
}

export type MakeMachine = (options: MachineOptions) => Machine;

/** A computer with one address. Its network may be gone while its process runs, and its clock may be wrong. */
export interface Host {
  readonly endpoint: Endpoint;
  /** Reachable: where no process listens, calls are refused at once. Otherwise nobody answers at all. */
  isUp: boolean;
  /** How far its wall clock is ahead. */
  aheadMs: Millis;
  /** Its clocks run faster by this share. */
  drift: number;
  /** The newest process at this address. */
  process: Process | undefined;
}

/** How a process came to its end. */
export type Ending = "crashed" | "left" | "removed" | "broke";

export class Process {
  /** Counts the processes of a world from 0. */
  readonly number: number;
  readonly host: Host;
  readonly metadata: Metadata;
  /** What runs here: "node" for a Member, or the name of a model. */
  readonly model: string;
  readonly startedAt: Millis;
  readonly cuts: ViewChange[] = [];
  readonly notes: string[] = [];
  /** Calls that wait here for an answer, by token. */
  readonly waiting: Map<number, Call> = new Map();
  /** Who probed it, and so is connected to it. */
  readonly probedBy: Set<Process> = new Set();
  /** Calls of its own that are under way. */
  openCalls = 0;
  isUp = true;
  /** Its process stands still, as after SIGSTOP: what comes meanwhile waits. */
  isFrozen = false;
  readonly backlog: { readonly task: Task; readonly isTimer: boolean }[] = [];
  /** When it was told to leave. */
  leavesAt: Millis | undefined;
  leftAt: Millis | undefined;
  wasRemoved: boolean | undefined;
  /** Something was done to it that others may take for its death. */
  isHarmed = false;
  /** Whom it was told to ask its way in; nobody where it founds a mesh. */
  seeds: readonly Endpoint[] = [];
  driver: Driver | undefined;

  constructor(number: number, host: Host, metadata: Metadata, model: string, startedAt: Millis) {
    this.number = number;
    this.host = host;
    this.metadata = metadata;
    this.model = model;
    this.startedAt = startedAt;
  }

  get endpoint(): Endpoint {
    return this.host.endpoint;
  }

  /** The newest cut. */
  get cut(): ViewChange | undefined {
    return this.cuts[this.cuts.length - 1];
  }

  get view(): View | undefined {
    return this.cut?.view;
  }

  /** Others take it for a member that runs this library, and tell it things in its way. */
  get seemsNode(): boolean {
    return Object.hasOwn(this.metadata, PEER_SERVICE);
  }

  /** In the configuration that it took last. */
  get isMember(): boolean {
    return this.cut?.degraded === false;
  }

  /** It runs, and has not left. */
  get isLiving(): boolean {
    return this.isUp && this.leftAt === undefined;
  }

  /** Living, and nobody told it to leave. */
  get isStaying(): boolean {
    return this.isLiving && this.leavesAt === undefined;
  }

  feed(event: Event): void {
    this.driver!.feed(event);
  }

  note(level: Level, text: string): void {
    this.notes.push(`${level}: ${text}`);
  }
}
