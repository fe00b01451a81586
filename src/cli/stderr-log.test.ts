// The log says things once, and again after a while.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logTo } from "./stderr-log.ts";

describe("the log", () => {
  it("counts what is said again within ten seconds", () => {
    const lines: string[] = [];
    let now = 0;
    const log = logTo(
      (line) => lines.push(line),
      () => now,
    );
    for (const at of [0, 1000, 9999, 10_000, 20_000]) {
      now = at;
      log.info({}, "no answer");
    }
    log.warn({}, "other");
    log.debug({}, "silence");
    assert.deepEqual(lines, [
      "1970-01-01T00:00:00.000Z info no answer",
      "1970-01-01T00:00:10.000Z info no answer (2 times more meanwhile)",
      "1970-01-01T00:00:20.000Z info no answer",
      "1970-01-01T00:00:20.000Z warn other",
    ]);
  });
});
