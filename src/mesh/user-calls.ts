// The connections over which users call members: apart from those of the protocol, so that big calls delay no
// probe. A connection to a member that is gone is closed when its last call has ended.

import { type Endpoint, parseEndpoint } from "../core/endpoint.ts";
import type { Cut, Member } from "./cut.ts";
import type { Pool } from "./footing.ts";
import { Line } from "./line.ts";
import { SilenceWatch } from "./silence-watch.ts";

export class UserCalls {
  readonly #channels: Pool;
  readonly #lines = new Map<Member, Line>();
  /** Who is at each endpoint now: one that came back there shares the connection of the one before. */
  readonly #newest = new Map<Endpoint, Line>();
  readonly #watch = new SilenceWatch(
    () => this.#lines.values(),
    () => this.#judged(),
  );
  readonly #told = {
    began: () => this.#watch.wake(),
    emptied: (line: Line) => this.#lineEmptied(line),
    judged: () => this.#judged(),
  };
  #judgements = 0;
  /** Told when no call is under way any more; nobody asks unless the mesh is closing. */
  #emptied: (() => void) | undefined;
  #isClosed = false;

  constructor(channels: Pool) {
    this.#channels = channels;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Grows whenever another set of members is to be avoided. */
  get judgements(): number {
    return this.#judgements;
  }

  lineTo(member: Member): Line {
    let line = this.#lines.get(member);
    if (line === undefined) {
      const endpoint = parseEndpoint(member.address, member.tls)!;
      line = new Line(member, endpoint, this.#channels.to(endpoint), this.#told);
      this.#lines.set(member, line);
      this.#newest.set(endpoint, line);
    }
    return line;
  }

  follow({ members }: Cut): void {
    const wanted = new Set(members);
    for (const line of this.#lines.values()) {
      line.isWanted = wanted.has(line.member);
      if (!line.isWanted && line.underWay === 0) this.#drop(line);
    }
  }

  /** Lets calls under way end for `drainMs`; the rest is cut off, and so is every later one. */
  async close(drainMs: number): Promise<void> {
    if (drainMs > 0 && !this.#isIdle) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, drainMs);
        this.#emptied = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.abort();
  }

  abort(): void {
    this.#isClosed = true;
    this.#watch.stop();
    this.#lines.clear();
    this.#newest.clear();
    this.#channels.closeAll();
    this.#emptied?.();
  }

  get #isIdle(): boolean {
    for (const line of this.#lines.values()) if (line.underWay > 0) return false;
    return true;
  }

  #judged(): void {
    this.#judgements += 1;
    if (!this.#isClosed) this.#watch.wake();
  }

  #lineEmptied(line: Line): void {
    if (!line.isWanted) this.#drop(line);
    if (this.#emptied !== undefined && this.#isIdle) this.#emptied();
  }

  #drop(line: Line): void {
    this.#lines.delete(line.member);
    this.#watch.forget(line);
    if (this.#newest.get(line.endpoint) !== line) return;
    this.#newest.delete(line.endpoint);
    this.#channels.close(line.endpoint);
  }
}

/** Which calls belong to which mesh, for those who make clients of it. */
const bound = new WeakMap<object, UserCalls>();

export function bindCalls(mesh: object, calls: UserCalls): void {
  bound.set(mesh, calls);
}

export function callsOf(mesh: object): UserCalls | undefined {
  return bound.get(mesh);
}
