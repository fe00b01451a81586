// The stage of the model of a Rust peer: in memory, through the real codec, on virtual time.

import type { Millis, ViewChange } from "../../src/core/doorway.ts";
import { type Driver, drive, type World } from "../../src/core/drive.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Metadata, Reply, Request } from "../../src/core/messages.ts";
import { seededRandom } from "../../src/core/random.ts";
import { refused } from "../../src/core/refusals.ts";
import { AS_RUST_PEER } from "../../src/sim/rust-peer/rust-peer.ts";
import { protobufWire } from "../../src/sim/wire.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { type Audience, PEER_SETTINGS, type Peer, type Stage } from "./stage.ts";

const HOP_MS = 1;
const PANICKED = "panicked: ";

export class ModelStage implements Stage {
  readonly #clock = new VirtualClock();
  readonly #wire = protobufWire(PEER_SETTINGS.cutDetector.observers);
  readonly #callers = new Map<number, (reply: Reply) => void>();
  #peer!: Peer;
  #fakes: ReadonlySet<Endpoint> = new Set();
  #audience!: Audience;
  #driver!: Driver;
  #lastToken = 0;

  get unixSeconds(): bigint {
    return BigInt(Math.floor(this.#clock.now / 1000));
  }

  async begin(peer: Peer, fakes: readonly Endpoint[], audience: Audience): Promise<void> {
    this.#peer = peer;
    this.#fakes = new Set(fakes);
    this.#audience = audience;
    const machine = AS_RUST_PEER.makeMachine!({
      self: peer.endpoint,
      metadata: bytesOf(peer.metadata),
      settings: PEER_SETTINGS,
      founder: peer.seed === undefined,
      random: seededRandom(1n),
      wallClock: () => this.#clock.now,
    });
    this.#driver = drive(machine, this.#world());
    this.#after(0, () => this.#driver.feed({ kind: "start" }));
  }

  say(request: Request, answered: (reply: Reply) => void): () => void {
    const token = this.#lastToken + 1;
    this.#lastToken = token;
    const received = this.#wire.request(request);
    this.#callers.set(token, (reply) =>
      this.#after(HOP_MS, () => answered(this.#wire.reply(request, reply))),
    );
    this.#after(HOP_MS, () => {
      if (received.kind === "refused") this.#reply(token, received);
      else this.#driver.feed({ kind: "request", token, request: received });
    });
    return () => {
      if (this.#callers.delete(token))
        this.#after(HOP_MS, () => this.#driver.feed({ kind: "hangup", token }));
    };
  }

  async pass(isOver: () => boolean, atMostMs: Millis, lullMs: Millis): Promise<void> {
    const clock = this.#clock;
    const deadline = clock.now + atMostMs;
    while (!isOver() && clock.runNext(deadline));
    const end = clock.now + lullMs;
    while (clock.runNext(end));
    clock.now = end;
  }

  async end(): Promise<void> {
    this.#driver.stop();
  }

  #world(): World {
    return {
      now: () => this.#clock.now,
      wake: (at, run) => this.#after(at - this.#clock.now, run),
      send: (to, request) => {
        for (const one of to) this.#tell(one, request, () => {});
      },
      call: (to, request, timeoutMs, answered) => this.#call(to, request, timeoutMs, answered),
      dial: (_, dialled) => void this.#after(HOP_MS, () => dialled("unknown")),
      reply: (token, reply) => this.#reply(token, reply),
      cut: (cut) => this.#publish(cut),
      findSeeds: (found) => {
        const { seed } = this.#peer;
        this.#after(0, () => found(seed === undefined ? [] : [seed]));
      },
      left: () => {},
      doubts: () => {},
      note: (_, text) => {
        if (text.startsWith(PANICKED)) this.#audience.panicked(text.slice(PANICKED.length));
      },
    };
  }

  #call(to: Endpoint, request: Request, timeoutMs: Millis, answered: (reply: Reply) => void): () => void {
    let isOpen = true;
    const settle = (reply: Reply): void => {
      if (isOpen) answered(reply);
      isOpen = false;
    };
    this.#after(timeoutMs, () => settle(refused("deadline_exceeded", "no answer in time")));
    this.#tell(to, request, settle);
    return () => {
      isOpen = false;
    };
  }

  /** One hop there, and one back. */
  #tell(to: Endpoint, request: Request, answered: (reply: Reply) => void): void {
    const answer = (reply: Reply): void =>
      void this.#after(HOP_MS, () => answered(this.#wire.reply(request, reply)));
    this.#after(HOP_MS, () => {
      const received = this.#wire.request(request);
      if (received.kind === "refused") throw new Error(`the model says what cannot be read: ${received.why}`);
      if (to === this.#peer.endpoint) this.say(received, answered);
      else if (this.#fakes.has(to)) this.#audience.heard(to, received, answer);
      else answer(refused("unavailable", "connection refused"));
    });
  }

  #reply(token: number, reply: Reply): void {
    this.#callers.get(token)?.(reply);
    this.#callers.delete(token);
  }

  #publish({ view, degraded, joined, kicked }: ViewChange): void {
    const members = view.members.map((endpoint) => ({
      endpoint,
      metadata: view.recordOf(endpoint)!.metadata,
    }));
    this.#audience.published({ configuration: view.id, degraded, members, joined, kicked });
  }

  #after(delayMs: Millis, run: () => void): () => void {
    const at = this.#clock.now + delayMs;
    const task = { at, order: 0, isOff: false, isTimer: true, run };
    this.#clock.add(task);
    return () => {
      task.isOff = true;
    };
  }
}

/** Metadata as members have it, of what is on a command line. */
export function bytesOf(metadata: Readonly<Record<string, string>>): Metadata {
  const entries = Object.entries(metadata).map(([key, text]) => [key, new TextEncoder().encode(text)]);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}
