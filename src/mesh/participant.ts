// A member of the core in the real world: driven by clock, dice, DNS and gRPC. What it takes part in, it tells by
// cuts; it knows nothing of users.

import type { Doubts, Event, Level, Token, ViewChange } from "../core/doorway.ts";
import { type Driver, drive, type World } from "../core/drive.ts";
import { type Endpoint, isTls } from "../core/endpoint.ts";
import { Member } from "../core/member.ts";
import type { Metadata, Reply, Request } from "../core/messages.ts";
import type { Settings } from "../core/settings.ts";
import { type Gate, Membership, type Snapshot, type TlsIdentity, Transport } from "../grpc/index.ts";
import { steadyClock } from "../host/clock.ts";
import { systemRandom } from "../host/entropy.ts";
import { resolveSeeds, type Seeds } from "./seeds.ts";

export interface ParticipantOptions {
  readonly self: Endpoint;
  /** Addresses by which this member may find itself among the seeds. */
  readonly own: ReadonlySet<Endpoint>;
  readonly seeds: Seeds | undefined;
  readonly metadata: Metadata;
  readonly settings: Settings;
  readonly meshName: string | undefined;
  readonly identity: TlsIdentity | undefined;
  readonly gate: Gate;
  readonly cut: (change: ViewChange) => void;
  readonly doubts: (doubts: Doubts) => void;
  readonly note: (level: Level, text: string) => void;
  /** The core broke: a defect. Nothing more will come from it. */
  readonly broken: (error: unknown) => void;
}

export class Participant {
  readonly #options: ParticipantOptions;
  readonly #transport: Transport;
  readonly #membership: Membership;
  readonly #driver: Driver;
  readonly #closing = new AbortController();
  readonly #answers = new Map<Token, (reply: Reply) => void>();
  readonly #watchers = new Set<(snapshot: Snapshot) => void>();
  #lastToken: Token = 0;
  #newest: Snapshot | undefined;
  #left: ((removed: boolean) => void) | undefined;

  constructor(options: ParticipantOptions) {
    this.#options = options;
    const { self, metadata, settings, seeds, meshName, identity, gate, note } = options;
    const { observers } = settings.cutDetector;
    const disconnected = (peer: Endpoint): void => this.#feed({ kind: "disconnected", peer });
    this.#transport = new Transport({ self, observers, meshName, identity, disconnected, note });
    this.#membership = new Membership({
      gate,
      ask: (request, answer) => this.#ask(request, answer),
      source: {
        current: () => this.#newest,
        watch: (listener) => {
          this.#watchers.add(listener);
          return () => void this.#watchers.delete(listener);
        },
      },
    });
    const member = new Member({
      self,
      metadata,
      settings,
      founder: seeds === undefined,
      random: systemRandom(),
    });
    this.#driver = drive(member, this.#world());
  }

  serveOn(server: Parameters<Membership["serveOn"]>[0]): void {
    this.#membership.serveOn(server);
  }

  start(): void {
    this.#feed({ kind: "start" });
  }

  /** Asks the others to remove this member. True once they have, false where that took longer. */
  leave(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.#left = resolve;
      this.#feed({ kind: "leave", timeoutMs });
    });
  }

  /** Says no more, hears no more, and refuses those that still wait for an answer. */
  async close(drainMs: number): Promise<void> {
    this.#closing.abort(new Error("the mesh was closed"));
    this.#driver.stop();
    this.#left?.(false);
    this.#membership.close();
    await this.#transport.close({ drainMs });
  }

  #feed(event: Event): void {
    this.#guard(() => this.#driver.feed(event));
  }

  /** A defect in the core must not come up in whatever happened to call it. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#driver.stop();
      this.#options.broken(error);
    }
  }

  #ask(request: Request, answer: (reply: Reply) => void): () => void {
    this.#lastToken += 1;
    const token = this.#lastToken;
    this.#answers.set(token, answer);
    this.#feed({ kind: "request", token, request });
    return () => {
      if (this.#answers.delete(token)) this.#feed({ kind: "hangup", token });
    };
  }

  #world(): World {
    const { doubts, note } = this.#options;
    return {
      now: steadyClock.now,
      wake: (at, run) => steadyClock.wake(at, () => this.#guard(run)),
      send: (to, request) => this.#transport.send(to, request),
      call: (to, request, timeoutMs, answered) =>
        this.#transport.call(to, request, timeoutMs, (reply) => this.#guard(() => answered(reply))),
      dial: (at, dialled) => this.#transport.dial(at, (found) => this.#guard(() => dialled(found))),
      reply: (token, reply) => {
        const answer = this.#answers.get(token);
        this.#answers.delete(token);
        answer?.(reply);
      },
      cut: (change) => this.#cut(change),
      findSeeds: (found) => void this.#findSeeds(found),
      left: (removed) => this.#left?.(removed),
      doubts,
      note,
    };
  }

  #cut(change: ViewChange): void {
    this.#transport.follow(change.view);
    this.#newest = { local: this.#options.self, change, skipped: 0 };
    this.#options.cut(change);
    for (const watcher of this.#watchers) watcher(this.#newest);
  }

  async #findSeeds(found: (seeds: readonly Endpoint[]) => void): Promise<void> {
    const { self, seeds = [], own, note } = this.#options;
    const { signal } = this.#closing;
    const endpoints = await resolveSeeds(seeds, own, isTls(self), signal, (text) => note("warn", text));
    if (!signal.aborted) this.#guard(() => found(endpoints));
  }
}
