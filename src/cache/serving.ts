// What others may ask of this member: the crate's method, and those of Node members. Whatever a caller does, only its
// own calls end for it.

import { type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { type MeshService, service } from "../index.ts";
import { isBlipError } from "../mesh/errors.ts";
import { AnswerWriter, answerBytesMax, type Outcome, reuse } from "./answer-writer.ts";
import { copyOf, WINDOWED_BYTES_MAX } from "./copies.ts";
import { statusError } from "./failures.ts";
import type { Guests, Refusal } from "./guests.ts";
import { type Held, livesMsOf } from "./held.ts";
import { type Key, keyOf } from "./key.ts";
import type { Lookup } from "./lookup.ts";
import { type Ask, crateService, extensionService, KIND, OUTCOME } from "./wire.ts";

export interface ServingOptions {
  readonly name: string;
  readonly lookup: Lookup;
  readonly guests: Guests;
  readonly keyBytesMax: number;
  /** Somebody asked: a member, or a guest. */
  readonly asked: () => void;
  /** A Rust member at this IP takes this member for the owner of the key. */
  readonly askedByRust: (key: Key, from: string) => void;
}

type Stream = ServerDuplexStream<{ readonly asks: readonly Ask[] }, Buffer>;

/** One stream may have so many questions under way; more are read once some of them are answered. */
const UNDER_WAY_MAX = 10_000;
/** Of one message and its frame, unless a value alone is longer: then callers may have windows on it for copies. */
const MESSAGE_BYTES_MAX = WINDOWED_BYTES_MAX - 5;
/** How long a guest's get may take, unless it said. */
const GUEST_MS = 30_000;

/** Puts the methods of a cache on a member's server. */
export function serving(options: ServingOptions): Pick<MeshService, "register"> {
  const { name } = options;
  const crate = service(crateService(name), { get: (call, answer) => void get(options, call, answer) });
  const extension = service(extensionService(name), {
    exchange: (call) => void exchange(options, call),
    fetch: (call, answer) => void fetch(options, call, answer),
  });
  return {
    register(server) {
      crate.register(server);
      extension.register(server);
    },
  };
}

type UnaryCall<In, Out> = ServerUnaryCall<In, Out>;

/** The crate's Get. A Rust member is answered from here; a guest as if this member itself had asked. */
async function get(
  { lookup, guests, keyBytesMax, asked, askedByRust }: ServingOptions,
  call: UnaryCall<{ readonly key: Uint8Array }, { buf: Uint8Array }>,
  answer: sendUnaryData<{ buf: Uint8Array }>,
): Promise<void> {
  try {
    const kind = await guests.kindOf({ peer: call.getPeer(), headers: call.metadata });
    if (typeof kind === "object") throw notAnswered(kind);
    const key = keyOf(call.request.key, keyBytesMax);
    asked();
    if (kind === "member") askedByRust(key, hostIn(call.getPeer()));
    const { bytes } =
      kind === "member" ? await ownOf(lookup.serve(key)) : await getForGuest(lookup, key, call);
    answer(null, { buf: bytes });
  } catch (error) {
    answer(statusOf(error));
  }
}

async function fetch(
  { lookup, guests, keyBytesMax, asked }: ServingOptions,
  call: UnaryCall<{ readonly key: Uint8Array }, { value: Uint8Array }>,
  answer: sendUnaryData<{ value: Uint8Array }>,
): Promise<void> {
  try {
    const refusal = await guests.refuseGuest({ peer: call.getPeer(), headers: call.metadata });
    if (refusal !== undefined) throw notAnswered(refusal);
    asked();
    const { bytes } = await getForGuest(lookup, keyOf(call.request.key, keyBytesMax), call);
    answer(null, { value: bytes });
  } catch (error) {
    answer(statusOf(error));
  }
}

/** Of "ip:port". */
function hostIn(peer: string): string {
  return peer.slice(0, peer.lastIndexOf(":"));
}

function getForGuest(lookup: Lookup, key: Key, call: UnaryCall<unknown, unknown>): Promise<Held> | Held {
  const deadline = Math.min(Number(call.getDeadline()) - Date.now(), GUEST_MS) + performance.now();
  return ownOf(lookup.find(key) ?? lookup.get(key, { signal: undefined, deadline }));
}

/** What a store shows may change before it is sent. */
function ownOf(found: Held | Promise<Held>): Held | Promise<Held> {
  if (found instanceof Promise) return found;
  return { bytes: copyOf(found.bytes), expiresAt: found.expiresAt };
}

async function exchange(options: ServingOptions, call: Stream): Promise<void> {
  const { guests } = options;
  const answers = new Answers(call);
  let isOver = false;
  call.once("cancelled", () => {
    isOver = true;
  });
  // Nothing is read until it is known who asks.
  const refusal = await guests.refuseNode({ peer: call.getPeer(), headers: call.metadata });
  if (isOver) return;
  if (refusal !== undefined) return void call.emit("error", refused(status.PERMISSION_DENIED, refusal));
  call.on("data", ({ asks }: { readonly asks: readonly Ask[] }) => {
    for (const ask of asks) answers.add(ask.id, () => answerTo(options, ask));
    answers.flush();
  });
  call.once("end", () => answers.end());
}

function answerTo(
  { lookup, keyBytesMax, asked }: ServingOptions,
  ask: Ask,
): Held | undefined | Promise<Held> {
  const key = keyOf(ask.key, keyBytesMax);
  asked();
  switch (ask.kind) {
    case KIND.get:
      return lookup.serve(key);
    case KIND.peek:
      return lookup.handOver(key);
    case KIND.forget:
      lookup.forgetHere(key);
      return undefined;
    default:
      throw refused(status.UNIMPLEMENTED, `there is no question of kind ${ask.kind}`);
  }
}

/** The answers of one stream: those that are there at once go together, the others as they come. */
class Answers {
  readonly #call: Stream;
  readonly #ready = new AnswerWriter();
  /** Messages that are full, and wait because the other does not read as fast as we write. */
  readonly #full: Buffer[] = [];
  #underWay = 0;
  #isWaiting = false;
  #isScheduled = false;
  #isEnding = false;

  constructor(call: Stream) {
    this.#call = call;
  }

  add(id: number, find: () => Held | undefined | Promise<Held>): void {
    let found: Held | undefined | Promise<Held>;
    try {
      found = find();
    } catch (error) {
      this.#put(id, failure(error));
      return;
    }
    if (!(found instanceof Promise)) {
      this.#put(id, success(found));
      return;
    }
    this.#underWay += 1;
    if (this.#underWay === UNDER_WAY_MAX) this.#call.pause();
    found.then(success, failure).then((outcome) => {
      this.#underWay -= 1;
      if (this.#underWay === UNDER_WAY_MAX - 1) this.#call.resume();
      this.#put(id, outcome);
      this.#schedule();
    });
  }

  flush(): void {
    this.#isScheduled = false;
    while (!this.#isWaiting && !this.#call.cancelled) {
      const message = this.#full.shift() ?? (this.#ready.length > 0 ? this.#ready.take() : undefined);
      if (message === undefined) break;
      if (!this.#call.write(message, () => reuse(message))) this.#wait();
    }
    const isAllSent = this.#full.length === 0 && this.#ready.length === 0;
    if (this.#isEnding && this.#underWay === 0 && isAllSent) this.#call.end();
  }

  /** There will be no more questions. */
  end(): void {
    this.#isEnding = true;
    this.flush();
  }

  #put(id: number, outcome: Outcome): void {
    const { length } = this.#ready;
    if (length > 0 && length + answerBytesMax(outcome) > MESSAGE_BYTES_MAX) {
      this.#full.push(this.#ready.take());
      this.flush();
    }
    this.#ready.add(id, outcome);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  /** The other does not read as fast as we write: until it has, no more questions are read from it. */
  #wait(): void {
    this.#isWaiting = true;
    this.#call.pause();
    this.#call.once("drain", () => {
      this.#isWaiting = false;
      if (this.#underWay < UNDER_WAY_MAX) this.#call.resume();
      this.flush();
    });
  }
}

function success(held: Held | undefined): Outcome {
  if (held === undefined) return { outcome: OUTCOME.absent };
  return { outcome: OUTCOME.value, value: held.bytes, livesMs: livesMsOf(held) };
}

function failure(error: unknown): Outcome {
  const { message, code } = statusOf(error);
  const isSource = isBlipError(error) && error.code === "BLIP_SOURCE_FAILED";
  return { outcome: isSource ? OUTCOME.sourceFailed : OUTCOME.refused, reason: message, status: code };
}

class Refused extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

function refused(code: status, message: string): Refused {
  return new Refused(code, message);
}

function notAnswered({ refusal, isForGood }: Refusal): Refused {
  return refused(isForGood ? status.PERMISSION_DENIED : status.UNAVAILABLE, refusal);
}

function statusOf(error: unknown): Error & { readonly code: status } {
  return error instanceof Refused ? error : statusError(error);
}
