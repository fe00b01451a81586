// The clock of the real world.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { steadyClock } from "./clock.ts";

/** Timers of the clock do not keep a process alive, so somebody else must while a test waits for one. */
async function alive<T>(wait: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1000);
  try {
    return await wait;
  } finally {
    clearInterval(timer);
  }
}

describe("the clock", () => {
  it("reads as Unix time", () => {
    assert.ok(Math.abs(steadyClock.now() - Date.now()) < 60_000);
  });

  it("rings once, and never early", async () => {
    for (let i = 0; i < 20; i++) {
      const at = steadyClock.now() + 1 + i / 7;
      const rungAt = await alive(
        new Promise<number>((resolve) => {
          steadyClock.wake(at, () => resolve(steadyClock.now()));
        }),
      );
      assert.ok(rungAt >= at);
    }
  });

  it("can be called off, also where it would ring in a year", async () => {
    const forget = [0, 5, 365 * 86_400_000].map((ms) =>
      steadyClock.wake(steadyClock.now() + ms, () => assert.fail("it was called off")),
    );
    for (const callOff of forget) callOff();
    await alive(new Promise<void>((resolve) => void steadyClock.wake(steadyClock.now() + 20, resolve)));
  });
});
