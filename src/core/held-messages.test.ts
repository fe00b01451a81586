import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts, joiner, nodeMetadata } from "../../test/core/sample-views.ts";
import { HeldMessages } from "./held-messages.ts";
import type { Alerts, ConfigurationId, FastAccepted } from "./messages.ts";

function vote(configuration: ConfigurationId, sender = 1, size = 1): FastAccepted {
  return { kind: "fastAccepted", sender: host(sender), configuration, value: hosts(size) };
}

function alertsOf(configuration: ConfigurationId, kilobytes: number): Alerts {
  const metadata = nodeMetadata({ blob: "x".repeat(1024 * kilobytes) });
  const edges = [{ node: host(9), ring: 0, join: joiner(9, metadata) }];
  return { kind: "alerts", sender: host(1), configuration, edges };
}

describe("messages of configurations to come (PITFALLS B16)", () => {
  it("are given back once, in order of arrival, in the configuration that they belong to", () => {
    const held = new HeldMessages();
    const mine = [vote(7n, 1), vote(7n, 2), alertsOf(7n, 1)];
    held.hold(mine[0]!, 0);
    held.hold(vote(8n), 0);
    held.hold(mine[1]!, 1);
    held.hold(mine[2]!, 2);
    assert.deepEqual(held.take(7n, 3), mine);
    assert.deepEqual(held.take(7n, 3), []);
    assert.deepEqual(held.take(8n, 3), [vote(8n)]);
    assert.deepEqual(held.take(9n, 3), []);
  });

  it("are forgotten after 30 s, each by its own time", () => {
    const held = new HeldMessages();
    held.hold(vote(7n, 1), 0);
    held.hold(vote(7n, 2), 20_000);
    assert.deepEqual(held.take(7n, 30_000), [vote(7n, 2)]);
  });

  it("of more than 64 configurations push out the oldest", () => {
    const held = new HeldMessages();
    for (let id = 0n; id < 65n; id++) held.hold(vote(id), 0);
    assert.deepEqual(held.take(0n, 1), []);
    assert.deepEqual(held.take(1n, 1), [vote(1n)]);
    assert.deepEqual(held.take(64n, 1), [vote(64n)]);
  });

  it("take no more than 8 MiB: the oldest configurations make room", () => {
    const held = new HeldMessages();
    for (let id = 0n; id < 12n; id++) held.hold(alertsOf(id, 1000), 0);
    const kept = Array.from({ length: 12 }, (_, id) => held.take(BigInt(id), 1).length);
    assert.deepEqual(kept, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it("in a flood under one id never take more than 8 MiB either, and leave room again afterwards", () => {
    const held = new HeldMessages();
    const one = vote(7n, 1, 1000);
    for (let i = 0; i < 2000; i++) held.hold(one, 0);
    assert.ok(held.take(7n, 1).length * 40_000 <= 8 * 1024 * 1024);
    held.hold(vote(8n), 1);
    assert.deepEqual(held.take(8n, 2), [vote(8n)]);
  });

  it("that are huge are not held at all, and push nobody out", () => {
    const held = new HeldMessages();
    held.hold(vote(7n), 0);
    held.hold(alertsOf(8n, 5000), 0);
    assert.deepEqual(held.take(8n, 1), []);
    assert.deepEqual(held.take(7n, 1), [vote(7n)]);
  });
});
