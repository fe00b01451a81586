// Carries events into a machine and its effects out, one event at a time and in order. The same loop runs under
// gRPC and in a simulation; they differ in the World that they pass.

import type {
  CallId,
  Doubts,
  Effect,
  Event,
  Found,
  Level,
  Machine,
  Millis,
  Token,
  ViewChange,
} from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Reply, Request } from "./messages.ts";

/** What a member's surroundings must bring. None of these may call back before it returns, except through the feed. */
export interface World {
  now(): Millis;
  /** Runs `run` once at `at`, or soon after; the returned function calls it off. */
  wake(at: Millis, run: () => void): () => void;
  send(to: readonly Endpoint[], request: Request): void;
  /** Calls `answered` exactly once, unless the returned function called it off. */
  call(to: Endpoint, request: Request, timeoutMs: Millis, answered: (reply: Reply) => void): () => void;
  /** Tells exactly once whether connections are accepted there; `refused` only where that address itself said so. */
  dial(at: Endpoint, dialled: (found: Found) => void): void;
  reply(token: Token, reply: Reply): void;
  cut(cut: ViewChange): void;
  findSeeds(found: (seeds: readonly Endpoint[]) => void): void;
  left(removed: boolean): void;
  doubts(doubts: Doubts): void;
  note(level: Level, text: string): void;
}

export interface Driver {
  feed(event: Event): void;
  /** Drops the timer and all open calls; later events are ignored. */
  stop(): void;
}

export function drive(machine: Machine, world: World): Driver {
  const inbox: Event[] = [];
  const calls = new Map<CallId, () => void>();
  let busy = false;
  let stopped = false;
  let wakeAt: Millis = Infinity;
  let cancelWake = (): void => {};

  function feed(event: Event): void {
    if (stopped) return;
    if (busy) {
      inbox.push(event); // The world called back while its effects were being carried out: take it up afterwards.
      return;
    }
    busy = true;
    try {
      for (let next: Event | undefined = event; next !== undefined && !stopped; next = inbox.shift()) {
        for (const effect of machine.step(next, world.now())) perform(effect);
      }
    } finally {
      busy = false;
    }
    rearm();
  }

  function perform(effect: Effect): void {
    switch (effect.kind) {
      case "send":
        return world.send(effect.to, effect.request);
      case "call": {
        const { call, to, request, timeoutMs } = effect;
        const cancel = world.call(to, request, timeoutMs, (reply) => {
          calls.delete(call);
          feed({ kind: "answer", call, reply });
        });
        calls.set(call, cancel);
        return;
      }
      case "cancel":
        calls.get(effect.call)?.();
        calls.delete(effect.call);
        return;
      case "dial": {
        const { at } = effect;
        return world.dial(at, (found) => feed({ kind: "dialled", at, found }));
      }
      case "reply":
        return world.reply(effect.token, effect.reply);
      case "cut":
        return world.cut(effect.cut);
      case "findSeeds":
        return world.findSeeds((seeds) => feed({ kind: "seeds", seeds }));
      case "left":
        return world.left(effect.removed);
      case "doubts":
        return world.doubts(effect.doubts);
      case "note":
        return world.note(effect.level, effect.text);
    }
  }

  function rearm(): void {
    if (stopped || machine.wakeAt === wakeAt) return;
    cancelWake();
    cancelWake = () => {};
    wakeAt = machine.wakeAt;
    if (wakeAt === Infinity) return;
    cancelWake = world.wake(wakeAt, () => {
      wakeAt = Infinity;
      cancelWake = () => {};
      feed({ kind: "wake" });
    });
  }

  function stop(): void {
    stopped = true;
    cancelWake();
    for (const cancel of calls.values()) cancel();
    calls.clear();
    inbox.length = 0;
  }

  return { feed, stop };
}
