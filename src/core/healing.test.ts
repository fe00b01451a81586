import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, hosts, joiner, uuid, viewOfSize } from "../../test/core/sample-views.ts";
import type { Endpoint } from "./endpoint.ts";
import { Healing, type HealingCall } from "./healing.ts";
import type { Certificate, Compared, Reply, Request } from "./messages.ts";
import { ack } from "./messages.ts";
import { Outgoing } from "./outgoing.ts";
import { seededRandom } from "./random.ts";
import { refuse } from "./refusals.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import type { View } from "./view.ts";

const self = host(4);
const newcomer = host(100);
const [a, b] = [joiner(100), joiner(101)];
/** Of nine members the first four are Rust ones; the newcomer was told of as two. */
const before = viewOfSize(9, (i) => i < 4);
const [taken, other] = [a, b].map((as) => before.next([newcomer], new Map([[newcomer, as]]))) as [View, View];
const by: Certificate = {
  configuration: before.id,
  rank: { round: 1, nodeIndex: 1n },
  value: [newcomer],
  voters: before.members,
  joiners: new Map([[newcomer, a]]),
};

const compared: Compared = {
  kind: "compared",
  sender: host(0),
  configuration: before.id,
  size: before.size,
  isMember: true,
  wasMember: true,
  chain: [],
  contacts: [],
  replaced: [],
  hasAdmitted: true,
};

/** Who is made to join anew by a member that is in `taken` and bound there, as all but these are, and those that are silent. */
function evictedFrom(
  elsewhere: readonly Endpoint[],
  silent: readonly Endpoint[] = [],
): ReadonlySet<Endpoint> {
  const out = new Outgoing<HealingCall>();
  const healing = new Healing({ self, settings: DEFAULT_SETTINGS, random: seededRandom(5n) }, out);
  healing.entered(before, uuid(4), []);
  healing.follow(before, undefined, undefined, 0);
  healing.follow(taken, before, by, 0);
  healing.atCrossroads(by, new Map([[newcomer, [a, b]]]), taken);
  healing.doubt(0);
  const evicted = new Set<Endpoint>();
  const answerOf = (to: Endpoint, request: Request): Reply => {
    const { id } = elsewhere.includes(to) ? other : taken;
    if (silent.includes(to)) return refuse.closed;
    if (request.kind === "accepted") evicted.add(to);
    if (request.kind === "accepted") return ack;
    if (request.kind === "promise") {
      return request.configuration === id ? refuse.notOurRank : refuse.wrongConfiguration;
    }
    return { ...compared, sender: to, configuration: id, size: taken.size };
  };
  for (let round = 0, now = 0; round < 6; round++) {
    now = healing.wakeAt;
    assert.equal(healing.wake(now, { isFree: false, awaited: undefined }), undefined);
    for (let said = out.take(); said.length > 0; said = out.take()) {
      for (const effect of said) {
        const call = effect.kind === "call" ? out.answered(effect.call) : undefined;
        if (effect.kind !== "call" || call === undefined) continue;
        assert.equal(healing.answered(call, answerOf(effect.to, effect.request), now), undefined);
      }
    }
  }
  return evicted;
}

describe("Rust members that went astray from where most are (PITFALLS B3)", () => {
  it("are made to join anew, few or all of them: where a majority is, it needs none of them", () => {
    for (const count of [1, 2, 3, 4]) assert.deepEqual(evictedFrom(hosts(count)), new Set(hosts(count)));
  });

  it("are left where they are by one that is with no majority", () => {
    assert.deepEqual(evictedFrom(hosts(4), hosts(2, 5)), new Set());
  });
});

describe("whoever was left behind by members that have all left us", () => {
  it("asks newcomers, too, that have it as a member and asked where it is", () => {
    const view = viewOfSize(5);
    const out = new Outgoing<HealingCall>();
    const healing = new Healing({ self, settings: DEFAULT_SETTINGS, random: seededRandom(5n) }, out);
    healing.entered(view, uuid(4), []);
    healing.follow(view, undefined, undefined, 0);
    const elsewhere = 77n;
    healing.compare(
      { kind: "compare", sender: newcomer, configuration: elsewhere, past: [], uuid: uuid(100) },
      0,
    );
    const asked: Endpoint[] = [];
    for (let round = 0; round < 4 && asked.length === 0; round++) {
      const now = healing.wakeAt;
      healing.wake(now, { isFree: false, awaited: undefined });
      for (const effect of out.take()) {
        const call = effect.kind === "call" ? out.answered(effect.call) : undefined;
        if (effect.kind !== "call" || call === undefined) continue;
        if (call.kind === "return") asked.push(effect.to);
        else healing.answered(call, { ...compared, configuration: elsewhere, sender: effect.to }, now);
      }
    }
    assert.deepEqual(asked.slice(0, 1), [newcomer]);
  });
});
