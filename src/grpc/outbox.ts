// What is to be told to one peer and was not told yet. Sends are limited by how many may be under way; broadcasts
// to a Node peer that had to wait travel together in one Relay. So the slower peer and wire are, the larger the
// groups, and the less each broadcast costs (PITFALLS B20).

import { type ChannelInterface, status } from "@grpc/grpc-js";
import type { Request } from "../core/messages.ts";
import { refuse } from "../core/refusals.ts";
import { encodeRequest } from "./codec.ts";
import { PATHS, RELAY } from "./methods.ts";
import { encodeRelay } from "./peer-codec.ts";
import { numberOf } from "./status.ts";
import { unary } from "./unary.ts";

export interface OutboxLimits {
  /** Messages and bytes that may wait; the oldest make room. */
  readonly messages: number;
  readonly bytes: number;
  /** Calls that may be under way to a peer that takes one broadcast a call, and to one that takes groups. */
  readonly calls: number;
  readonly relays: number;
  /** Broadcasts and bytes in one Relay. */
  readonly group: number;
  readonly groupBytes: number;
  /** How long one call may take. */
  readonly timeoutMs: number;
}

export const OUTBOX_LIMITS: OutboxLimits = {
  messages: 10_000,
  bytes: 32 * 1024 * 1024,
  calls: 32,
  relays: 2,
  group: 512,
  groupBytes: 1024 * 1024,
  timeoutMs: 10_000,
};

export interface Tally {
  sent: number;
  dropped: number;
  failed: number;
}

interface Letter {
  readonly path: string;
  readonly bytes: Buffer;
}

/** What an outbox has to know of its peer and its owner. */
export interface OutboxSurroundings {
  readonly channel: ChannelInterface;
  readonly limits: OutboxLimits;
  readonly tally: Tally;
  /** The peer is a Node member, and so is expected to take groups. */
  readonly isNode: () => boolean;
  /** Messages had to make room for newer ones. Told once until there is room again. */
  readonly overflowed: () => void;
  /** Nothing waits and nothing is under way. */
  readonly emptied: () => void;
}

export class Outbox {
  readonly #around: OutboxSurroundings;
  readonly #cancels = new Set<() => void>();
  /** The oldest is at `#first`; what lies before was taken. */
  #letters: Letter[] = [];
  #first = 0;
  #bytes = 0;
  #takesGroups = true;
  #overflowing = false;

  constructor(around: OutboxSurroundings) {
    this.#around = around;
  }

  get waiting(): number {
    return this.#letters.length - this.#first;
  }

  get isIdle(): boolean {
    return this.waiting === 0 && this.#cancels.size === 0;
  }

  /** Puts in line. Nothing leaves before `flush`, so that what is said in one turn can travel together. */
  push(request: Request): void {
    const letter = { path: PATHS[request.kind], bytes: encodeRequest(request) };
    this.#letters.push(letter);
    this.#bytes += letter.bytes.length;
    const { limits, tally } = this.#around;
    while (this.waiting > limits.messages || (this.#bytes > limits.bytes && this.waiting > 1)) {
      this.#take();
      tally.dropped++;
      if (!this.#overflowing) this.#around.overflowed();
      this.#overflowing = true;
    }
  }

  /** Sends what may be sent now. */
  flush(): void {
    const { limits, isNode } = this.#around;
    const groups = this.#takesGroups && isNode();
    const callsMax = groups ? limits.relays : limits.calls;
    while (this.waiting > 0 && this.#cancels.size < callsMax) {
      const group = groups ? this.#takeGroup() : [this.#take()];
      if (group.length === 1) this.#send(group[0]!.path, group[0]!.bytes, group);
      else this.#send(RELAY, encodeRelay(group.map((letter) => letter.bytes)), group);
    }
  }

  /** Gives up on everything. */
  clear(): void {
    this.#around.tally.dropped += this.waiting;
    this.#forget();
    for (const cancel of this.#cancels) cancel();
  }

  #take(): Letter {
    const letter = this.#letters[this.#first++]!;
    this.#bytes -= letter.bytes.length;
    if (this.#first === this.#letters.length) this.#forget();
    else if (this.#first >= 1024 && this.#first * 2 > this.#letters.length) {
      this.#letters = this.#letters.slice(this.#first);
      this.#first = 0;
    }
    return letter;
  }

  /** The next letter, and those right behind it where all of them are broadcasts. */
  #takeGroup(): Letter[] {
    const group = [this.#take()];
    if (group[0]!.path !== PATHS.broadcast) return group;
    let bytes = group[0]!.bytes.length;
    while (this.waiting > 0 && group.length < this.#around.limits.group) {
      const next = this.#letters[this.#first]!;
      bytes += next.bytes.length;
      if (next.path !== PATHS.broadcast || bytes > this.#around.limits.groupBytes) break;
      group.push(this.#take());
    }
    return group;
  }

  #forget(): void {
    this.#letters = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#overflowing = false;
  }

  #send(path: string, bytes: Buffer, group: readonly Letter[]): void {
    const { channel, limits } = this.#around;
    const cancel = unary(channel, path, bytes, limits.timeoutMs, (code, details) => {
      this.#cancels.delete(cancel);
      this.#ended(path, group, code, details);
      this.flush();
      if (this.isIdle) this.#around.emptied();
    });
    this.#cancels.add(cancel);
  }

  #ended(path: string, group: readonly Letter[], code: number, details: string): void {
    if (code === status.OK || isRedundant(code, details)) {
      this.#around.tally.sent += group.length;
    } else if (code === status.UNIMPLEMENTED && path === RELAY) {
      // It says that it is a Node member and yet takes no groups: tell it one by one, as a Rust member.
      this.#takesGroups = false;
      this.#letters = [...group, ...this.#letters.slice(this.#first)];
      this.#first = 0;
      for (const letter of group) this.#bytes += letter.bytes.length;
    } else {
      this.#around.tally.failed += group.length;
      // A peer that cannot be reached now could not have been told the rest either, had it not waited here.
      if (code === status.UNAVAILABLE) {
        this.#around.tally.dropped += this.waiting;
        this.#forget();
      }
    }
  }
}

function isRedundant(code: number, details: string): boolean {
  return code === numberOf(refuse.redundant.code) && details === refuse.redundant.why;
}
