import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { Exchange, type Open } from "./exchange.ts";
import type { Key } from "./key.ts";
import { type Answer, KIND, OUTCOME } from "./wire.ts";

const KEY = "k" as Key;
const VALUE = Buffer.from("value");
const ADDRESS = "127.0.0.1:1";

function answerTo(id: number): Answer {
  return { id, outcome: OUTCOME.value, value: VALUE, livesMs: 0, reason: "", status: 0 } as unknown as Answer;
}

describe("an exchange", () => {
  it("hears what had come by the time that it gives up, though its process stood still", async (t) => {
    // The other side lives on while this thread sleeps.
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const echo = `
      const { parentPort, workerData: flag } = require("node:worker_threads");
      parentPort.on("message", (id) => {
        parentPort.postMessage(id);
        Atomics.store(flag, 0, 1);
        Atomics.notify(flag, 0);
      });`;
    const other = new Worker(echo, { eval: true, workerData: flag });
    t.after(() => other.terminate());
    await once(other, "online");
    const timeoutMs = 20;
    const open: Open = async function* (asks) {
      for await (const { asks: questions } of asks) {
        const [{ id }] = questions as [(typeof questions)[number]];
        // After immediates, timers are next.
        await new Promise((resolve) => setImmediate(resolve));
        const heard = once(other, "message");
        other.postMessage(id);
        assert.notEqual(Atomics.wait(flag, 0, 0, 10_000), "timed-out");
        // The answer is there; now the time is over as well.
        for (const until = performance.now() + 2 * timeoutMs; performance.now() < until; );
        yield { answers: [answerTo((await heard)[0] as number)] };
      }
    };
    const exchange = new Exchange(ADDRESS, open, undefined);
    assert.deepEqual((await exchange.ask(KIND.get, KEY, timeoutMs)).value, VALUE);
    exchange.close();
  });

  it("gives up where there is no answer in time", async () => {
    const open: Open = async function* (asks) {
      for await (const _ of asks) yield { answers: [] };
    };
    const exchange = new Exchange(ADDRESS, open, undefined);
    await assert.rejects(exchange.ask(KIND.get, KEY, 5), /127\.0\.0\.1:1: there was no answer within 5 ms/);
    exchange.close();
  });

  it("asks no more than 20,000 questions at a time, and says what helps", async () => {
    const answer: { now?: () => void } = {};
    const open: Open = async function* (asks) {
      const ids: number[] = [];
      const all = new Promise<void>((resolve) => {
        answer.now = resolve;
      });
      void (async () => {
        for await (const { asks: questions } of asks) ids.push(...questions.map(({ id }) => id));
      })();
      await all;
      yield { answers: ids.map(answerTo) };
    };
    const exchange = new Exchange(ADDRESS, open, undefined);
    const asked = Array.from({ length: 20_000 }, () => exchange.ask(KIND.get, KEY, 60_000));
    await assert.rejects(
      exchange.ask(KIND.get, KEY, 60_000),
      /20000 questions to it are without an answer, and no more are asked: ask for fewer at a time, or by getMany/,
    );
    exchange.close();
    // All are on their way before they are answered.
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
    answer.now?.();
    assert.equal((await Promise.all(asked)).length, 20_000);
  });
});
