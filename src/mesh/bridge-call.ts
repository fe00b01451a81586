// One attempt at a call, on one channel. It tells whether the call may have reached the other side: one that did
// not can be tried elsewhere without being done twice.

import {
  type CallOptions,
  type ChannelInterface,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  connectivityState,
  credentials,
  type Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { Method } from "./bridge-definition.ts";

/** What all kinds of calls of grpc-js have in common. */
type AnyCall = ClientUnaryCall;

/** What holds for all attempts at one call. */
export interface Terms {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds since 1970, or Infinity. */
  readonly deadline: number;
  readonly metadata: Metadata;
}

/** How an attempt failed. */
export class AttemptFailed extends Error {
  readonly error: ServiceError;
  /** The other side may have seen the request. */
  readonly isReached: boolean;

  constructor(error: ServiceError, isReached: boolean) {
    super(error.message);
    this.error = error;
    this.isReached = isReached;
  }
}

/** A connection that takes longer is no better than none while other members can be asked. */
const CONNECT_MS_MAX = 3000;

/** grpc-js closes the channel of a client on demand only, so that one may have many clients. */
const clients = new WeakMap<ChannelInterface, Client>();

/** Waits until the channel is connected. False where it is not, and will not be soon. */
export async function connected(channel: ChannelInterface, { deadline, signal }: Terms): Promise<boolean> {
  const until = Math.min(deadline, Date.now() + CONNECT_MS_MAX);
  while (!signal?.aborted) {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return true;
    if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) return false;
    if (!(await changed(channel, state, until, signal))) return false;
  }
  return false;
}

export async function callUnary(
  channel: ChannelInterface,
  method: Method,
  request: Buffer,
  terms: Terms,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (error: ServiceError | null, response?: unknown): void => {
      release();
      if (error === null) resolve(response);
      else reject(failed(error, call, channel));
    };
    const { path, decodeResponse } = method;
    const call = clientOf(channel).makeUnaryRequest(
      path,
      same,
      decodeResponse,
      request,
      terms.metadata,
      optionsOf(terms),
      ended,
    );
    const release = cancelOnAbort(call, terms.signal);
  });
}

export async function callClientStream(
  channel: ChannelInterface,
  method: Method,
  requests: AsyncIterable<unknown>,
  terms: Terms,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (error: ServiceError | null, response?: unknown): void => {
      release();
      if (error === null) resolve(response);
      else reject(failed(error, call, channel));
    };
    const { path, encodeRequest, decodeResponse } = method;
    const call = clientOf(channel).makeClientStreamRequest(
      path,
      encodeRequest,
      decodeResponse,
      terms.metadata,
      optionsOf(terms),
      ended,
    );
    const release = cancelOnAbort(call, terms.signal);
    // What goes wrong is told to `ended`.
    call.on("error", () => {});
    writeAll(call, requests).catch((error: unknown) => {
      reject(error);
      call.cancel();
    });
  });
}

/** For the two kinds with many responses; `request` is bytes, or an iterable of requests. */
export async function* callStream(
  channel: ChannelInterface,
  method: Method,
  request: Buffer | AsyncIterable<unknown>,
  terms: Terms,
): AsyncGenerator<unknown, void, undefined> {
  const { path, encodeRequest, decodeResponse } = method;
  const client = clientOf(channel);
  const options = optionsOf(terms);
  let requestsFailed: { readonly error: unknown } | undefined;
  let call: ClientReadableStream<unknown> | ClientDuplexStream<unknown, unknown>;
  if (Buffer.isBuffer(request)) {
    call = client.makeServerStreamRequest(path, same, decodeResponse, request, terms.metadata, options);
  } else {
    const duplex = client.makeBidiStreamRequest(path, encodeRequest, decodeResponse, terms.metadata, options);
    writeAll(duplex, request).catch((error: unknown) => {
      requestsFailed = { error };
      duplex.cancel();
    });
    call = duplex;
  }
  const release = cancelOnAbort(call, terms.signal);
  // How it ended is read below; after a reader has left early, nobody asks.
  call.on("error", () => {});
  try {
    yield* call;
  } catch (error) {
    if (requestsFailed !== undefined) throw requestsFailed.error;
    throw failed(error as ServiceError, call, channel);
  } finally {
    release();
    call.cancel();
  }
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

function clientOf(channel: ChannelInterface): Client {
  let client = clients.get(channel);
  if (client === undefined) {
    client = new Client("", credentials.createInsecure(), { channelOverride: channel });
    clients.set(channel, client);
  }
  return client;
}

function optionsOf({ deadline }: Terms): CallOptions {
  return deadline === Infinity ? {} : { deadline };
}

function cancelOnAbort(call: AnyCall, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  const cancel = (): void => call.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  return () => signal.removeEventListener("abort", cancel);
}

function failed(error: ServiceError, call: AnyCall, channel: ChannelInterface): AttemptFailed {
  // A call that got a stream is known by the address of its connection; before that, by the channel's target.
  const peer = call.getPeer();
  const hasStream = peer !== channel.getTarget() && peer !== "unknown";
  return new AttemptFailed(error, hasStream || error.code !== status.UNAVAILABLE);
}

async function writeAll(
  call: ClientWritableStream<unknown> | ClientDuplexStream<unknown, unknown>,
  requests: AsyncIterable<unknown>,
): Promise<void> {
  const iterator = requests[Symbol.asyncIterator]();
  let isOver = false;
  call.once("status", () => {
    isOver = true;
    void iterator.return?.()?.catch(() => {});
  });
  for (let next = await iterator.next(); !next.done && !isOver; next = await iterator.next()) {
    if (!call.write(next.value)) await writable(call);
  }
  if (!isOver) call.end();
}

/** Waits until what was written is on its way, or the call is over. */
function writable(call: ClientWritableStream<unknown> | ClientDuplexStream<unknown, unknown>): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      call.off("drain", go);
      call.off("status", go);
      resolve();
    };
    call.once("drain", go);
    call.once("status", go);
  });
}

/** Resolves with whether the state changed in time. */
function changed(
  channel: ChannelInterface,
  state: connectivityState,
  until: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = (): void => resolve(false);
    signal?.addEventListener("abort", stop, { once: true });
    channel.watchConnectivityState(state, until, (error) => {
      signal?.removeEventListener("abort", stop);
      resolve(error === undefined);
    });
  });
}
