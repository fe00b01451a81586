// A call at the process that serves it: what grpc-js hands to a handler, for each of the four kinds of methods.

import { EventEmitter } from "node:events";
import { Duplex, Readable, Writable } from "node:stream";
import {
  type Deadline,
  Metadata,
  type Server,
  type ServerErrorResponse,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import type { Answers } from "./client-call.ts";

export interface Status {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** A method as it was registered. */
export interface Registered {
  readonly handler: UntypedHandleCall;
  readonly serialize: (value: unknown) => Buffer;
  readonly deserialize: (bytes: Buffer) => unknown;
  readonly type: Parameters<Server["register"]>[4];
}

export interface ServedRequest {
  readonly path: string;
  readonly headers: Metadata;
  readonly deadline: number;
  readonly peer: string;
}

/** What comes from the caller. */
export interface ServedCall {
  message(bytes: Buffer): void;
  halfClose(): void;
  /** The caller does not wait any more. */
  cancel(): void;
}

type AnswerOne = (error: Partial<ServerErrorResponse> | null, value?: unknown, trailer?: Metadata) => void;
type Handle = (call: unknown, answer?: AnswerOne) => void;

/** Refuses a call that no handler sees. */
export function refuseCall(answers: Answers, ended: Status): ServedCall {
  answers.status(ended);
  return { message: () => {}, halfClose: () => {}, cancel: () => {} };
}

/** Calls the handler; `over` is told once, when the call is. */
export function serveCall(
  { handler, serialize, deserialize, type }: Registered,
  request: ServedRequest,
  answers: Answers,
  over: () => void,
): ServedCall {
  const handle = handler as Handle;
  let hasHeaders = false;
  let isOver = false;
  const sendHeaders = (headers: Metadata = new Metadata()): void => {
    if (hasHeaders || isOver) return;
    hasHeaders = true;
    answers.headers(headers);
  };
  const send = (value: unknown): void => {
    if (isOver) return;
    // A copy, as grpc-js makes one: the handler may use the memory again.
    const bytes = Buffer.from(serialize(value));
    sendHeaders();
    answers.message(bytes);
  };
  const end = (ended: Status): void => {
    if (isOver) return;
    sendHeaders();
    isOver = true;
    answers.status(ended);
    close();
  };
  const fail = (error: unknown): void => end(statusIn(error));
  const surface = {
    cancelled: false,
    metadata: request.headers.clone(),
    getPeer: () => request.peer,
    getPath: () => request.path,
    getHost: () => request.peer,
    getDeadline: (): Deadline => request.deadline,
    getAuthContext: () => ({}),
    getMetricsRecorder: () => undefined,
    sendMetadata: sendHeaders,
  };
  const answerOne: AnswerOne = (error, value, trailer) => {
    if (error !== null && error !== undefined) return fail(error);
    try {
      send(value);
    } catch (thrown) {
      return fail({ code: status.INTERNAL, details: `the response cannot be serialized: ${String(thrown)}` });
    }
    end({ code: status.OK, details: "OK", ...(trailer !== undefined && { metadata: trailer }) });
  };
  const writing = {
    objectMode: true,
    write: (value: unknown, _encoding: string, done: () => void) => {
      try {
        send(value);
      } catch (error) {
        fail(error);
      }
      done();
    },
    final: (done: () => void) => {
      done();
      end({ code: status.OK, details: "OK" });
    },
  };
  const reading = { objectMode: true, autoDestroy: false, emitClose: false, read: () => {} };
  const call = {
    unary: () => new EventEmitter(),
    clientStream: () => new Readable(reading),
    serverStream: () => new Writable({ ...writing, autoDestroy: false, emitClose: false }),
    bidi: () => new Duplex({ ...reading, ...writing }),
  }[type as "unary" | "clientStream" | "serverStream" | "bidi"]();
  Object.assign(call, surface, {
    // grpc-js takes trailers here.
    ...(call instanceof Writable && {
      end: (trailer?: unknown) => {
        if (trailer instanceof Metadata) end({ code: status.OK, details: "OK", metadata: trailer });
        return Reflect.apply(Writable.prototype.end, call, []);
      },
    }),
  });
  call.on("error", fail);
  const close = (): void => {
    Object.assign(call, { cancelled: true });
    call.emit("cancelled", "cancelled");
    over();
  };
  const takesOne = type === "unary" || type === "serverStream";
  const begin = (): void => {
    if (type === "unary" || type === "clientStream") handle(call, answerOne);
    else handle(call);
  };
  if (!takesOne) queueMicrotask(begin);
  return {
    message(bytes) {
      if (isOver) return;
      let value: unknown;
      try {
        value = deserialize(bytes);
      } catch (error) {
        return fail({ code: status.INTERNAL, details: `the request cannot be read: ${String(error)}` });
      }
      if (takesOne) Object.assign(call, { request: value });
      else (call as Readable).push(value);
    },
    halfClose() {
      if (isOver) return;
      if (takesOne) begin();
      else (call as Readable).push(null);
    },
    cancel() {
      if (isOver) return;
      isOver = true;
      close();
    },
  };
}

/** As grpc-js reads what a handler fails with. */
function statusIn(error: unknown): Status {
  const thrown = (error ?? {}) as Partial<Record<"code" | "details" | "message" | "metadata", unknown>>;
  const isCode = typeof thrown.code === "number" && thrown.code in status;
  const words = thrown.details ?? thrown.message;
  return {
    code: isCode ? (thrown.code as status) : status.UNKNOWN,
    details: typeof words === "string" ? words : "Unknown Error",
    ...(thrown.metadata instanceof Metadata && { metadata: thrown.metadata }),
  };
}
