import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, viewOfSize } from "../../test/core/sample-views.ts";
import type { Effect, Event, Machine, Millis } from "./doorway.ts";
import { drive, type World } from "./drive.ts";
import type { Endpoint } from "./endpoint.ts";
import { ack, type Reply } from "./messages.ts";

/** A machine that does what the test says, in a world that writes down what was done to it. */
function stage(answers: Partial<Record<Event["kind"], readonly Effect[]>> = {}) {
  const events: Event[] = [];
  const done: string[] = [];
  const machine: Machine & { wakeAt: Millis } = {
    wakeAt: Infinity,
    step: (event) => {
      events.push(event);
      return answers[event.kind] ?? [];
    },
  };
  const wakes: { at: Millis; run: () => void; isOff: boolean }[] = [];
  const calls: { answered: (reply: Reply) => void; isOff: boolean }[] = [];
  const world: World = {
    now: () => 5,
    wake: (at, run) => {
      const wake = { at, run, isOff: false };
      wakes.push(wake);
      return () => {
        wake.isOff = true;
      };
    },
    send: (to, request) => void done.push(`send ${request.kind} to ${to.length}`),
    call: (_to, request, timeoutMs, answered) => {
      const call = { answered, isOff: false };
      calls.push(call);
      done.push(`call ${request.kind} for ${timeoutMs}`);
      return () => {
        call.isOff = true;
      };
    },
    dial: (at, dialled) => {
      done.push(`dial ${at === host(7)}`);
      dialled("refused");
    },
    reply: (token, reply) => void done.push(`reply ${reply.kind} to ${token}`),
    cut: ({ view }) => void done.push(`cut of ${view.size}`),
    findSeeds: (found) => {
      done.push("find seeds");
      found([host(7)]);
    },
    left: (removed) => void done.push(`left ${removed}`),
    doubts: ({ noQuorum }) => void done.push(`doubts ${noQuorum}`),
    note: (level, text) => void done.push(`${level} ${text}`),
  };
  return { machine, world, events, done, wakes, calls, driver: drive(machine, world) };
}

const probe: Effect = { kind: "call", call: 1, to: host(1), request: { kind: "probe" }, timeoutMs: 2000 };

describe("drive", () => {
  it("carries out each effect, in order", () => {
    const view = viewOfSize(3);
    const { driver, done } = stage({
      start: [
        { kind: "note", level: "info", text: "hello" },
        { kind: "send", to: [host(1), host(2)], request: { kind: "probe" } },
        { kind: "reply", token: 4, reply: ack },
        { kind: "cut", cut: { view, joined: [], kicked: [], degraded: false } },
        { kind: "left", removed: true },
        { kind: "doubts", doubts: { noQuorum: true, stale: false, clockAheadSeconds: 0 } },
      ],
    });
    driver.feed({ kind: "start" });
    assert.deepEqual(done, [
      "info hello",
      "send probe to 2",
      "reply ack to 4",
      "cut of 3",
      "left true",
      "doubts true",
    ]);
  });

  it("takes what the world says meanwhile only after all effects of a step, in order", () => {
    const { driver, events, done } = stage({
      start: [{ kind: "findSeeds" }, { kind: "note", level: "info", text: "after" }],
    });
    driver.feed({ kind: "start" });
    assert.deepEqual(done, ["find seeds", "info after"]);
    assert.deepEqual(events, [{ kind: "start" }, { kind: "seeds", seeds: [host(7)] }]);
  });

  it("tells what a dial came to", () => {
    const { driver, events, done } = stage({ start: [{ kind: "dial", at: host(7) }] });
    driver.feed({ kind: "start" });
    assert.deepEqual(done, ["dial true"]);
    assert.deepEqual(events, [{ kind: "start" }, { kind: "dialled", at: host(7), found: "refused" }]);
  });

  it("brings an answer back under the name of its call", () => {
    const { driver, events, calls } = stage({ start: [probe] });
    driver.feed({ kind: "start" });
    calls[0]!.answered(ack);
    assert.deepEqual(events.at(-1), { kind: "answer", call: 1, reply: ack });
  });

  it("calls off a call that is cancelled, and minds no other", () => {
    const { driver, calls } = stage({
      start: [probe, { ...probe, call: 2 }],
      wake: [
        { kind: "cancel", call: 1 },
        { kind: "cancel", call: 99 },
      ],
    });
    driver.feed({ kind: "start" });
    driver.feed({ kind: "wake" });
    assert.deepEqual(
      calls.map((call) => call.isOff),
      [true, false],
    );
  });

  it("asks to be woken when the machine wants it, once, and anew when that changes", () => {
    const { driver, machine, wakes, events } = stage();
    driver.feed({ kind: "start" });
    assert.equal(wakes.length, 0);
    machine.wakeAt = 100;
    driver.feed({ kind: "hangup", token: 1 });
    driver.feed({ kind: "hangup", token: 2 });
    assert.deepEqual(
      wakes.map(({ at, isOff }) => [at, isOff]),
      [[100, false]],
    );
    machine.wakeAt = 50;
    driver.feed({ kind: "hangup", token: 3 });
    assert.deepEqual(
      wakes.map(({ at, isOff }) => [at, isOff]),
      [
        [100, true],
        [50, false],
      ],
    );
    wakes[1]!.run();
    assert.deepEqual(events.at(-1), { kind: "wake" });
    assert.equal(wakes.length, 3); // It still wants the same moment, so it is asked for again.
  });

  it("calls the wake-up off when nothing is due any more", () => {
    const { driver, machine, wakes } = stage();
    machine.wakeAt = 100;
    driver.feed({ kind: "start" });
    machine.wakeAt = Infinity;
    driver.feed({ kind: "hangup", token: 1 });
    assert.deepEqual(
      wakes.map((wake) => wake.isOff),
      [true],
    );
  });

  it("once stopped drops its timer and its calls, and is deaf", () => {
    const { driver, machine, wakes, calls, events } = stage({ start: [probe] });
    machine.wakeAt = 100;
    driver.feed({ kind: "start" });
    driver.stop();
    assert.deepEqual([wakes[0]!.isOff, calls[0]!.isOff], [true, true]);
    driver.feed({ kind: "hangup", token: 1 });
    assert.equal(events.length, 1);
  });

  it("stopped in the middle of a step takes no further event, though one waits", () => {
    const { driver, events, world } = stage({
      start: [{ kind: "findSeeds" }, { kind: "left", removed: false }],
    });
    world.left = () => driver.stop();
    driver.feed({ kind: "start" });
    assert.deepEqual(events, [{ kind: "start" }]);
  });

  it("goes on with the next event after one that threw", () => {
    const { driver, machine, events } = stage();
    const { step } = machine;
    machine.step = () => {
      throw new Error("a bug");
    };
    assert.throws(() => driver.feed({ kind: "start" }), /a bug/);
    machine.step = step;
    driver.feed({ kind: "wake" });
    assert.deepEqual(events, [{ kind: "wake" }]);
  });

  it("hands over who is told as it is", () => {
    const told: (readonly Endpoint[])[] = [];
    const { driver, world } = stage({
      start: [{ kind: "send", to: [host(2), host(1)], request: { kind: "probe" } }],
    });
    world.send = (to) => void told.push(to);
    driver.feed({ kind: "start" });
    assert.deepEqual(told, [[host(2), host(1)]]);
  });
});
