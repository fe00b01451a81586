// One attempt at a call that is a stream in one direction or both, on one line. Streams live long as a rule, so
// that here grpc-js's own clients may do the work.

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
  type ServiceError,
} from "@grpc/grpc-js";
import { onAbort } from "../host/abort-fan.ts";
import { CONNECT_MS_MAX } from "./bridge-attempt.ts";
import { AttemptFailed, judged } from "./bridge-failure.ts";
import { decodeResponse, encodeRequest } from "./bridge-messages.ts";
import type { Plan, Terms } from "./bridge-unary.ts";
import { BlipError } from "./errors.ts";
import type { Line } from "./line.ts";

/** What all kinds of calls of grpc-js have in common. */
type AnyCall = ClientUnaryCall;

/** grpc-js closes the channel of a client on demand only, so that one may have many clients. */
const clients = new WeakMap<ChannelInterface, Client>();

/** Waits until the line is connected. False where it is not, and will not be soon. */
export async function connected({ channel }: Line, { deadline, signal }: Terms): Promise<boolean> {
  const until = Math.min(deadline, Date.now() + CONNECT_MS_MAX);
  while (!signal?.aborted) {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return true;
    if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) return false;
    if (!(await changed(channel, state, until, signal))) return false;
  }
  return false;
}

export async function callClientStream(
  line: Line,
  plan: Plan,
  requests: AsyncIterable<unknown>,
  terms: Terms,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (error: ServiceError | null, response?: Buffer): void => {
      release();
      if (error !== null) return reject(failed(error, call, line));
      line.answered(false);
      try {
        resolve(decodeResponse(plan, response!, line.member));
      } catch (unreadable) {
        reject(unreadable);
      }
    };
    const { path } = plan.method;
    const options = optionsOf(terms);
    const client = clientOf(line.channel);
    const call = client.makeClientStreamRequest(path, same, same, terms.headers, options, ended);
    const release = cancelOnAbort(call, terms.signal);
    // What goes wrong is told to `ended`.
    call.on("error", () => {});
    writeAll(call, plan, requests).catch((error: unknown) => {
      reject(error);
      call.cancel();
    });
  });
}

/** For the two kinds with many responses; `request` is bytes, or an iterable of requests. */
export async function* callStream(
  line: Line,
  plan: Plan,
  request: Buffer | AsyncIterable<unknown>,
  terms: Terms,
): AsyncGenerator<unknown, void, undefined> {
  const { path } = plan.method;
  const client = clientOf(line.channel);
  const options = optionsOf(terms);
  let requestsFailed: { readonly error: unknown } | undefined;
  let call: ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>;
  if (Buffer.isBuffer(request)) {
    call = client.makeServerStreamRequest(path, same, same, request, terms.headers, options);
  } else {
    const duplex = client.makeBidiStreamRequest(path, same, same, terms.headers, options);
    writeAll(duplex, plan, request).catch((error: unknown) => {
      requestsFailed = { error };
      duplex.cancel();
    });
    call = duplex;
  }
  const release = cancelOnAbort(call, terms.signal);
  // How it ended is read below; after a reader has left early, nobody asks.
  call.on("error", () => {});
  try {
    for await (const bytes of call) yield decodeResponse(plan, bytes as Buffer, line.member);
    line.answered(false);
  } catch (error) {
    if (requestsFailed !== undefined) throw requestsFailed.error;
    if (error instanceof BlipError) throw error;
    throw failed(error as ServiceError, call, line);
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
  return onAbort(signal, cancel);
}

function failed(error: ServiceError, call: AnyCall, line: Line): AttemptFailed {
  // Whatever reached us before would have been handed out already, and then nothing is tried again.
  return new AttemptFailed(judged(line, error, call.getPeer(), false));
}

async function writeAll(
  call: ClientWritableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>,
  plan: Plan,
  requests: AsyncIterable<unknown>,
): Promise<void> {
  const iterator = requests[Symbol.asyncIterator]();
  let isOver = false;
  call.once("status", () => {
    isOver = true;
    void iterator.return?.()?.catch(() => {});
  });
  for (let next = await iterator.next(); !next.done && !isOver; next = await iterator.next()) {
    if (!call.write(encodeRequest(plan, next.value))) await writable(call);
  }
  if (!isOver) call.end();
}

/** Waits until what was written is on its way, or the call is over. */
function writable(call: ClientWritableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>): Promise<void> {
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
    const release = signal && onAbort(signal, () => resolve(false));
    channel.watchConnectivityState(state, until, (error) => {
      release?.();
      resolve(error === undefined);
    });
  });
}
