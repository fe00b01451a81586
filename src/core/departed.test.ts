import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foreignMetadata, host, K, nodeMetadata } from "../../test/core/sample-views.ts";
import { Departed } from "./departed.ts";
import type { Millis } from "./doorway.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Metadata } from "./messages.ts";
import { seededRandom } from "./random.ts";
import { View } from "./view.ts";

const self = host(1);
const MINUTE = 60_000;

function viewOf(...members: readonly Endpoint[]): View {
  const records = members.map((endpoint) => ({ endpoint, metadata: nodeMetadata() }));
  return View.of(K, records, []);
}

/** The moments at which somebody is looked after, in rounds of two seconds. */
function soughtAt(departed: Departed, view: View, from: Millis, until: Millis): Millis[] {
  const moments: Millis[] = [];
  for (let now = from; now < until; now += 2000) {
    if (departed.due(view, now, 0).length > 0) moments.push(now);
  }
  return moments;
}

describe("members that are gone", () => {
  it("are looked after in each round at first, more and more rarely, and for an hour", () => {
    const departed = new Departed(self, seededRandom(1n));
    const view = viewOf(self, host(2));
    departed.follow(view, viewOf(self, host(2), host(3)), 0);
    const moments = soughtAt(departed, view, 0, 2 * 60 * MINUTE);
    assert.deepEqual(moments.slice(0, 4), [0, 2000, 4000, 6000]);
    for (const [i, at] of moments.slice(1).entries()) {
      const pause = at - moments[i]!;
      assert.ok(pause <= Math.max(2000, moments[i]! / 4 + 2000), `${pause} ms after ${moments[i]}`);
      assert.ok(pause <= MINUTE + 2000);
    }
    assert.ok(moments.at(-1)! < 60 * MINUTE);
    assert.ok(moments.length < 150, `${moments.length} times`);
  });

  it("are left alone when they are back, and sought anew when they go again", () => {
    const departed = new Departed(self, seededRandom(1n));
    const [two, three] = [viewOf(self, host(2)), viewOf(self, host(2), host(3))];
    departed.follow(two, three, 0);
    departed.follow(three, two, 1000);
    assert.deepEqual(departed.due(three, 2000, 0), []);
    departed.follow(two, three, 30 * MINUTE);
    assert.deepEqual(departed.due(two, 30 * MINUTE, 0), [{ node: host(3), isNode: true }]);
  });

  it("are sought by those who would observe them, and by nobody else", () => {
    const members = Array.from({ length: 40 }, (_, i) => host(i + 1));
    const view = viewOf(...members);
    const gone = host(99);
    const seekers = members.filter((member) => {
      const departed = new Departed(member, seededRandom(1n));
      departed.follow(view, viewOf(...members, gone), 0);
      return departed.due(view, 0, 0).length > 0;
    });
    assert.deepEqual(new Set(seekers), new Set(view.observersOf(gone)));
  });

  it("are few at a time, all in turn, and remembered as what they were", () => {
    const departed = new Departed(self, seededRandom(1n));
    const view = viewOf(self, host(2));
    const record = (endpoint: Endpoint, metadata: Metadata) => ({ endpoint, metadata });
    const before = [record(self, nodeMetadata()), record(host(2), nodeMetadata())];
    for (let port = 10; port < 20; port++) {
      const metadata = port % 2 === 0 ? nodeMetadata() : foreignMetadata;
      departed.follow(view, View.of(K, [...before, record(host(port), metadata)], []), port);
    }
    const sought = departed.due(view, 100, 0);
    assert.deepEqual(
      sought,
      [10, 11, 12, 13].map((port) => ({ node: host(port), isNode: port % 2 === 0 })),
    );
    assert.deepEqual(
      departed.due(view, 200, 0).map(({ node }) => node),
      [14, 15, 16, 17].map(host),
    );
  });

  it("are forgotten, the oldest first, where there are too many", () => {
    const departed = new Departed(self, seededRandom(1n));
    const view = viewOf(self);
    const many = Array.from({ length: 300 }, (_, i) => host(i + 2));
    departed.follow(view, viewOf(self, ...many), 0);
    const sought = new Set<Endpoint>();
    for (let now = 0; now < 1000; now++) for (const { node } of departed.due(view, now, 0)) sought.add(node);
    assert.equal(sought.size, 256);
  });
});
