// What a failure detector says of its own process.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, viewOfSize } from "../../test/core/sample-views.ts";
import { FailureDetector, type ProbeCall } from "./failure-detector.ts";
import { Outgoing } from "./outgoing.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";

const PERIOD = DEFAULT_SETTINGS.faultTimeoutMs;

describe("a failure detector whose own process stands still", () => {
  it("says so, once a minute", () => {
    const out = new Outgoing<ProbeCall>();
    const detector = new FailureDetector(host(0), DEFAULT_SETTINGS, out);
    const notes = (): string[] =>
      out.take().flatMap((effect) => (effect.kind === "note" ? [`${effect.level}: ${effect.text}`] : []));
    detector.follow(viewOfSize(5), 0);
    const beat = (at: number): void => {
      detector.pulse(at);
      detector.wake(at);
    };
    beat(PERIOD);
    for (let at = PERIOD; at <= PERIOD + 1000; at += 100) beat(at);
    assert.deepEqual(notes(), [], "not while it is on time");
    const back = PERIOD + 1000 + 4200;
    beat(back);
    assert.deepEqual(notes(), [
      "warn: this process stood still for 4000 ms: others are given more time to answer",
    ]);
    beat(back + 5000);
    beat(back + 50_000);
    assert.deepEqual(notes(), [], "it has said so");
    beat(back + 61_000);
    assert.equal(notes().length, 1);
  });
});
