import assert from "node:assert/strict";
import type { MemberProcess } from "../../test/member-process.ts";
import { type MixedMesh, mixedTest, standard } from "../mixed-mesh.ts";

// Three strikes of 2 s take 6 s, so what is faster than this was no failed probe.
const leaveMs = 2_000;

mixedTest("a Node member leaves", standard, async (mesh) => {
  const { node } = await mesh.boot("rust", { node: 3, rust: 2 });
  await leave(mesh, [node[0]!], leaveMs);
});

mixedTest("the Node founder leaves Rust members", standard, async (mesh) => {
  const { founder, rust } = await mesh.boot("node", { node: 0, rust: 4 });
  await leave(mesh, [founder], leaveMs);
  await mesh.join({ node: 1, rust: 1 }, rust[0]!);
  await mesh.agreement("the four and two new ones agree");
});

mixedTest("two Node members leave at once", standard, async (mesh) => {
  const { node } = await mesh.boot("rust", { node: 3, rust: 2 });
  // Each has to start again when the other one's leave changes the configuration.
  await leave(mesh, node.slice(0, 2), 3 * leaveMs);
});

async function leave(mesh: MixedMesh, leavers: readonly MemberProcess[], limitMs: number): Promise<void> {
  mesh.remove("SIGTERM", ...leavers);
  const { tookMs } = await mesh.agreement("the others agree");
  assert.ok(tookMs < limitMs, `gone from all views after ${Math.round(tookMs)} ms, not within ${limitMs} ms`);
  for (const leaver of leavers) {
    const status = await leaver.untilExit({ timeoutMs: 10_000, what: `the ${leaver} to end` });
    assert.deepEqual(status, { code: 0, signal: null }, `exit status of the ${leaver}`);
  }
}
