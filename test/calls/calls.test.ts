// Nobody notices: restarts, a kill and a freeze among real processes that call each other. The long form, with more
// members, more runs and bounds on time, is `npm run bench -- calls`.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { freezeOne, killOne, rollingRestart, type Seen } from "./scenarios.ts";

const load = { members: 3, callsPerSecond: 100 };

function assertNoneFailed({ made, failures }: Seen): void {
  assert.ok(made > 100, `only ${made} calls were made`);
  assert.deepEqual(failures, []);
}

describe("calls between processes", () => {
  it("do not fail while one member after the other is restarted", async () => {
    assertNoneFailed(await rollingRestart(load));
  });

  it("do not fail when a member is killed, where they are idempotent", async () => {
    assertNoneFailed(await killOne({ ...load, members: 4 }, true));
  });

  it("fail when a member is killed only where they were under way there, and not idempotent", async () => {
    const { made, unexplained } = await killOne({ ...load, members: 4 }, false);
    assert.ok(made > 100);
    assert.deepEqual(unexplained, []);
  });

  it("do not wait for a member that stands still, where they are idempotent", async () => {
    // No call lives as long as the member is frozen, so that those to it would all fail.
    assertNoneFailed(await freezeOne({ ...load, members: 4 }, { idempotent: true, timeoutMs: 5000 }));
  });
});
