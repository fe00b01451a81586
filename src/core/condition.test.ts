import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Condition } from "./condition.ts";
import { Outgoing } from "./outgoing.ts";

const well = { suspectsNoQuorum: false, suspectsStale: false };

function stage() {
  const out = new Outgoing<never>();
  const condition = new Condition(out);
  return (prospect: Partial<typeof well>, skewSeconds = 0): readonly string[] => {
    condition.look({ ...well, ...prospect }, skewSeconds);
    return out
      .take()
      .map((effect) =>
        effect.kind === "doubts"
          ? JSON.stringify(effect.doubts)
          : effect.kind === "note"
            ? `${effect.level}: ${effect.text}`
            : effect.kind,
      );
  };
}

describe("what a member doubts", () => {
  it("is told when it changes, and not again", () => {
    const look = stage();
    assert.deepEqual(look({}), []);
    assert.deepEqual(look({ suspectsNoQuorum: true }), [
      '{"noQuorum":true,"stale":false,"clockAheadSeconds":0}',
      "warn: too few members answer to decide anything: no majority is left",
    ]);
    assert.deepEqual(look({ suspectsNoQuorum: true }), []);
    assert.deepEqual(look({}), [
      '{"noQuorum":false,"stale":false,"clockAheadSeconds":0}',
      "info: a majority of the members answers again",
    ]);
  });

  it("is no sentence in the log where it may pass in a moment", () => {
    const look = stage();
    assert.deepEqual(look({ suspectsStale: true }), [
      '{"noQuorum":false,"stale":true,"clockAheadSeconds":0}',
    ]);
  });

  it("says which way a clock is wrong", () => {
    const look = stage();
    assert.deepEqual(look({}, 7200), [
      '{"noQuorum":false,"stale":false,"clockAheadSeconds":-7200}',
      "warn: this machine's clock is 7200 s behind the other members'",
    ]);
    assert.deepEqual(look({}, -300), [
      '{"noQuorum":false,"stale":false,"clockAheadSeconds":300}',
      "warn: this machine's clock is 300 s ahead of the other members'",
    ]);
    assert.deepEqual(look({}, 0), [
      '{"noQuorum":false,"stale":false,"clockAheadSeconds":0}',
      "warn: this machine's clock agrees with the other members' again",
    ]);
  });
});
