// Readers of cuts, fast and slow.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Endpoint, nodeIdOf, parseEndpoint } from "../core/endpoint.ts";
import { View } from "../core/view.ts";
import { type Cut, CutMaker } from "./cut.ts";
import { CutFeed } from "./subscription.ts";

const self = parseEndpoint("127.0.0.1:1")!;
const endpoints = Array.from({ length: 6 }, (_, i) => parseEndpoint(`127.0.0.1:${i + 2}`)!);

/** A chain of views; each number says whose membership changes next. */
function chain(changes: readonly number[]): View[] {
  let uuid = 0n;
  const joiner = () => ({ uuid: nodeIdOf(0n, ++uuid), metadata: Object.create(null) });
  let view = View.founding(3, self, joiner());
  const views = [view];
  for (const i of changes) {
    const endpoint: Endpoint = endpoints[i]!;
    view = view.next([endpoint], new Map([[endpoint, joiner()]]));
    views.push(view);
  }
  return views;
}

function feedOf(): CutFeed {
  return new CutFeed(new CutMaker(self));
}

const addresses = (of: Cut["members"]): string[] => of.map(({ address }) => address);

describe("a reader of cuts", () => {
  it("gets the newest first, then each later one, and the end", async () => {
    const feed = feedOf();
    const [first, second] = chain([0]) as [View, View];
    feed.publish({ view: first, degraded: false });
    const reader = feed.subscribe();
    const now = await reader.next();
    assert.equal(now.value?.confId, first.id);
    assert.deepEqual(now.value?.joined, now.value?.members);
    const next = reader.next();
    feed.publish({ view: second, degraded: false });
    assert.deepEqual(addresses((await next).value!.joined), ["127.0.0.1:2"]);
    const end = reader.next();
    feed.close();
    assert.equal((await end).done, true);
    assert.equal((await reader.next()).done, true);
  });

  it("gets what it has not seen even when the mesh has ended since", async () => {
    const feed = feedOf();
    const [first, second] = chain([0]) as [View, View];
    feed.publish({ view: first, degraded: false });
    const reader = feed.subscribe();
    feed.publish({ view: second, degraded: true });
    feed.close();
    const last = await reader.next();
    assert.equal(last.value?.degraded, true);
    assert.equal(last.value?.skipped, 1);
    assert.equal((await reader.next()).done, true);
    const late = feed.subscribe();
    assert.equal((await late.next()).value?.confId, second.id);
    assert.equal((await late.next()).done, true);
  });

  it("ends when its signal is aborted, and when its loop is left", async () => {
    const feed = feedOf();
    feed.publish({ view: chain([])[0]!, degraded: false });
    const stop = new AbortController();
    const reader = feed.subscribe(stop.signal);
    await reader.next();
    const pending = reader.next();
    stop.abort();
    assert.equal((await pending).done, true);
    for await (const _ of feed.subscribe(AbortSignal.abort())) assert.fail("nothing was to come");
    for await (const _ of feed.subscribe()) break;
  });

  it("answers several questions at once in their order", async () => {
    const feed = feedOf();
    const reader = feed.subscribe();
    const asked = [reader.next(), reader.next(), reader.next()];
    const views = chain([0]);
    for (const view of views) feed.publish({ view, degraded: false });
    feed.close();
    const answers = await Promise.all(asked);
    assert.deepEqual(
      answers.map(({ value }) => value?.confId),
      [views[0]!.id, views[1]!.id, undefined],
    );
  });

  it("however slow, never goes back, and can follow who is in", async () => {
    const changes = fc.array(fc.nat({ max: endpoints.length - 1 }), { minLength: 1, maxLength: 50 });
    const pace = fc.infiniteStream(fc.nat({ max: 4 }));
    await fc.assert(
      fc.asyncProperty(changes, pace, async (who, pauses) => {
        const views = chain(who);
        const feed = feedOf();
        const reader = feed.subscribe();
        const members = new Set<string>();
        let read = -1;
        let published = 0;
        const readOne = async (): Promise<void> => {
          const { value: cut } = await reader.next();
          read += 1 + cut!.skipped;
          assert.equal(read, published - 1, "the newest, and the missed ones are counted");
          assert.equal(cut!.confId, views[read]!.id);
          for (const address of addresses(cut!.kicked)) assert.ok(members.delete(address));
          for (const address of addresses(cut!.joined)) {
            assert.ok(!members.has(address));
            members.add(address);
          }
          assert.deepEqual([...members].sort(), addresses(cut!.members).sort());
        };
        for (const view of views) {
          feed.publish({ view, degraded: false });
          published += 1;
          if (pauses.next().value === 0) await readOne();
        }
        if (read < published - 1) await readOne();
        feed.close();
        assert.equal((await reader.next()).done, true);
      }),
    );
  });
});
