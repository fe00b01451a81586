// Virtual time: things to do, each at its time. Time goes in ticks of a sixteenth of a millisecond, which floating
// point holds exactly; what is due in the same tick is done in the order in which it was asked for. So there are few
// distinct times and a queue for each, which costs the same whether ten things are waiting or ten million.
//
// In a mesh of a thousand millions of messages are under way at once. So what is sent to many is one task, due for each
// of them; and where thousands of things are due in one tick they are done place by place, since going through a thousand
// members again and again takes longer, out of the processor's cache, than all that they do.

import type { Millis } from "../core/doorway.ts";

/** When simulated time begins: a date, since members read their clocks as Unix time. */
export const START: Millis = 1_700_000_000_000;
const TICKS_PER_MS = 16;
/** With more than this to do in one tick, places are visited one after the other. */
const IN_ORDER_MAX = 2000;
/** More than this that comes up at one moment, for the same moment, is a loop that never lets time pass. */
const LATE_TASKS_MAX = 1_000_000;

/** Whom a task may be about: places are numbered from 0. */
interface Numbered {
  readonly number: number;
}

export interface Task<Whom = void> {
  run(whom: Whom): void;
  /** Called off: it is passed over when its time comes. */
  isOff?: boolean;
}

/**
 * Tasks, each followed by whom it is about. They lie in pieces of one size: millions of them are not copied each time that
 * they have become too many for where they were, and a piece is let go as soon as it is done.
 */
type Queue = unknown[][];

const PIECE_BITS = 11;
const PIECE_SIZE = 1 << PIECE_BITS;

/** Somebody does something again and again, without end, at one moment. */
export class Standstill extends Error {}

export class Agenda {
  now: Millis = START;
  readonly #queues = new Map<number, Queue>();
  /** The ticks that have a queue, as a binary heap. */
  readonly #ticks: number[] = [];
  #queue: Queue | undefined;
  /** What is next in it: in which piece, and where there. */
  #piece = 0;
  #next = 0;
  #done = 0;
  /** How many were due in this tick when it began: in a mesh of ten thousand, millions. */
  #foreseen = 0;

  /** Milliseconds since the beginning. */
  get elapsed(): Millis {
    return this.now - START;
  }

  /** Has something done at this time, or in the present tick where that is over. */
  add(due: Millis, task: Task): void;
  add<Whom extends Numbered>(due: Millis, task: Task<Whom>, whom: Whom): void;
  add(due: Millis, task: Task<never>, whom?: Numbered): void {
    const tick = tickOf(Math.max(due, this.now));
    const queue = this.#queues.get(tick);
    if (queue === undefined) {
      this.#queues.set(tick, [[task, whom]]);
      this.#push(tick);
      return;
    }
    const piece = queue[queue.length - 1]!;
    if (piece.length < PIECE_SIZE) piece.push(task, whom);
    else queue.push([task, whom]);
  }

  /** Does the next thing, if there is one up to `deadline`. */
  runNext(deadline: Millis): boolean {
    const last = tickOf(deadline);
    for (;;) {
      const tick = this.#ticks[0];
      if (tick === undefined || tick > last) return false;
      this.#queue ??= this.#begin(tick);
      if (this.#next === PIECE_SIZE && this.#piece + 1 < this.#queue.length) {
        this.#queue[this.#piece] = [];
        this.#piece += 1;
        this.#next = 0;
      }
      const piece = this.#queue[this.#piece]!;
      if (this.#next === piece.length) {
        this.#end(tick);
        continue;
      }
      const task = piece[this.#next] as Task<unknown>;
      const whom = piece[this.#next + 1];
      this.#next += 2;
      this.#done += 1;
      if (this.#done > this.#foreseen + LATE_TASKS_MAX) {
        throw new Standstill(`time stands still at ${this.elapsed} ms`);
      }
      if (task.isOff) continue;
      this.now = START + tick / TICKS_PER_MS;
      task.run(whom);
      return true;
    }
  }

  /** Lets time pass in which nothing is due. */
  skipTo(time: Millis): void {
    this.now = Math.max(this.now, START + tickOf(time) / TICKS_PER_MS);
  }

  #begin(tick: number): Queue {
    let queue = this.#queues.get(tick)!;
    this.#foreseen = ((queue.length - 1) * PIECE_SIZE + queue.at(-1)!.length) / 2;
    if (this.#foreseen > IN_ORDER_MAX) {
      queue = placeByPlace(queue);
      this.#queues.set(tick, queue);
    }
    return queue;
  }

  #end(tick: number): void {
    this.#queue = undefined;
    this.#piece = 0;
    this.#next = 0;
    this.#done = 0;
    this.#queues.delete(tick);
    this.#pop();
  }

  #push(tick: number): void {
    const ticks = this.#ticks;
    let i = ticks.length;
    ticks.push(tick);
    for (let parent = (i - 1) >> 1; i > 0 && tick < ticks[parent]!; parent = (i - 1) >> 1) {
      ticks[i] = ticks[parent]!;
      i = parent;
    }
    ticks[i] = tick;
  }

  #pop(): void {
    const ticks = this.#ticks;
    const last = ticks.pop()!;
    if (ticks.length === 0) return;
    let i = 0;
    for (let child = 1; child < ticks.length; child = 2 * i + 1) {
      if (child + 1 < ticks.length && ticks[child + 1]! < ticks[child]!) child += 1;
      if (ticks[child]! >= last) break;
      ticks[i] = ticks[child]!;
      i = child;
    }
    ticks[i] = last;
  }
}

/** A deadline that lies between two ticks is due at the later one: nobody is woken too early. */
function tickOf(time: Millis): number {
  return Math.ceil((time - START) * TICKS_PER_MS);
}

/** The same tasks: first those that are about nobody, then place by place; otherwise as they were. */
function placeByPlace(queue: Queue): Queue {
  // Where those of each place begin; those that are about nobody are at place -1.
  const begins: number[] = [0];
  for (const piece of queue) {
    for (let i = 1; i < piece.length; i += 2) {
      const next = placeOf(piece[i]) + 2;
      while (begins.length <= next) begins.push(0);
      begins[next]! += 2;
    }
  }
  for (let place = 1; place < begins.length; place++) begins[place]! += begins[place - 1]!;
  const sorted: Queue = queue.map(({ length }) => new Array(length));
  for (const piece of queue) {
    for (let i = 0; i < piece.length; i += 2) {
      const place = placeOf(piece[i + 1]) + 1;
      const at = begins[place]!;
      begins[place] = at + 2;
      const target = sorted[at >> PIECE_BITS]!;
      target[at % PIECE_SIZE] = piece[i];
      target[(at % PIECE_SIZE) + 1] = piece[i + 1];
    }
  }
  return sorted;
}

function placeOf(whom: unknown): number {
  return (whom as Numbered | undefined)?.number ?? -1;
}
