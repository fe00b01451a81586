// Virtual time: things to do, each at its time, in an order that is the same in every run.

import type { Millis } from "../src/core/doorway.ts";

const START: Millis = 1_700_000_000_000;

export interface Task {
  at: Millis;
  /** Of two at the same time, the one that was added first goes first. */
  order: number;
  /** Called off: it is passed over when its time comes. */
  isOff: boolean;
  readonly isTimer: boolean;
  readonly run: () => void;
}

export class VirtualClock {
  now: Millis = START;
  /** A hash of what was done when: equal for equal runs. */
  trace = 0;
  #order = 0;
  /** A binary heap, the next task on top. */
  readonly #tasks: Task[] = [];

  add(task: Task): void {
    task.order = this.#order++;
    const tasks = this.#tasks;
    let i = tasks.length;
    tasks.push(task);
    for (let parent = (i - 1) >> 1; i > 0 && isBefore(task, tasks[parent]!); parent = (i - 1) >> 1) {
      tasks[i] = tasks[parent]!;
      i = parent;
    }
    tasks[i] = task;
  }

  /** Does the next thing, if there is one up to `deadline`. */
  runNext(deadline: Millis): boolean {
    for (let next = this.#tasks[0]; next !== undefined && next.at <= deadline; next = this.#tasks[0]) {
      this.#removeTop();
      if (next.isOff) continue;
      this.now = Math.max(this.now, next.at);
      this.trace = (Math.imul(this.trace, 31) + next.order + Math.floor(1000 * (this.now - START))) | 0;
      next.run();
      return true;
    }
    return false;
  }

  #removeTop(): void {
    const tasks = this.#tasks;
    const last = tasks.pop()!;
    if (tasks.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= tasks.length) break;
      if (child + 1 < tasks.length && isBefore(tasks[child + 1]!, tasks[child]!)) child += 1;
      if (!isBefore(tasks[child]!, last)) break;
      tasks[i] = tasks[child]!;
      i = child;
    }
    tasks[i] = last;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
