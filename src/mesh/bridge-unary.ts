// A call with one request and one response, over all its attempts: the next member where one was not reached or may
// be asked twice, a second one beside it where that is wanted or the first has fallen silent. One deadline for all.

import type { Metadata } from "@grpc/grpc-js";
import { onAbort } from "../host/abort-fan.ts";
import type { Key } from "./balance.ts";
import { Attempt, type AttemptOwner } from "./bridge-attempt.ts";
import type { Method } from "./bridge-definition.ts";
import { closed, errorOf, type Failure, isTransient, late } from "./bridge-failure.ts";
import { decodeResponse } from "./bridge-messages.ts";
import { aborted, BlipError } from "./errors.ts";
import type { Line } from "./line.ts";
import type { Mesh } from "./mesh.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { Route } from "./route.ts";
import type { UserCalls } from "./user-calls.ts";

/** What all calls of one method of a client go by. */
export interface Plan {
  readonly mesh: Mesh;
  readonly calls: UserCalls;
  readonly method: Method;
  readonly route: Route;
  readonly budget: RetryBudget;
  readonly retries: number;
  readonly hedgeMs: number | undefined;
  readonly waitForMembers: boolean;
  readonly maxMessageBytes: number;
}

/** What holds for one call, and all attempts at it. */
export interface Terms {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds since 1970, or Infinity. */
  readonly deadline: number;
  readonly headers: Metadata;
  readonly key: Key | undefined;
  readonly isIdempotent: boolean;
}

export function callUnary(plan: Plan, request: Buffer, terms: Terms): Promise<unknown> {
  return new Promise((resolve, reject) => new UnaryCall(plan, request, terms, resolve, reject).begin());
}

class UnaryCall implements AttemptOwner {
  readonly #plan: Plan;
  readonly #request: Buffer;
  readonly #terms: Terms;
  readonly #resolve: (response: unknown) => void;
  readonly #reject: (error: unknown) => void;
  readonly #tried: Line[] = [];
  /** Under way: one as a rule. */
  readonly #attempts: Attempt[] = [];
  #failure: BlipError | undefined;
  #hedge: NodeJS.Timeout | undefined;
  #release: (() => void) | undefined;
  #isOver = false;

  constructor(
    plan: Plan,
    request: Buffer,
    terms: Terms,
    resolve: (response: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#plan = plan;
    this.#request = request;
    this.#terms = terms;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { signal, isIdempotent } = this.#terms;
    const { hedgeMs, budget } = this.#plan;
    if (signal !== undefined) {
      if (signal.aborted) return this.#fail(this.#abortion());
      this.#release = onAbort(signal, () => this.#fail(this.#abortion()));
    }
    budget.called();
    if (hedgeMs !== undefined && isIdempotent) {
      this.#hedge = setTimeout(() => this.#another(), hedgeMs).unref();
    }
    this.#next();
  }

  succeeded(attempt: Attempt, response: Buffer): void {
    this.#drop(attempt);
    if (this.#isOver) return;
    let decoded: unknown;
    try {
      decoded = decodeResponse(this.#plan, response, attempt.line.member);
    } catch (error) {
      return this.#fail(error);
    }
    this.#finish();
    this.#resolve(decoded);
  }

  failed(attempt: Attempt, failure: Failure): void {
    this.#drop(attempt);
    if (this.#isOver) return;
    const { calls, budget, method } = this.#plan;
    this.#failure = errorOf(method.path, attempt.line.member, failure);
    if (calls.isClosed) return this.#fail(closed(method.path, this.#failure));
    const mayRetry =
      !failure.isReached || (this.#terms.isIdempotent && isTransient(failure) && budget.spend());
    if (mayRetry && this.#hasTime) this.#next();
    else if (this.#attempts.length === 0 || !this.#hasTime) this.#fail(this.#failure);
  }

  memberIsMissing(attempt: Attempt): boolean {
    if (this.#terms.isIdempotent) return this.#another();
    if (!attempt.isUnsent) return false;
    const line = this.#find();
    if (line === undefined) return false;
    attempt.cancel();
    this.#drop(attempt);
    this.#try(line);
    return true;
  }

  /** One more at the same time, if there is somebody and the budget allows it. */
  #another(): boolean {
    const line = this.#find();
    if (line === undefined || !this.#plan.budget.spend()) return false;
    this.#try(line);
    return true;
  }

  #next(): void {
    const line = this.#find();
    if (line !== undefined) return this.#try(line);
    if (this.#attempts.length > 0) return;
    const { calls, method, waitForMembers } = this.#plan;
    if (calls.isClosed) return this.#fail(closed(method.path));
    if (this.#failure !== undefined) return this.#fail(this.#failure);
    if (!waitForMembers) return this.#fail(this.#nobody());
    void this.#wait();
  }

  #find(): Line | undefined {
    const { mesh, route, retries, calls } = this.#plan;
    if (this.#isOver || calls.isClosed || this.#tried.length > retries) return undefined;
    return route.next(mesh.cut, this.#tried, this.#terms.key);
  }

  #try(line: Line): void {
    const { deadline, headers } = this.#terms;
    const attempt = new Attempt(line, this);
    this.#tried.push(line);
    this.#attempts.push(attempt);
    attempt.start(this.#plan.method.path, this.#request, headers, deadline);
  }

  async #wait(): Promise<void> {
    const { mesh, route, method } = this.#plan;
    const { signal, deadline, key } = this.#terms;
    try {
      await mesh.waitFor((cut) => route.next(cut, [], key) !== undefined, {
        ...(signal !== undefined && { signal }),
        timeoutMs: Math.max(0, deadline - Date.now()),
      });
    } catch (error) {
      const { code } = error as BlipError;
      if (code === "BLIP_TIMEOUT") return this.#fail(late(method.path, this.#nobody()));
      return this.#fail(code === "BLIP_CLOSED" ? closed(method.path) : error);
    }
    this.#next();
  }

  get #hasTime(): boolean {
    return Date.now() < this.#terms.deadline;
  }

  #nobody(): BlipError {
    const { method, route } = this.#plan;
    return new BlipError("BLIP_NO_MEMBERS", `${method.path}: ${route.who}`);
  }

  #abortion(): BlipError {
    return aborted(this.#terms.signal!, this.#plan.method.path);
  }

  #drop(attempt: Attempt): void {
    const at = this.#attempts.indexOf(attempt);
    if (at >= 0) this.#attempts.splice(at, 1);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#finish();
    this.#reject(error);
  }

  #finish(): void {
    this.#isOver = true;
    if (this.#hedge !== undefined) clearTimeout(this.#hedge);
    this.#release?.();
    for (const attempt of this.#attempts) attempt.cancel();
  }
}
