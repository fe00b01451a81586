// How a member speaks to others: the `send` and `call` of the core's World, over channels.

import { Metadata, status } from "@grpc/grpc-js";
import type { Found, Level } from "../core/doorway.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Reply, Request } from "../core/messages.ts";
import { refuse } from "../core/refusals.ts";
import type { View } from "../core/view.ts";
import { Channels, type ChannelsOptions } from "./channels.ts";
import { decodeReply, encodeRequest } from "./codec.ts";
import { dial } from "./dial.ts";
import { MESH_HEADER, PATHS } from "./methods.ts";
import { OUTBOX_LIMITS, Outbox, type OutboxLimits, type Tally } from "./outbox.ts";
import { Prober } from "./prober.ts";
import { refusedBy } from "./status.ts";
import { unary } from "./unary.ts";

export interface TransportOptions extends ChannelsOptions {
  readonly self: Endpoint;
  /** K, which views that others tell of are made with. */
  readonly observers: number;
  /** The name of the mesh that is joined. */
  readonly meshName?: string | undefined;
  /** A connection to this Node member, over which it had answered us, broke without our doing. */
  readonly disconnected?: (peer: Endpoint) => void;
  readonly note?: (level: Level, text: string) => void;
  readonly outbox?: Partial<OutboxLimits>;
}

export class Transport {
  readonly tally: Tally = { trips: 0, delivered: 0, dropped: 0, failed: 0 };
  readonly #options: TransportOptions;
  readonly #limits: OutboxLimits;
  readonly #channels: Channels;
  readonly #prober: Prober;
  readonly #joinHeaders = new Metadata();
  readonly #outboxes = new Map<Endpoint, Outbox>();
  readonly #calls = new Set<() => void>();
  /** Outboxes that were written to in this turn of the event loop. */
  readonly #written = new Set<Outbox>();
  #flushing: NodeJS.Immediate | undefined;
  #view: View | undefined;
  #closing: Promise<void> | undefined;
  #emptied = (): void => {};

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#limits = { ...OUTBOX_LIMITS, ...options.outbox };
    this.#channels = new Channels(options);
    this.#prober = new Prober(this.#channels, (peer) => this.#disconnected(peer));
    this.#joinHeaders.set(MESH_HEADER, options.meshName ?? "");
  }

  /** Tells these, once and without waiting for an answer. */
  send(to: readonly Endpoint[], request: Request): void {
    if (this.#closing !== undefined) return;
    for (const endpoint of to) {
      const outbox = this.#outboxTo(endpoint);
      outbox.push(request);
      this.#written.add(outbox);
    }
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  /**
   * Asks, and has `answered` called exactly once, later: with what was answered, or with why nothing was. The
   * returned function calls it off.
   */
  call(to: Endpoint, request: Request, timeoutMs: number, answered: (reply: Reply) => void): () => void {
    let wanted = true;
    const cancel = this.#ask(to, request, timeoutMs, (reply) => {
      if (wanted) answered(reply);
      wanted = false;
    });
    return () => {
      wanted = false;
      cancel();
    };
  }

  /** Tells exactly once, later, whether connections are accepted there. */
  dial(at: Endpoint, dialled: (found: Found) => void): void {
    if (this.#closing !== undefined) return void process.nextTick(dialled, "unknown");
    const cancel = dial(at, (found) => {
      this.#calls.delete(cancel);
      // grpc-js would wait before it connects again, though somebody is there now.
      if (found === "accepted") this.#channels.reconnect(at);
      dialled(found);
    });
    this.#calls.add(cancel);
  }

  /** Learns who is a Node member, and lets connections to those we do not speak to regularly close. */
  follow(view: View): void {
    this.#view = view;
    const subjects = new Set(view.subjectsOf(this.#options.self));
    this.#prober.follow(subjects);
    for (const [endpoint, outbox] of this.#outboxes) {
      if (!outbox.isIdle || subjects.has(endpoint)) continue;
      outbox.close();
      this.#outboxes.delete(endpoint);
    }
    this.#channels.retain([...subjects, ...this.#outboxes.keys()]);
  }

  /** Waits for what is under way, up to `drainMs`, then gives up on the rest and closes everything. */
  close({ drainMs = 0 }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    this.#flush();
    if (drainMs > 0 && !this.#isIdle) await this.#drained(drainMs);
    for (const outbox of this.#outboxes.values()) outbox.close();
    for (const cancel of this.#calls) cancel();
    this.#outboxes.clear();
    this.#prober.close();
    this.#channels.closeAll();
  }

  get #isIdle(): boolean {
    for (const outbox of this.#outboxes.values()) if (!outbox.isIdle) return false;
    return true;
  }

  #drained(drainMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, drainMs);
      this.#emptied = () => {
        if (!this.#isIdle) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #outboxTo(endpoint: Endpoint): Outbox {
    const known = this.#outboxes.get(endpoint);
    if (known !== undefined) return known;
    let isNoted = false;
    // One that was removed meanwhile is still what it was.
    let isNode = false;
    const outbox = new Outbox({
      channel: this.#channels.to(endpoint),
      limits: this.#limits,
      tally: this.tally,
      isNode: () => {
        if (this.#view?.has(endpoint)) isNode = this.#view.isNode(endpoint);
        return isNode;
      },
      overflowed: () => {
        if (!isNoted) this.#options.note?.("debug", `${endpoint} is slow: messages to it are dropped`);
        isNoted = true;
      },
      broken: () => this.#disconnected(endpoint),
      emptied: () => {
        isNoted = false;
        this.#emptied();
      },
    });
    this.#outboxes.set(endpoint, outbox);
    return outbox;
  }

  #disconnected(peer: Endpoint): void {
    if (this.#closing === undefined) this.#options.disconnected?.(peer);
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    for (const outbox of this.#written) outbox.flush();
    this.#written.clear();
  }

  #ask(to: Endpoint, request: Request, timeoutMs: number, answer: (reply: Reply) => void): () => void {
    if (this.#closing !== undefined) {
      process.nextTick(answer, refuse.closed);
      return () => {};
    }
    if (request.kind === "probe" && this.#view?.isNode(to) && this.#prober.canStream(to)) {
      this.#prober.probe(to, timeoutMs, answer);
      return () => {};
    }
    const bytes = encodeRequest(request);
    const cancel = unary(
      this.#channels.to(to),
      PATHS[request.kind],
      bytes,
      timeoutMs,
      (code, why, message) => {
        this.#calls.delete(cancel);
        if (code !== status.OK) answer(refusedBy(code, why));
        else answer(decodeReply(request.kind, message, this.#options.observers));
      },
      request.kind === "preJoin" ? this.#joinHeaders : undefined,
    );
    this.#calls.add(cancel);
    return cancel;
  }
}
