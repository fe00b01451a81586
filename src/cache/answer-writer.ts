// Writes answers as they travel (proto/blip_cache_ext.proto), one message of many, without making an object of each: a
// value is copied once, from the store into the message.

/** What is sent back for a question; for a value its bytes, else why there is none. */
export interface Outcome {
  readonly outcome: number;
  readonly value?: Uint8Array;
  readonly livesMs?: number;
  readonly reason?: string;
  readonly status?: number;
}

const NOTHING = Buffer.alloc(0);
const BYTES_MIN = 512;
/** Tags and numbers of one answer, and of the message around it: each number takes five bytes at most. */
const FIELDS_BYTES_MAX = 7 * 6;

/** What this answer adds to a message at most. */
export function answerBytesMax({ value, reason }: Outcome): number {
  return FIELDS_BYTES_MAX + (value?.length ?? 0) + (reason === undefined ? 0 : Buffer.byteLength(reason));
}

/**
 * Memory of messages that were sent, for others: V8 collects each time that some tens of MB lie outside of its heap, dead
 * or not, and messages are most of what an owner puts there.
 */
const spare: Buffer[] = [];
/** What may be used again: any other memory, as the slabs that Node cuts buffers from, has owners of its own. */
const ours = new WeakSet<ArrayBufferLike>();
const SPARE_BYTES = 64 * 1024;
const SPARE_MAX = 16;
/** Smaller ones are cut from slabs by Node. */
const SPARED_BYTES_MIN = Buffer.poolSize / 2;

/** The message is sent, and its bytes were copied on the way. */
export function reuse({ buffer }: Buffer): void {
  if (ours.has(buffer) && spare.length < SPARE_MAX) spare.push(Buffer.from(buffer));
}

function memory(needed: number, wanted: number): Buffer {
  const bytes = Math.max(needed, wanted);
  if (bytes < SPARED_BYTES_MIN || needed > SPARE_BYTES) return Buffer.allocUnsafe(bytes);
  const used = spare.pop();
  if (used !== undefined) return used;
  const fresh = Buffer.allocUnsafeSlow(SPARE_BYTES);
  ours.add(fresh.buffer);
  return fresh;
}

export class AnswerWriter {
  #bytes: Buffer = NOTHING;
  #length = 0;
  /** As long as the message before, and some more. */
  #expected = BYTES_MIN;

  get length(): number {
    return this.#length;
  }

  add(id: number, { outcome, value, livesMs = 0, reason, status = 0 }: Outcome): void {
    const text = reason === undefined || reason === "" ? undefined : Buffer.from(reason);
    const length =
      numberBytes(id) +
      numberBytes(outcome) +
      bytesBytes(value) +
      numberBytes(livesMs) +
      bytesBytes(text) +
      numberBytes(status);
    this.#reserve(length + FIELDS_BYTES_MAX);
    this.#number(ANSWERS, length, true);
    this.#number(ID, id);
    this.#number(OUTCOME_FIELD, outcome);
    if (value !== undefined) this.#put(VALUE, value);
    this.#number(LIVES_MS, livesMs);
    if (text !== undefined) this.#put(REASON, text);
    this.#number(STATUS, status);
  }

  /** The message, with all that was added since the last one; to be given to `reuse` once it is sent. */
  take(): Buffer {
    const message = this.#bytes.subarray(0, this.#length);
    this.#expected = Math.max(BYTES_MIN, this.#length + FIELDS_BYTES_MAX);
    this.#bytes = NOTHING;
    this.#length = 0;
    return message;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const size = this.#length === 0 ? this.#expected : this.#bytes.length * 2;
    const bytes = memory(this.#length + more, size);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    if (this.#length > 0) reuse(this.#bytes);
    this.#bytes = bytes;
  }

  #number(tag: number, value: number, evenZero = false): void {
    if (value === 0 && !evenZero) return;
    this.#bytes[this.#length++] = tag;
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 0x80)) this.#bytes[this.#length++] = (left & 0x7f) | 0x80;
    this.#bytes[this.#length++] = left;
  }

  #put(tag: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#number(tag, bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

/** Numbers of fields with how they are written. */
const ANSWERS = 0x0a;
const ID = 0x08;
const OUTCOME_FIELD = 0x10;
const VALUE = 0x1a;
const LIVES_MS = 0x20;
const REASON = 0x2a;
const STATUS = 0x30;

function numberBytes(value: number): number {
  if (value === 0) return 0;
  let bytes = 2;
  for (let left = value; left > 0x7f; left = Math.floor(left / 0x80)) bytes += 1;
  return bytes;
}

function bytesBytes(bytes: Uint8Array | undefined): number {
  return bytes === undefined || bytes.length === 0 ? 0 : numberBytes(bytes.length) + bytes.length;
}
