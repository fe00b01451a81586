// The member as others reach it: the services blip.Membership and blip.ext.v1.Peer on a gRPC server that user
// services share. Requests are decoded or refused here and handed to the core one by one; most are answered at
// once, and those that wait are limited in number, bytes and time.

import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  sendUnaryData,
} from "@grpc/grpc-js";
import type { Join, PreJoin, Refused, Reply, Request } from "../core/messages.ts";
import { PEER_SERVICE } from "../core/messages.ts";
import { refuse, refused } from "../core/refusals.ts";
import { peekBroadcastId } from "./broadcast-id.ts";
import { decodeRequest, encodeReply } from "./codec.ts";
import { bufferOf } from "./fields.ts";
import { type Kind, PATHS, PROBES, RELAY, SYNC, WATCH } from "./methods.ts";
import type { Order } from "./order-codec.ts";
import { decodeRelay } from "./peer-codec.ts";
import { ProbeServer } from "./probe-server.ts";
import { RecentIds } from "./recent-ids.ts";
import { errorOf } from "./status.ts";
import { type SnapshotSource, Watching } from "./watching.ts";

/**
 * Hands a request to the core. `answer` may be called before this returns. The returned function tells that the
 * caller has hung up; it is called at most once, and not after the answer.
 */
export type Ask = (request: Request, answer: (reply: Reply) => void) => () => void;

/** Refuses callers before anything is done with what they ask; `peer` is where a call comes from, as "ip:port". */
export interface Gate {
  preJoin(request: PreJoin, headers: Metadata): Refused | undefined;
  join(request: Join, peer: string): Refused | undefined;
  /** Whether a caller may give an operator's orders. */
  readonly operator: (peer: string, order: Order["kind"]) => Refused | undefined;
  /** Whether a caller may speak as members do. Absent: whoever gets here may. */
  readonly member?: (peer: string) => Refused | undefined;
  /** Whether a caller may be told of configurations. Absent: whoever gets here may. */
  readonly query?: (peer: string, service: string, method: string) => Refused | undefined;
}

export interface MembershipOptions {
  readonly ask: Ask;
  readonly gate?: Gate;
  readonly source: SnapshotSource;
  readonly limits?: Partial<WaitingLimits>;
}

export interface WaitingLimits {
  /** Requests, and their bytes, that may wait for the core's answer at a time. */
  readonly requests: number;
  readonly bytes: number;
  /** How long one may wait. The crate's joiners give up after 15 s. */
  readonly timeMs: number;
}

const WAITING_LIMITS: WaitingLimits = { requests: 10_000, bytes: 64 * 1024 * 1024, timeMs: 60_000 };
const RECENT_IDS = 65_536;
const RELAYS_MAX = 10_000;
const EMPTY = Buffer.alloc(0);

const same = (bytes: Buffer): Buffer => bytes;

export class Membership {
  readonly #ask: Ask;
  readonly #gate: Gate | undefined;
  readonly #limits: WaitingLimits;
  readonly #watching: Watching;
  readonly #probes: ProbeServer;
  readonly #recent = new RecentIds(RECENT_IDS);
  readonly #hangups = new Set<() => void>();
  readonly #streams = new Set<ServerDuplexStream<Buffer, Buffer>>();
  #waitingBytes = 0;
  #closed = false;

  constructor({ ask, gate, source, limits }: MembershipOptions) {
    this.#ask = ask;
    this.#gate = gate;
    this.#limits = { ...WAITING_LIMITS, ...limits };
    this.#watching = new Watching(source);
    this.#probes = new ProbeServer(ask);
  }

  /** Registers both services. Once for each server. */
  serveOn(server: Server): void {
    for (const kind of Object.keys(PATHS) as Kind[]) {
      server.register(PATHS[kind], this.#handler(kind), same, same, "unary");
    }
    server.register(RELAY, this.#ofMembers(this.#relay), same, same, "bidi");
    server.register(PROBES, this.#ofMembers(this.#probes.probes), same, same, "bidi");
    server.register(SYNC, this.#sync, same, same, "unary");
    server.register(WATCH, this.#watch, same, same, "serverStream");
  }

  /** Requests that wait for an answer. */
  get waiting(): number {
    return this.#hangups.size;
  }

  /** Streams of frames, of probes and of configurations that are open. */
  get streams(): number {
    return this.#streams.size + this.#probes.streams + this.#watching.watchers;
  }

  /** Refuses what waits and what will come, and ends the streams. */
  close(): void {
    this.#closed = true;
    for (const hangup of this.#hangups) hangup();
    for (const stream of this.#streams) stream.end();
    this.#probes.close();
    this.#watching.close();
  }

  #handler(kind: Kind): handleUnaryCall<Buffer, Buffer> {
    return (call, respond) => {
      const bytes = call.request;
      const stranger = this.#strangeness(kind, call.getPeer());
      if (stranger !== undefined) return respond(errorOf(stranger));
      const id = kind === "broadcast" ? peekBroadcastId(bytes) : undefined;
      if (id !== undefined && this.#recent.has(id)) return respond(errorOf(refuse.redundant));
      if (this.#closed) return respond(errorOf(refuse.closed));
      const request = decodeRequest(kind, bytes);
      if (request.kind === "refused") return respond(errorOf(request));
      const refusal = this.#atTheGate(request, call);
      if (refusal !== undefined) return respond(errorOf(refusal));
      this.#answer(request, id, call, respond);
    };
  }

  #strangeness(kind: Kind, peer: string): Refused | undefined {
    if (kind !== "declareDead" && kind !== "forceNew") return this.#gate?.member?.(peer);
    return this.#gate === undefined
      ? refused("permission_denied", "no orders")
      : this.#gate.operator(peer, kind);
  }

  #atTheGate(request: Request, call: ServerUnaryCall<Buffer, Buffer>): Refused | undefined {
    if (request.kind === "preJoin") return this.#gate?.preJoin(request, call.metadata);
    return request.kind === "join" ? this.#gate?.join(request, call.getPeer()) : undefined;
  }

  #ofMembers(handle: handleBidiStreamingCall<Buffer, Buffer>): handleBidiStreamingCall<Buffer, Buffer> {
    const member = this.#gate?.member;
    if (member === undefined) return handle;
    return (stream) => {
      const stranger = member(stream.getPeer());
      if (stranger === undefined) handle(stream);
      else stream.emit("error", errorOf(stranger));
    };
  }

  readonly #sync: handleUnaryCall<Buffer, Buffer> = (call, respond) => {
    const refusal = this.#gate?.query?.(call.getPeer(), PEER_SERVICE, "Sync");
    if (refusal === undefined) this.#watching.sync(call, respond);
    else respond(errorOf(refusal));
  };

  readonly #watch: handleServerStreamingCall<Buffer, Buffer> = (stream) => {
    const refusal = this.#gate?.query?.(stream.getPeer(), PEER_SERVICE, "Watch");
    if (refusal === undefined) this.#watching.watch(stream);
    else stream.emit("error", errorOf(refusal));
  };

  /** A stream of frames, each of which is answered when all its broadcasts were handed to the core. */
  readonly #relay: handleBidiStreamingCall<Buffer, Buffer> = (stream) => {
    if (this.#closed || this.#streams.size >= RELAYS_MAX) {
      stream.emit("error", errorOf(this.#closed ? refuse.closed : refuse.tooMany));
      return;
    }
    this.#streams.add(stream);
    stream.on("data", (frame: Buffer) => {
      const refusal = this.#hearFrame(frame);
      if (refusal !== undefined) stream.emit("error", errorOf(refusal));
      // A peer that does not read its answers is not read from either.
      else if (!stream.write(EMPTY)) stream.pause();
    });
    stream.on("drain", () => stream.resume());
    stream.once("end", () => stream.end());
    for (const event of ["cancelled", "error", "close"]) {
      stream.once(event, () => this.#streams.delete(stream));
    }
  };

  #hearFrame(frame: Buffer): Refused | undefined {
    if (this.#closed) return refuse.closed;
    const broadcasts = decodeRelay(frame);
    if ("kind" in broadcasts) return broadcasts;
    for (const broadcast of broadcasts) {
      const bytes = bufferOf(broadcast);
      const id = peekBroadcastId(bytes);
      if (id !== undefined && this.#recent.has(id)) continue;
      const request = decodeRequest("broadcast", bytes);
      if (request.kind !== "refused") this.#hand(request, id, () => {});
    }
    return undefined;
  }

  /** Hands a request on, and remembers the broadcast unless it turns out that the core had no room for it. */
  #hand(request: Request, id: string | undefined, answer: (reply: Reply) => void): () => void {
    if (id === undefined) return this.#ask(request, answer);
    this.#recent.add(id);
    return this.#ask(request, (reply) => {
      if (reply.kind === "refused" && (reply.code === "unavailable" || reply.code === "resource_exhausted")) {
        this.#recent.delete(id);
      }
      answer(reply);
    });
  }

  #answer(
    request: Request,
    id: string | undefined,
    call: ServerUnaryCall<Buffer, Buffer>,
    respond: sendUnaryData<Buffer>,
  ): void {
    const { requests, bytes, timeMs } = this.#limits;
    if (this.#hangups.size >= requests || this.#waitingBytes + call.request.length > bytes) {
      respond(errorOf(refuse.tooMany));
      return;
    }
    let settled = false;
    let forget = (): void => {};
    const settle = (reply: Reply): void => {
      if (settled) return;
      settled = true;
      forget();
      if (reply.kind === "refused") respond(errorOf(reply));
      else respond(null, encodeReply(reply));
    };
    const hungUp = this.#hand(request, id, settle);
    if (settled) return;

    const hangUpWith = (reply: Reply): void => {
      if (settled) return;
      hungUp();
      settle(reply);
    };
    const close = (): void => hangUpWith(refuse.closed);
    const timer = setTimeout(hangUpWith, timeMs, refused("deadline_exceeded", "no answer in time")).unref();
    forget = () => {
      clearTimeout(timer);
      this.#hangups.delete(close);
      this.#waitingBytes -= call.request.length;
    };
    this.#hangups.add(close);
    this.#waitingBytes += call.request.length;
    // grpc-js says "cancelled" of every call that ends: broken off, overdue, or answered.
    call.once("cancelled", () => hangUpWith(refuse.closed));
  }
}
