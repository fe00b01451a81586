import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Agenda, START, Standstill } from "./agenda.ts";

const MANY = 1_000_001;

describe("virtual time", () => {
  it("has things done at their time, and those of one moment in the order in which they were asked for", () => {
    const agenda = new Agenda();
    const done: string[] = [];
    const add = (atMs: number, what: string): void =>
      agenda.add(START + atMs, { run: () => void done.push(`${what} at ${agenda.elapsed}`) });
    add(2, "a");
    add(1, "b");
    add(2, "c");
    agenda.add(START + 1, { run: () => add(0, "d, late") });
    agenda.add(START + 2, { run: () => assert.fail(), isOff: true });
    while (agenda.runNext(START + 10));
    assert.deepEqual(done, ["b at 1", "d, late at 1", "a at 2", "c at 2"]);
    assert.equal(agenda.elapsed, 2);
  });

  it("goes on however much is due at one moment", () => {
    const agenda = new Agenda();
    let done = 0;
    const task = { run: () => void done++ };
    for (let i = 0; i < MANY; i++) agenda.add(START + 5, task, { number: i % 3 });
    while (agenda.runNext(START + 10));
    assert.equal(done, MANY);
  });

  for (const many of [1023, 1024, 1025, 2048, 3072]) {
    it(`has ${many} things done that are due at one moment, place by place where they are many, and then late ones`, () => {
      const agenda = new Agenda();
      const done: string[] = [];
      const late = { run: () => void done.push("late") };
      for (let i = 0; i < many; i++) {
        const run = (): void => {
          done.push(`${i} at ${i % 3}`);
          if (i % 1024 === 1023) agenda.add(agenda.now, late);
        };
        agenda.add(START + 5, { run }, { number: i % 3 });
      }
      while (agenda.runNext(START + 10));
      const all = Array.from({ length: many }, (_, i) => i);
      const order = many > 2000 ? [0, 1, 2].flatMap((place) => all.filter((i) => i % 3 === place)) : all;
      const inTime = order.map((i) => `${i} at ${i % 3}`);
      assert.deepEqual(done, [...inTime, ...new Array<string>(Math.floor(many / 1024)).fill("late")]);
    });
  }

  it("does not stand still where something is done again and again at one moment", () => {
    const agenda = new Agenda();
    const task = { run: () => agenda.add(agenda.now, task) };
    agenda.add(START + 5, task);
    assert.throws(
      () => {
        while (agenda.runNext(START + 10));
      },
      (error) => error instanceof Standstill && /time stands still at 5 ms/.test(error.message),
    );
  });
});
