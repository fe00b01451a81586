// Makes the calls of a client: finds a member, connects, calls, and goes on to another member where the call is
// certain not to have reached the first. What fails, fails as a BlipError.

import { type ChannelInterface, Metadata, status } from "@grpc/grpc-js";
import { parseEndpoint } from "../core/endpoint.ts";
import {
  AttemptFailed,
  callClientStream,
  callStream,
  callUnary,
  connected,
  type Terms,
} from "./bridge-call.ts";
import type { Method } from "./bridge-definition.ts";
import type { CallOptions } from "./bridge-shapes.ts";
import type { Member } from "./cut.ts";
import { aborted, BlipError, invalid } from "./errors.ts";
import type { Mesh } from "./mesh.ts";
import type { Route } from "./route.ts";
import { callsOf, type UserCalls } from "./user-calls.ts";

export interface CallerOptions {
  readonly retries: number;
  /** For calls with one response; streams have no limit unless they are given one. */
  readonly timeoutMs: number;
  readonly waitForMembers: boolean;
}

/** A method of one client, with what its calls go by. */
export class Caller {
  readonly #mesh: Mesh;
  readonly #calls: UserCalls;
  readonly #method: Method;
  readonly #route: Route;
  readonly #options: CallerOptions;

  constructor(mesh: Mesh, method: Method, route: Route, options: CallerOptions) {
    const calls = callsOf(mesh);
    if (calls === undefined) throw invalid("mesh", "what createMesh resolved with", mesh);
    this.#mesh = mesh;
    this.#calls = calls;
    this.#method = method;
    this.#route = route;
    this.#options = options;
  }

  call(input: unknown, options: CallOptions = {}): unknown {
    return this.#method.responseStream ? this.#many(input, options) : this.#one(input, options);
  }

  async #one(input: unknown, options: CallOptions): Promise<unknown> {
    const method = this.#method;
    const terms = this.#termsOf(options);
    if (method.requestStream) {
      const requests = requestsOf(input);
      return this.#try(terms, (channel) => callClientStream(channel, method, requests, terms));
    }
    const request = this.#encode(input);
    return this.#try(terms, (channel) => callUnary(channel, method, request, terms));
  }

  async *#many(input: unknown, options: CallOptions): AsyncGenerator<unknown, void, undefined> {
    const method = this.#method;
    const terms = this.#termsOf(options);
    const request = method.requestStream ? requestsOf(input) : this.#encode(input);
    let finish = (): void => {};
    try {
      // Once there was a response, there is no going to another member any more.
      const { first, rest, member } = await this.#try(terms, async (channel, at) => {
        const responses = callStream(channel, method, request, terms);
        const response = await responses.next();
        // The attempt is over for the retries, but its connection must stay until the stream has ended.
        finish = this.#calls.begin(endpointOf(at)).end;
        return { first: response, rest: responses, member: at };
      });
      try {
        if (!first.done) yield first.value;
        yield* rest;
      } catch (error) {
        throw this.#failure(error, member, terms);
      } finally {
        await rest.return();
      }
    } finally {
      finish();
    }
  }

  /** Runs one attempt after the other, each with another member. */
  async #try<T>(terms: Terms, run: (channel: ChannelInterface, member: Member) => Promise<T>): Promise<T> {
    const tried = new Set<string>();
    let failure: BlipError | undefined;
    while (tried.size <= this.#options.retries) {
      this.#check(terms);
      const member = await this.#next(tried, terms);
      if (member === undefined) break;
      const { channel, end } = this.#calls.begin(endpointOf(member));
      try {
        if (await connected(channel, terms)) return await run(channel, member);
        failure = this.#unreachable(member);
      } catch (error) {
        failure = this.#failure(error, member, terms);
        if (!this.#mayRetry(error)) throw failure;
      } finally {
        end();
      }
      tried.add(member.address);
    }
    this.#check(terms, failure);
    throw failure ?? new BlipError("BLIP_NO_MEMBERS", `${this.#method.path}: ${this.#route.who}`);
  }

  async #next(tried: ReadonlySet<string>, { signal, deadline }: Terms): Promise<Member | undefined> {
    const route = this.#route;
    const member = route.next(this.#mesh.cut, tried);
    if (member !== undefined || tried.size > 0 || !this.#options.waitForMembers) return member;
    const isThere = await this.#mesh.waitFor((cut) => route.next(cut, tried) !== undefined, {
      ...(signal !== undefined && { signal }),
      timeoutMs: Math.max(0, deadline - Date.now()),
    });
    return route.next(isThere, tried);
  }

  #mayRetry(error: unknown): boolean {
    if (!(error instanceof AttemptFailed)) return false;
    const { isIdempotent, requestStream } = this.#method;
    // Requests that were taken from the caller's iterable cannot be sent again.
    if (requestStream) return false;
    return !error.isReached || (isIdempotent && error.error.code === status.UNAVAILABLE);
  }

  /** @throws what makes it pointless to go on. */
  #check({ signal, deadline }: Terms, cause?: BlipError): void {
    const { path } = this.#method;
    if (signal?.aborted) throw aborted(signal, path);
    if (this.#calls.isClosed) throw new BlipError("BLIP_CLOSED", `${path}: the mesh was closed`, { cause });
    if (Date.now() < deadline) return;
    const details = { cause, status: status.DEADLINE_EXCEEDED };
    throw new BlipError("BLIP_TIMEOUT", `${path}: there was no answer in time`, details);
  }

  #unreachable({ address }: Member, cause?: unknown): BlipError {
    const details = { address, status: status.UNAVAILABLE, cause };
    return new BlipError("BLIP_UNREACHABLE", `${this.#method.path}: ${address} cannot be reached`, details);
  }

  #failure(thrown: unknown, member: Member, { signal }: Terms): BlipError {
    const { path } = this.#method;
    const { address } = member;
    const cause = thrown instanceof AttemptFailed ? thrown.error : thrown;
    if (signal?.aborted) return aborted(signal, path);
    if (this.#calls.isClosed) return new BlipError("BLIP_CLOSED", `${path}: the mesh was closed`, { cause });
    if (!(thrown instanceof AttemptFailed)) {
      // The user's own iterable of requests, or a request that cannot be encoded.
      return new BlipError("BLIP_CALL_FAILED", `${path}: ${cause}`, { cause, address });
    }
    const { code, details } = thrown.error;
    if (!thrown.isReached) return this.#unreachable(member, cause);
    const isLate = code === status.DEADLINE_EXCEEDED;
    return new BlipError(
      isLate ? "BLIP_TIMEOUT" : "BLIP_CALL_FAILED",
      `${path} at ${address}: ${status[code] ?? code}: ${details}`,
      { cause, status: code, address },
    );
  }

  #encode(input: unknown): Buffer {
    try {
      return this.#method.encodeRequest(input);
    } catch (cause) {
      throw new BlipError("BLIP_CALL_FAILED", `${this.#method.path}: the request cannot be encoded`, {
        cause,
      });
    }
  }

  #termsOf({ signal, timeoutMs, metadata }: CallOptions): Terms {
    const { responseStream, requestStream } = this.#method;
    const isStream = responseStream || requestStream;
    const limitMs = timeoutMs ?? (isStream ? Infinity : this.#options.timeoutMs);
    if (typeof limitMs !== "number" || !(limitMs >= 0)) {
      throw invalid("timeoutMs", "milliseconds, 0 or more", limitMs);
    }
    return { signal, deadline: Date.now() + limitMs, metadata: headersOf(metadata) };
  }
}

function endpointOf({ address, tls }: Member): NonNullable<ReturnType<typeof parseEndpoint>> {
  return parseEndpoint(address, tls)!;
}

function requestsOf(input: unknown): AsyncIterable<unknown> {
  if (typeof input === "object" && input !== null && Symbol.asyncIterator in input) {
    return input as AsyncIterable<unknown>;
  }
  throw invalid("requests", "an async iterable", input);
}

function headersOf(given: CallOptions["metadata"]): Metadata {
  if (given instanceof Metadata) return given;
  const headers = new Metadata();
  for (const [key, value] of Object.entries(given ?? {})) {
    try {
      headers.set(key, typeof value === "string" ? value : Buffer.from(value));
    } catch (cause) {
      throw new BlipError("BLIP_INVALID_OPTIONS", `metadata.${key}: ${(cause as Error).message}`, {
        cause,
        field: `metadata.${key}`,
      });
    }
  }
  return headers;
}
