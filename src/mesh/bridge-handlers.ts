// Handlers as users write them, made into handlers as grpc-js calls them. Whatever a handler throws, now or later,
// becomes the status of its own call and harms no other.

import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import { ServerCallContext, statusOf } from "./bridge-context.ts";
import type { Method } from "./bridge-definition.ts";

/** A handler in the manner of protobuf-es services: promises for one answer, async iterables for many. */
export type PlainHandler = (request: unknown, context: ServerCallContext) => unknown;

type Answering = ServerWritableStream<unknown, Buffer> | ServerDuplexStream<unknown, Buffer>;
type Asking = ServerReadableStream<unknown, Buffer> | ServerDuplexStream<unknown, Buffer>;
type AskedOnce = ServerUnaryCall<unknown, Buffer> | ServerWritableStream<unknown, Buffer>;

/** The answers of such a handler are encoded here, so that one that cannot be says why. */
export function fromPlain(method: Method, handler: PlainHandler): UntypedHandleCall {
  if (method.responseStream) {
    return async (call: Answering) => {
      try {
        const responses = handler(requestOf(method, call), new ServerCallContext(call));
        await writeAll(call, responses as AsyncIterable<unknown>, method.encodeResponse);
        if (!call.cancelled) call.end();
      } catch (error) {
        fail(call, error);
      }
    };
  }
  return async (call: ServerUnaryCall<unknown, Buffer>, answer: sendUnaryData<Buffer>) => {
    let response: Buffer;
    try {
      const value = await handler(requestOf(method, call), new ServerCallContext(call));
      response = method.encodeResponse(value);
    } catch (error) {
      answer(statusOf(error));
      return;
    }
    answer(null, response);
  };
}

/** A handler of grpc-js as it is, but that one which throws, or answers a promise that rejects, ends its call. */
export function fromGrpc(method: Method, handler: UntypedHandleCall): UntypedHandleCall {
  const handle = handler as (call: unknown, answer?: sendUnaryData<unknown>) => unknown;
  if (method.responseStream) {
    return async (call: Answering) => {
      try {
        await handle(call);
      } catch (error) {
        fail(call, error);
      }
    };
  }
  return async (call: unknown, answer: sendUnaryData<unknown>) => {
    let isAnswered = false;
    const answerOnce: sendUnaryData<unknown> = (...answers) => {
      if (!isAnswered) answer(...answers);
      isAnswered = true;
    };
    try {
      await handle(call, answerOnce);
    } catch (error) {
      answerOnce(statusOf(error));
    }
  };
}

function requestOf(method: Method, call: Asking | AskedOnce): unknown {
  if (!method.requestStream) return (call as AskedOnce).request;
  // A handler that has read enough may still want to answer, so leaving its loop must not end the call.
  return (call as Asking).iterator({ destroyOnReturn: false });
}

async function writeAll(
  call: Answering,
  responses: AsyncIterable<unknown>,
  encode: (response: unknown) => Buffer,
): Promise<void> {
  const iterator = responses[Symbol.asyncIterator]();
  const stop = (): void => void iterator.return?.()?.catch(() => {});
  call.once("cancelled", stop);
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    if (call.cancelled) return;
    if (!call.write(encode(next.value))) await writable(call);
  }
}

/** Waits until the caller has taken what was written, or does not want any more. */
function writable(call: Answering): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      call.off("drain", go);
      call.off("cancelled", go);
      resolve();
    };
    call.once("drain", go);
    call.once("cancelled", go);
  });
}

function fail(call: Answering, error: unknown): void {
  if (!call.cancelled) call.emit("error", statusOf(error));
}
