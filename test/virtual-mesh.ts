// Several members in one process, through the same drive as in production, on virtual time and a network that a
// test can break. Deterministic: the same seed gives the same run. Everything that is said and every view that is
// taken goes past a checker, so that each run ends with the question whether the mesh ever contradicted itself.

import assert from "node:assert/strict";
import type { Found, Level, Millis, ViewChange } from "../src/core/doorway.ts";
import { type Driver, drive } from "../src/core/drive.ts";
import { type Endpoint, parseEndpoint } from "../src/core/endpoint.ts";
import { Member } from "../src/core/member.ts";
import { type Metadata, PEER_SERVICE, type Reply, type Request } from "../src/core/messages.ts";
import { type Random, seededRandom } from "../src/core/random.ts";
import { refused } from "../src/core/refusals.ts";
import { DEFAULT_SETTINGS, type Settings } from "../src/core/settings.ts";
import type { View } from "../src/core/view.ts";
import { asReceived } from "../src/sim/as-received.ts";
import { MeshChecker } from "./mesh-checker.ts";
import { type Task, VirtualClock } from "./virtual-clock.ts";

/** One incarnation of a member of a virtual mesh, with all that it published. */
export interface VirtualMember {
  readonly endpoint: Endpoint;
  readonly metadata: Metadata;
  readonly cuts: ViewChange[];
  readonly notes: string[];
  readonly driver: Driver;
  isUp: boolean;
  /** Its machine went down with it: nobody is left to refuse connections. */
  isSilent: boolean;
  /** Its process stands still: what comes meanwhile waits. */
  isStalled: boolean;
  readonly backlog: Task[];
  /** When it was told to leave. */
  leavesAt: Millis | undefined;
  leftAt: Millis | undefined;
  wasRemoved: boolean | undefined;
}

/** What a test may do to a message: true drops it. */
export type Filter = (from: Endpoint, to: Endpoint, request: Request) => boolean;
/** The same for answers; `from` is who answers. */
export type ReplyFilter = (from: Endpoint, to: Endpoint, reply: Reply) => boolean;

/** What one sees who tries to connect to the other; `undefined`: what is so. */
export type DialFilter = (from: Endpoint, to: Endpoint) => Found | undefined;

const DIAL_TIMEOUT_MS = 500;

export interface Joining {
  readonly seeds?: readonly Endpoint[];
  readonly metadata?: Metadata;
  /** A member whose metadata does not say that it runs this library, as a Rust member's. */
  readonly isForeign?: boolean;
  /** How far its wall clock is ahead of the others'. */
  readonly aheadMs?: Millis;
}

export class VirtualMesh {
  /** The newest incarnation at each address. */
  readonly members = new Map<Endpoint, VirtualMember>();
  /** Everybody there ever was. */
  readonly incarnations: VirtualMember[] = [];
  readonly settings: Settings;
  readonly checker = new MeshChecker();
  /** Every drop is up to the test. */
  filter: Filter = () => false;
  replyFilter: ReplyFilter = () => false;
  dialFilter: DialFilter = () => undefined;
  /** One way, drawn anew for each message. */
  latencyMs: readonly [number, number] = [1, 5];
  /** The share of messages that is lost, drawn for requests and answers alike. */
  loss = 0;
  /** The share of messages that arrives a second time. */
  duplication = 0;
  messages = 0;
  readonly #clock = new VirtualClock();
  readonly #random: Random;
  readonly #weather: Random;
  readonly #blocked = new Set<string>();
  #token = 0;
  /** Somebody took a view or left since it was last asked. */
  #hasChanged = false;
  readonly #replies = new Map<number, (reply: Reply) => void>();

  constructor(seed: number, settings: Partial<Settings> = {}) {
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
    this.#random = seededRandom(BigInt(seed));
    this.#weather = seededRandom(this.#random.u64());
  }

  get now(): Millis {
    return this.#clock.now;
  }

  /** Equal for equal runs. */
  get trace(): number {
    return this.#clock.trace;
  }

  /** Starts a member at 127.0.0.1 on this port; without seeds it founds a mesh. */
  start(port: number, { seeds = [], metadata, isForeign = false, aheadMs = 0 }: Joining = {}): VirtualMember {
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
      now: () => this.now + aheadMs,
      wake: (due, run) => this.#schedule(Math.max(due - aheadMs, this.now), run, virtual, true),
      send: (to, request) => {
        this.checker.hears(endpoint, request);
        for (const peer of to) this.#deliver(virtual, peer, request, () => {});
      },
      call: (to, request, timeoutMs, answered) => this.#call(virtual, to, request, timeoutMs, answered),
      dial: (to, dialled) => this.#dial(virtual, to, dialled),
      reply: (token, reply) => {
        this.#replies.get(token)?.(reply);
        this.#replies.delete(token);
      },
      cut: (cut) => {
        virtual.cuts.push(cut);
        this.#hasChanged = true;
        this.checker.sees(virtual, cut, this.now);
      },
      findSeeds: (found) => void this.#schedule(this.now, () => found(seeds), virtual),
      left: (removed) => {
        virtual.leftAt = this.now;
        this.#hasChanged = true;
        virtual.wasRemoved = removed;
      },
      doubts: () => undefined,
      note: (level: Level, text) => void virtual.notes.push(`${level}: ${text}`),
    });
    const virtual: VirtualMember = {
      endpoint,
      metadata: own,
      cuts: [],
      notes: [],
      driver,
      isUp: true,
      isSilent: false,
      isStalled: false,
      backlog: [],
      leavesAt: undefined,
      leftAt: undefined,
      wasRemoved: undefined,
    };
    this.members.set(endpoint, virtual);
    this.incarnations.push(virtual);
    driver.feed({ kind: "start" });
    return virtual;
  }

  /** A mesh of this many members at ports `from`, `from + 1`, …, all in one configuration. */
  grow(size: number, from = 1, joining: Joining = {}): readonly VirtualMember[] {
    const founder = this.start(from, { ...joining, seeds: [] });
    const others = Array.from({ length: size - 1 }, (_, i) =>
      this.start(from + 1 + i, { seeds: [founder.endpoint], ...joining }),
    );
    const members = [founder, ...others];
    this.until(`${size} members agree`, () => this.agree(members));
    return members;
  }

  /**
   * A crash: it neither hears nor says anything any more. Its machine lives on, closes its connections and refuses
   * new ones.
   */
  crash(...members: readonly VirtualMember[]): void {
    this.#end(members);
    for (const member of members) this.disconnect(member);
  }

  /** Its machine crashes: from there comes nothing any more, no refusals either. */
  vanish(...members: readonly VirtualMember[]): void {
    for (const member of members) member.isSilent = true;
    this.#end(members);
  }

  #end(members: readonly VirtualMember[]): void {
    for (const member of members) {
      member.isUp = false;
      member.driver.stop();
      this.checker.ended(member.endpoint);
    }
  }

  /** The connections over which the others probe this member break, whatever became of it. */
  disconnect(member: VirtualMember): void {
    const { endpoint } = member;
    for (const observer of this.living) {
      if (observer === member || this.#isBlocked(endpoint, observer.endpoint)) continue;
      if (viewOf(observer)?.subjectsOf(observer.endpoint).includes(endpoint) !== true) continue;
      const tell = (): void => {
        if (observer.isUp) observer.driver.feed({ kind: "disconnected", peer: endpoint });
      };
      this.#schedule(this.now + this.#latency(), tell, observer);
    }
  }

  leave(member: VirtualMember, timeoutMs: Millis = 30_000): void {
    member.leavesAt = this.now;
    this.checker.ended(member.endpoint);
    member.driver.feed({ kind: "leave", timeoutMs });
  }

  /** Its process stands still, as after SIGSTOP. */
  stall(member: VirtualMember): void {
    member.isStalled = true;
  }

  /** Goes on where it stood: first with the timers that are overdue, then with what arrived. */
  resume(member: VirtualMember): void {
    member.isStalled = false;
    const backlog = member.backlog.splice(0);
    for (const task of [...backlog.filter((t) => t.isTimer), ...backlog.filter((t) => !t.isTimer)]) {
      task.at = this.now;
      this.#clock.add(task);
    }
  }

  /** Nothing gets from one to the other any more, in this direction. */
  block(from: readonly VirtualMember[], to: readonly VirtualMember[]): void {
    for (const a of from) for (const b of to) this.#blocked.add(`${a.endpoint} ${b.endpoint}`);
  }

  /** Nothing gets from one group to the other, in either direction. */
  partition(some: readonly VirtualMember[], others: readonly VirtualMember[]): void {
    this.block(some, others);
    this.block(others, some);
  }

  heal(): void {
    this.#blocked.clear();
  }

  /** Runs until the condition holds; fails when it does not within the given virtual time. */
  until(what: string, condition: () => boolean, withinMs: Millis = 120_000): void {
    const deadline = this.now + withinMs;
    while (!condition()) {
      // Looking after every single message would cost more than the members do.
      const { now } = this;
      this.#hasChanged = false;
      do {
        if (this.#clock.runNext(deadline)) continue;
        if (condition()) return;
        throw new Error(`not within ${withinMs} virtual ms: ${what}\n${this.state()}`);
      } while (!this.#hasChanged && this.now < now + 1);
    }
  }

  /** Lets virtual time pass. */
  run(ms: Millis): void {
    const deadline = this.now + ms;
    while (this.#clock.runNext(deadline));
    this.#clock.now = deadline;
  }

  /** Does something later, in virtual time. */
  later(ms: Millis, run: () => void): void {
    this.#schedule(this.now + ms, run);
  }

  get living(): readonly VirtualMember[] {
    return [...this.members.values()].filter((member) => member.isUp && member.leftAt === undefined);
  }

  /** All of these are in one configuration that has exactly these members. */
  agree(members: readonly VirtualMember[] = this.living): boolean {
    const view = members[0] && viewOf(members[0]);
    if (view === undefined || view.size !== members.length) return false;
    return members.every((member) => {
      const cut = member.cuts.at(-1);
      return cut?.view.id === view.id && !cut.degraded && view.has(member.endpoint);
    });
  }

  /** Nothing happened that must never happen. */
  assertSound(): void {
    assert.deepEqual(this.checker.contradictions(), []);
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
    from: VirtualMember,
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
    const timeUp = (): void => {
      hangup();
      finish(refused("deadline_exceeded", "deadline exceeded"));
    };
    const cancelTimeout = this.#schedule(this.now + timeoutMs, timeUp, from, true);
    const hangup = this.#deliver(from, to, request, finish);
    return () => {
      isOpen = false;
      cancelTimeout();
      hangup();
    };
  }

  /** The answer to an attempt to connect comes from the machine: whether or not its process stands still. */
  #dial(from: VirtualMember, to: Endpoint, dialled: (found: Found) => void): void {
    const isCut = this.#isBlocked(from.endpoint, to) || this.#isBlocked(to, from.endpoint);
    const target = this.members.get(to);
    const isSilent = isCut || target?.isSilent === true;
    const found = isSilent
      ? "unknown"
      : (this.dialFilter(from.endpoint, to) ?? (target?.isUp ? "accepted" : "refused"));
    this.#schedule(this.now + (isSilent ? DIAL_TIMEOUT_MS : 2 * this.#latency()), () => dialled(found), from);
  }

  #deliver(from: VirtualMember, to: Endpoint, request: Request, answer: (reply: Reply) => void): () => void {
    this.messages += 1;
    const tokens: number[] = [];
    const arrive = (): void => {
      const target = this.members.get(to);
      if (target?.isSilent) return;
      if (target === undefined || !target.isUp) {
        const gone = refused("unavailable", "connection refused");
        this.#schedule(this.now + this.#latency(), () => answer(gone), from);
        return;
      }
      this.#token += 1;
      const token = this.#token;
      tokens.push(token);
      this.#replies.set(token, (reply) => {
        if (this.#isLost(to, from.endpoint) || this.replyFilter(to, from.endpoint, reply)) return;
        const received = asReceived(reply);
        this.#schedule(this.now + this.#latency(), () => answer(received), from);
      });
      target.driver.feed({ kind: "request", token, request });
    };
    if (!this.#isLost(from.endpoint, to) && !this.filter(from.endpoint, to, request)) {
      const target = this.members.get(to);
      this.#schedule(this.now + this.#latency(), arrive, target);
      if (this.duplication > 0 && this.#chance(this.duplication)) {
        this.#schedule(this.now + this.#latency(), arrive, target);
      }
    }
    return () => {
      const target = this.members.get(to);
      for (const token of tokens) {
        if (target?.isUp && this.#replies.delete(token)) target.driver.feed({ kind: "hangup", token });
      }
    };
  }

  #isBlocked(from: Endpoint, to: Endpoint): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(`${from} ${to}`);
  }

  #isLost(from: Endpoint, to: Endpoint): boolean {
    if (this.#isBlocked(from, to)) return true;
    return this.loss > 0 && this.#chance(this.loss);
  }

  #chance(share: number): boolean {
    return this.#weather.below(1_000_000) < share * 1_000_000;
  }

  #latency(): Millis {
    const [from, to] = this.latencyMs;
    return from + this.#weather.below(Math.max(1, (to - from) * 1000)) / 1000;
  }

  /** Has it done at its time or, where the member that is to do it stands still then, when that goes on. */
  #schedule(due: Millis, run: () => void, member?: VirtualMember, isTimer = false): () => void {
    const task: Task = {
      at: due,
      order: 0,
      isOff: false,
      isTimer,
      run: () => {
        if (member?.isStalled) member.backlog.push(task);
        else run();
      },
    };
    this.#clock.add(task);
    return () => {
      task.isOff = true;
    };
  }
}

export function at(port: number): Endpoint {
  return parseEndpoint(`127.0.0.1:${port}`)!;
}

export function viewOf(member: VirtualMember): View | undefined {
  return member.cuts.at(-1)?.view;
}
