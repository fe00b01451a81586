// Several members in one process, through the same drive as in production, on virtual time and a network that a
// test can break. Deterministic: the same seed gives the same run.

import type { Level, Millis, ViewChange } from "../src/core/doorway.ts";
import { type Driver, drive } from "../src/core/drive.ts";
import { type Endpoint, parseEndpoint } from "../src/core/endpoint.ts";
import { Member } from "../src/core/member.ts";
import { type Metadata, PEER_SERVICE, type Reply, type Request } from "../src/core/messages.ts";
import { type Random, seededRandom } from "../src/core/random.ts";
import { refused } from "../src/core/refusals.ts";
import { DEFAULT_SETTINGS, type Settings } from "../src/core/settings.ts";
import type { View } from "../src/core/view.ts";

const START: Millis = 1_700_000_000_000;

/** One member of a virtual mesh, with all that it published. */
export interface VirtualMember {
  readonly endpoint: Endpoint;
  readonly cuts: ViewChange[];
  readonly notes: string[];
  readonly driver: Driver;
  isUp: boolean;
  leftAt: Millis | undefined;
  wasRemoved: boolean | undefined;
}

/** What a test may do to a message: true drops it. */
export type Filter = (from: Endpoint, to: Endpoint, request: Request) => boolean;

export interface Joining {
  readonly seeds?: readonly Endpoint[];
  readonly metadata?: Metadata;
  /** A member whose metadata does not say that it runs this library, as a Rust member's. */
  readonly isForeign?: boolean;
}

interface Task {
  readonly at: Millis;
  readonly order: number;
  readonly run: () => void;
}

export class VirtualMesh {
  readonly members = new Map<Endpoint, VirtualMember>();
  readonly settings: Settings;
  now: Millis = START;
  /** Every drop is up to the test. */
  filter: Filter = () => false;
  /** One way, drawn anew for each message. */
  latencyMs: readonly [number, number] = [1, 5];
  messages = 0;
  readonly #random: Random;
  readonly #tasks: Task[] = [];
  #order = 0;
  #token = 0;
  readonly #replies = new Map<number, (reply: Reply) => void>();

  constructor(seed: number, settings: Partial<Settings> = {}) {
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
    this.#random = seededRandom(BigInt(seed));
  }

  /** Starts a member at 127.0.0.1 on this port; without seeds it founds a mesh. */
  start(port: number, { seeds = [], metadata, isForeign = false }: Joining = {}): VirtualMember {
    const endpoint = at(port);
    const own: Metadata = Object.assign(Object.create(null), metadata);
    const member = new Member({
      self: endpoint,
      metadata: isForeign ? own : Object.assign(own, { [PEER_SERVICE]: new Uint8Array([0x31]) }),
      settings: this.settings,
      founder: seeds.length === 0,
      random: seededRandom(this.#random.u64()),
    });
    const driver = drive(member, {
      now: () => this.now,
      wake: (due, run) => this.#schedule(Math.max(due, this.now), run),
      send: (to, request) => {
        for (const peer of to) this.#deliver(endpoint, peer, request, () => {});
      },
      call: (to, request, timeoutMs, answered) => this.#call(endpoint, to, request, timeoutMs, answered),
      reply: (token, reply) => {
        this.#replies.get(token)?.(reply);
        this.#replies.delete(token);
      },
      cut: (cut) => void virtual.cuts.push(cut),
      findSeeds: (found) => void this.#schedule(this.now, () => found(seeds)),
      left: (removed) => {
        virtual.leftAt = this.now;
        virtual.wasRemoved = removed;
      },
      note: (level: Level, text) => void virtual.notes.push(`${level}: ${text}`),
    });
    const virtual: VirtualMember = {
      endpoint,
      cuts: [],
      notes: [],
      driver,
      isUp: true,
      leftAt: undefined,
      wasRemoved: undefined,
    };
    this.members.set(endpoint, virtual);
    driver.feed({ kind: "start" });
    return virtual;
  }

  /** A crash: it neither hears nor says anything any more. */
  crash(member: VirtualMember): void {
    member.isUp = false;
    member.driver.stop();
  }

  /** Runs until the condition holds; fails when it does not within the given virtual time. */
  until(what: string, condition: () => boolean, withinMs: Millis = 120_000): void {
    const deadline = this.now + withinMs;
    while (!condition()) {
      if (!this.#runNext(deadline))
        throw new Error(`not within ${withinMs} virtual ms: ${what}\n${this.state()}`);
    }
  }

  /** Lets virtual time pass. */
  run(ms: Millis): void {
    const deadline = this.now + ms;
    while (this.#runNext(deadline));
    this.now = deadline;
  }

  get living(): readonly VirtualMember[] {
    return [...this.members.values()].filter((member) => member.isUp);
  }

  /** All of these are in one configuration that has exactly these members. */
  agree(members: readonly VirtualMember[] = this.living): boolean {
    const view = viewOf(members[0]!);
    if (view === undefined || view.size !== members.length) return false;
    return members.every((member) => viewOf(member)?.id === view.id && view.has(member.endpoint));
  }

  state(): string {
    return [...this.members.values()]
      .map(({ endpoint, isUp, cuts, notes }) => {
        const cut = cuts.at(-1);
        const view = cut === undefined ? "no view" : `${cut.view.id} of ${cut.view.size}`;
        return `${endpoint} ${isUp ? "up" : "down"} ${view}${cut?.degraded ? " degraded" : ""} ${notes.at(-1) ?? ""}`;
      })
      .join("\n");
  }

  #call(
    from: Endpoint,
    to: Endpoint,
    request: Request,
    timeoutMs: Millis,
    answered: (reply: Reply) => void,
  ): () => void {
    let isOpen = true;
    const finish = (reply: Reply): void => {
      if (!isOpen) return;
      isOpen = false;
      cancelTimeout();
      answered(reply);
    };
    const late = refused("deadline_exceeded", "deadline exceeded");
    const cancelTimeout = this.#schedule(this.now + timeoutMs, () => {
      hangup();
      finish(late);
    });
    const hangup = this.#deliver(from, to, request, finish);
    return () => {
      isOpen = false;
      cancelTimeout();
      hangup();
    };
  }

  #deliver(from: Endpoint, to: Endpoint, request: Request, answer: (reply: Reply) => void): () => void {
    this.messages += 1;
    const isLost = this.filter(from, to, request);
    let token: number | undefined;
    if (!isLost) {
      this.#schedule(this.now + this.#latency(), () => {
        const target = this.members.get(to);
        if (target === undefined || !target.isUp) {
          this.#schedule(this.now + this.#latency(), () =>
            answer(refused("unavailable", "connection refused")),
          );
          return;
        }
        this.#token += 1;
        token = this.#token;
        this.#replies.set(token, (reply) => this.#schedule(this.now + this.#latency(), () => answer(reply)));
        target.driver.feed({ kind: "request", token, request });
      });
    }
    return () => {
      const target = this.members.get(to);
      if (token !== undefined && target?.isUp && this.#replies.delete(token)) {
        target.driver.feed({ kind: "hangup", token });
      }
    };
  }

  #latency(): Millis {
    const [from, to] = this.latencyMs;
    return from + this.#random.below(Math.max(1, (to - from) * 1000)) / 1000;
  }

  #schedule(due: Millis, run: () => void): () => void {
    const task = { at: due, order: this.#order++, run };
    let low = 0;
    let high = this.#tasks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tasks[middle]!.at > due) low = middle + 1;
      else high = middle;
    }
    this.#tasks.splice(low, 0, task); // Latest first, so that the next one is popped off the end.
    return () => {
      const index = this.#tasks.indexOf(task);
      if (index >= 0) this.#tasks.splice(index, 1);
    };
  }

  #runNext(deadline: Millis): boolean {
    const next = this.#tasks.at(-1);
    if (next === undefined || next.at > deadline) return false;
    this.#tasks.pop();
    this.now = Math.max(this.now, next.at);
    next.run();
    return true;
  }
}

export function at(port: number): Endpoint {
  return parseEndpoint(`127.0.0.1:${port}`)!;
}

export function viewOf(member: VirtualMember): View | undefined {
  return member.cuts.at(-1)?.view;
}
