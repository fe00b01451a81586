// Makes the calls of one method of a client, of whichever of the four kinds it is. What fails, fails as a BlipError.

import { Metadata } from "@grpc/grpc-js";
import type { Key } from "./balance.ts";
import { callClientStream, callStream, connected } from "./bridge-call.ts";
import { AttemptFailed, closed, errorOf, isTransient, late, unreached } from "./bridge-failure.ts";
import { encodeRequest } from "./bridge-messages.ts";
import type { CallOptions } from "./bridge-shapes.ts";
import { callUnary, type Plan, type Terms } from "./bridge-unary.ts";
import { refuseUnknown } from "./client-options.ts";
import { aborted, BlipError, invalid } from "./errors.ts";
import type { Line } from "./line.ts";

/** What holds where a call says nothing else. */
export interface CallDefaults {
  /** For calls with one response; streams have no limit unless they are given one. */
  readonly timeoutMs: number;
  readonly isIdempotent: boolean;
  /** Which key a request is routed by, where that matters. */
  readonly keyOf: ((request: unknown) => Key) | undefined;
}

const NO_OPTIONS: CallOptions = {};
const OPTIONS: Readonly<Record<keyof CallOptions, true>> = {
  signal: true,
  timeoutMs: true,
  deadline: true,
  metadata: true,
  key: true,
  idempotent: true,
};
/** grpc-js copies what it is given before it adds to it. */
const NO_HEADERS = new Metadata();

/** A method of one client, with what its calls go by. */
export class Caller {
  readonly #plan: Plan;
  readonly #defaults: CallDefaults;

  constructor(plan: Plan, defaults: CallDefaults) {
    this.#plan = plan;
    this.#defaults = defaults;
  }

  call(input: unknown, options: CallOptions = NO_OPTIONS): unknown {
    const { requestStream, responseStream } = this.#plan.method;
    if (responseStream) return this.#many(input, options);
    return requestStream ? this.#oneOfMany(input, options) : this.#one(input, options);
  }

  #one(input: unknown, options: CallOptions): Promise<unknown> {
    try {
      const terms = this.#termsOf(input, options);
      return callUnary(this.#plan, encodeRequest(this.#plan, input), terms);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #oneOfMany(input: unknown, options: CallOptions): Promise<unknown> {
    const terms = this.#termsOf(undefined, options);
    const requests = requestsOf(input);
    return this.#try(terms, (line) => callClientStream(line, this.#plan, requests, terms));
  }

  async *#many(input: unknown, options: CallOptions): AsyncGenerator<unknown, void, undefined> {
    const { method } = this.#plan;
    const terms = this.#termsOf(method.requestStream ? undefined : input, options);
    const request = method.requestStream ? requestsOf(input) : encodeRequest(this.#plan, input);
    // Once there was a response, there is no going to another member any more.
    const { first, rest, line } = await this.#try(terms, async (at) => {
      const responses = callStream(at, this.#plan, request, terms);
      const response = await responses.next();
      // The attempt is over for the retries, but the stream goes on.
      at.beginStream();
      return { first: response, rest: responses, line: at };
    });
    try {
      if (!first.done) yield first.value;
      yield* rest;
    } catch (error) {
      throw this.#failure(error, line, terms);
    } finally {
      await rest.return();
      line.endStream();
    }
  }

  /** Runs one attempt after the other, each with another member. */
  async #try<T>(terms: Terms, run: (line: Line) => Promise<T>): Promise<T> {
    const { retries, route, method, budget } = this.#plan;
    const tried: Line[] = [];
    let failure: BlipError | undefined;
    budget.called();
    while (tried.length <= retries) {
      this.#check(terms);
      const line = await this.#next(tried, terms);
      if (line === undefined) break;
      tried.push(line);
      line.beginStream();
      try {
        if (await connected(line, terms)) return await run(line);
        this.#check(terms);
        line.missed();
        failure = errorOf(method.path, line.member, unreached());
      } catch (error) {
        failure = this.#failure(error, line, terms);
        if (!this.#mayRetry(error, terms)) throw failure;
      } finally {
        line.endStream();
      }
    }
    this.#check(terms, failure);
    throw failure ?? new BlipError("BLIP_NO_MEMBERS", `${method.path}: ${route.who}`);
  }

  async #next(tried: readonly Line[], { signal, deadline, key }: Terms): Promise<Line | undefined> {
    const { mesh, route, waitForMembers } = this.#plan;
    const line = route.next(mesh.cut, tried, key);
    if (line !== undefined || tried.length > 0 || !waitForMembers) return line;
    const isThere = await mesh.waitFor((cut) => route.next(cut, tried, key) !== undefined, {
      ...(signal !== undefined && { signal }),
      timeoutMs: Math.max(0, deadline - Date.now()),
    });
    return route.next(isThere, tried, key);
  }

  #mayRetry(error: unknown, { isIdempotent }: Terms): boolean {
    if (!(error instanceof AttemptFailed)) return false;
    const { method, budget } = this.#plan;
    // Requests that were taken from the caller's iterable cannot be sent again.
    if (method.requestStream) return false;
    const { failure } = error;
    return !failure.isReached || (isIdempotent && isTransient(failure) && budget.spend());
  }

  /** @throws what makes it pointless to go on. */
  #check({ signal, deadline }: Terms, cause?: BlipError): void {
    const { calls, method } = this.#plan;
    if (signal?.aborted) throw aborted(signal, method.path);
    if (calls.isClosed) throw closed(method.path, cause);
    if (Date.now() >= deadline) throw late(method.path, cause);
  }

  #failure(thrown: unknown, { member }: Line, { signal }: Terms): BlipError {
    if (thrown instanceof BlipError) return thrown;
    const { calls, method } = this.#plan;
    const { path } = method;
    const cause = thrown instanceof AttemptFailed ? errorOf(path, member, thrown.failure) : thrown;
    if (signal?.aborted) return aborted(signal, path);
    if (calls.isClosed) return closed(path, cause);
    if (cause instanceof BlipError) return cause;
    // The user's own iterable of requests, or a request that cannot be encoded.
    return new BlipError("BLIP_CALL_FAILED", `${path}: ${cause}`, { cause, address: member.address });
  }

  #termsOf(request: unknown, options: CallOptions): Terms {
    const { responseStream, requestStream } = this.#plan.method;
    const defaults = this.#defaults;
    if (options !== NO_OPTIONS) checkOptions(options);
    const { signal, timeoutMs, metadata } = options;
    const limitMs = timeoutMs ?? (responseStream || requestStream ? Infinity : defaults.timeoutMs);
    if (typeof limitMs !== "number" || !(limitMs > 0)) {
      throw invalid("timeoutMs", "milliseconds, more than 0", limitMs);
    }
    return {
      signal,
      deadline: Math.min(Date.now() + limitMs, deadlineIn(options)),
      headers: metadata === undefined ? NO_HEADERS : headersOf(metadata),
      key: this.#keyOf(request, options),
      isIdempotent: options.idempotent ?? defaults.isIdempotent,
    };
  }

  #keyOf(request: unknown, { key }: CallOptions): Key | undefined {
    const { keyOf } = this.#defaults;
    if (keyOf === undefined) return undefined;
    const given = key ?? (request === undefined ? undefined : keyOf(request));
    if (typeof given === "string" || given instanceof Uint8Array) return given;
    throw invalid("key", `a text or a Uint8Array to route ${this.#plan.method.path} by`, given ?? "nothing");
  }
}

/** What is not looked at where it is used. */
function checkOptions(options: CallOptions): void {
  if (typeof options !== "object" || options === null) throw invalid("options", "an object", options);
  refuseUnknown("", options, OPTIONS);
  const { signal, metadata, idempotent } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalid("signal", "an AbortSignal", signal);
  }
  if (metadata !== undefined && (typeof metadata !== "object" || metadata === null)) {
    throw invalid("metadata", "an object, or a Metadata of @grpc/grpc-js", metadata);
  }
  if (idempotent !== undefined && typeof idempotent !== "boolean") {
    throw invalid("idempotent", "true or false", idempotent);
  }
}

function deadlineIn({ deadline }: CallOptions): number {
  if (deadline === undefined) return Infinity;
  const ms = deadline instanceof Date ? deadline.getTime() : deadline;
  if (typeof ms === "number" && ms > Date.now()) return ms;
  const got = Number.isFinite(ms) ? new Date(ms).toISOString() : String(deadline);
  throw invalid("deadline", "a Date, or milliseconds since 1970, in the future", got);
}

function requestsOf(input: unknown): AsyncIterable<unknown> {
  if (typeof input === "object" && input !== null && Symbol.asyncIterator in input) {
    return input as AsyncIterable<unknown>;
  }
  throw invalid("requests", "an async iterable", input);
}

function headersOf(given: NonNullable<CallOptions["metadata"]>): Metadata {
  if (given instanceof Metadata) return given;
  const headers = new Metadata();
  for (const [key, value] of Object.entries(given)) {
    const field = `metadata[${JSON.stringify(key)}]`;
    if (!/^[0-9a-z_.-]+$/i.test(key) || key.toLowerCase().startsWith("grpc-")) {
      throw invalid(field, 'a key of letters, digits, "-", "_" and "." that does not begin with "grpc-"');
    }
    const isBinary = key.toLowerCase().endsWith("-bin");
    if (isBinary ? !(value instanceof Uint8Array) : typeof value !== "string" || !/^[ -~]*$/.test(value)) {
      const expected = isBinary
        ? "a Uint8Array"
        : 'printable ASCII (or a key that ends with "-bin", for bytes)';
      throw invalid(field, expected, value);
    }
    headers.set(key, typeof value === "string" ? value : Buffer.from(value));
  }
  return headers;
}
