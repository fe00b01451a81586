// The connections over which users call members: apart from those of the protocol, so that big calls delay no
// probe. A connection to a member that is gone is closed when its last call has ended.

import type { Endpoint } from "../core/endpoint.ts";
import type { View } from "../core/view.ts";
import { Channels } from "../grpc/index.ts";

type Channel = ReturnType<Channels["to"]>;

interface Line {
  readonly channel: Channel;
  underWay: number;
  isWanted: boolean;
}

export class UserCalls {
  // A stream that a leaving member refused never reached it, and grpc-js then tries again by itself.
  readonly #channels = new Channels({ channelOptions: { "grpc.enable_retries": 1 } });
  readonly #lines = new Map<Endpoint, Line>();
  #emptied = (): void => {};
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A channel for one call. `end` must be called once, when the call is over. */
  begin(endpoint: Endpoint): { readonly channel: Channel; readonly end: () => void } {
    let line = this.#lines.get(endpoint);
    if (line === undefined) {
      line = { channel: this.#channels.to(endpoint), underWay: 0, isWanted: true };
      this.#lines.set(endpoint, line);
    }
    const { channel } = line;
    line.underWay += 1;
    return { channel, end: () => this.#end(endpoint, line) };
  }

  follow(view: View): void {
    for (const [endpoint, line] of this.#lines) {
      line.isWanted = view.has(endpoint);
      if (!line.isWanted && line.underWay === 0) this.#drop(endpoint);
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
    this.#lines.clear();
    this.#channels.closeAll();
    this.#emptied();
  }

  get #isIdle(): boolean {
    for (const line of this.#lines.values()) if (line.underWay > 0) return false;
    return true;
  }

  #end(endpoint: Endpoint, line: Line): void {
    line.underWay -= 1;
    if (line.underWay > 0) return;
    if (!line.isWanted && this.#lines.get(endpoint) === line) this.#drop(endpoint);
    if (this.#isIdle) this.#emptied();
  }

  #drop(endpoint: Endpoint): void {
    this.#lines.delete(endpoint);
    this.#channels.close(endpoint);
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
