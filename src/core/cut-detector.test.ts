import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { host, hosts, K, nodeMetadata, viewOfSize } from "../../test/core/sample-views.ts";
import { CutDetector } from "./cut-detector.ts";
import { compareEndpoints, type Endpoint, endpointOf } from "./endpoint.ts";
import { seededRandom, shuffled } from "./random.ts";
import { View } from "./view.ts";

const H = 9;
const L = 4;

function detectorOf(view: View): CutDetector {
  return new CutDetector(view, { observers: K, high: H, low: L });
}

function report(detector: CutDetector, node: Endpoint, count: number, from = 0): void {
  for (let ring = from; ring < from + count; ring++) detector.report(node, ring, 0);
}

/** What the living observers of the dead report, each on its own rings. */
function reportsOf(view: View, dead: ReadonlySet<Endpoint>): readonly (readonly [Endpoint, number])[] {
  return [...dead].flatMap((node) =>
    [...view.observersOf(node).entries()]
      .filter(([, observer]) => !dead.has(observer))
      .map(([ring]) => [node, ring] as const),
  );
}

/** Subjects with an observer that holds them on this many rings. */
function pairsWith(view: View, rings: number): readonly (readonly [subject: Endpoint, observer: Endpoint])[] {
  return view.members.flatMap((subject) =>
    [...new Set(view.observersOf(subject))]
      .filter((observer) => view.ringsHeld(observer, subject).length === rings)
      .map((observer) => [subject, observer] as const),
  );
}

describe("CutDetectionTest of Java Rapid", () => {
  const view = viewOfSize(30);
  const [a, b, c] = [host(100), host(101), host(102)];

  it("cutDetectionTest: there is a proposal exactly at H reports (Rapid §4.2)", () => {
    const detector = detectorOf(view);
    report(detector, a, H - 1);
    assert.equal(detector.proposal(), undefined);
    report(detector, a, 1, H - 1);
    assert.deepEqual(detector.proposal(), [a]);
  });

  it("cutDetectionTestBlockingOneBlocker: who is between L and H holds the other back, then goes with it", () => {
    const detector = detectorOf(view);
    report(detector, a, H - 1);
    report(detector, b, H - 1);
    report(detector, a, 1, H - 1);
    assert.equal(detector.proposal(), undefined);
    report(detector, b, 1, H - 1);
    assert.deepEqual(detector.proposal(), [a, b]);
  });

  it("cutDetectionTestBlockingThreeBlockers: the last of three to become stable releases them all", () => {
    const detector = detectorOf(view);
    for (const node of [a, b, c]) report(detector, node, H - 1);
    for (const node of [a, c]) {
      report(detector, node, 1, H - 1);
      assert.equal(detector.proposal(), undefined);
    }
    report(detector, b, 1, H - 1);
    assert.deepEqual(detector.proposal(), [a, b, c]);
  });

  it("cutDetectionTestBlockingMultipleBlockersPastH: reports beyond H release nobody early", () => {
    const detector = detectorOf(view);
    for (const node of [a, b, c]) report(detector, node, H - 1);
    for (const node of [a, c]) report(detector, node, K);
    assert.equal(detector.proposal(), undefined);
    report(detector, b, 1, H - 1);
    assert.deepEqual(detector.proposal(), [a, b, c]);
  });

  it("cutDetectionTestBelowL: fewer than L reports are noise and hold nobody back", () => {
    const detector = detectorOf(view);
    report(detector, a, H - 1);
    report(detector, b, L - 1);
    report(detector, c, H - 1);
    report(detector, a, 1, H - 1);
    assert.equal(detector.proposal(), undefined);
    report(detector, c, 1, H - 1);
    assert.deepEqual(detector.proposal(), [a, c]);
  });

  it("cutDetectionTestBatch: many subjects of one batch make one proposal", () => {
    const detector = detectorOf(view);
    for (const node of [c, a, b]) report(detector, node, K);
    assert.deepEqual(detector.proposal(), [a, b, c]);
  });

  it("cutDetectionTestLinkInvalidation: reports that failing observers owe are implied", () => {
    const detector = detectorOf(view);
    const subject = host(0);
    const silent = new Set(view.observersOf(subject).slice(H - 1));
    for (const [ring, observer] of view.observersOf(subject).entries()) {
      if (!silent.has(observer)) detector.report(subject, ring, 0);
    }
    for (const node of silent) report(detector, node, K);
    assert.equal(detector.proposal(), undefined);
    detector.infer(0);
    assert.deepEqual(detector.proposal(), [subject, ...silent].sort(compareEndpoints));
  });
});

describe("a cut detector", () => {
  const view = viewOfSize(12);

  it("is held back by a count of exactly L, and by none below", () => {
    for (const [count, holds] of [
      [L - 1, false],
      [L, true],
      [H - 1, true],
    ] as const) {
      const detector = detectorOf(view);
      report(detector, host(100), H);
      report(detector, host(101), count);
      assert.equal(detector.proposal() === undefined, holds, `${count} reports`);
    }
  });

  it("counts a ring once, however often it is reported", () => {
    const detector = detectorOf(view);
    for (let i = 0; i < 20; i++) detector.report(host(100), 3, i);
    assert.equal(detector.countOf(host(100)), 1);
    assert.deepEqual(
      [2, 3, 4].map((ring) => detector.isReported(host(100), ring)),
      [false, true, false],
    );
  });

  it("says since when a subject has been unstable, without a break, until it is stable", () => {
    const detector = detectorOf(view);
    for (let ring = 0; ring < H; ring++) {
      detector.report(host(100), ring, 1000 + ring);
      const expected = ring + 1 < L || ring + 1 >= H ? [] : [{ node: host(100), since: 1000 + L - 1 }];
      assert.deepEqual(detector.unstable(), expected);
    }
  });

  it("stops waiting for a subject that is ignored, but proposes it once it is stable", () => {
    const detector = detectorOf(view);
    report(detector, host(100), H);
    report(detector, host(101), L);
    detector.ignore(host(101));
    assert.deepEqual(detector.proposal(), [host(100)]);
    report(detector, host(101), H);
    assert.deepEqual(detector.proposal(), [host(100), host(101)]);
  });

  it("says since when a subject has been unstable by the word of stable members alone", () => {
    const view = viewOfSize(5);
    const [subject, accuser] = pairsWith(view, L)[0]!;
    const detector = detectorOf(view);
    for (const ring of view.ringsHeld(accuser, subject)) detector.report(subject, ring, 1000);
    assert.equal(detector.accusedByStableSince(subject), Infinity, "its accuser is not stable");
    for (let ring = 0; ring < H; ring++) detector.report(accuser, ring, 2000 + ring);
    assert.equal(detector.accusedByStableSince(subject), 2000 + H - 1);
    detector.report(accuser, H, 3000);
    assert.equal(detector.accusedByStableSince(subject), 2000 + H - 1, "it was stable already");
    const other = view.observersOf(subject).findIndex((observer) => observer !== accuser);
    detector.report(subject, other, 4000);
    assert.equal(detector.accusedByStableSince(subject), Infinity, "somebody else accuses it, too");
  });

  it("stops waiting for a subject that is excused, until one accuses it who is not stable", () => {
    const view = viewOfSize(5);
    const [subject, accuser] = pairsWith(view, L)[0]!;
    const rings = view.ringsHeld(accuser, subject);
    const detector = detectorOf(view);
    for (const ring of rings) detector.report(subject, ring, 0);
    report(detector, accuser, H);
    assert.equal(detector.proposal(), undefined);
    detector.excuse(subject);
    assert.deepEqual(detector.proposal(), [accuser]);
    for (const ring of rings) detector.report(subject, ring, 1);
    assert.deepEqual(detector.proposal(), [accuser], "nothing new is said");
    const other = view.observersOf(subject).findIndex((observer) => observer !== accuser);
    detector.report(subject, other, 2);
    assert.equal(detector.proposal(), undefined);
  });

  it("knows how many distinct observers accuse a subject", () => {
    const detector = detectorOf(view);
    const [first, second] = [...new Set(view.observersOf(host(0)))];
    for (const ring of view.ringsHeld(first!, host(0))) detector.report(host(0), ring, 0);
    assert.equal(detector.witnessesOf(host(0), 0), 1);
    detector.report(host(0), view.ringsHeld(second!, host(0))[0]!, 0);
    assert.equal(detector.witnessesOf(host(0), 0), 2);
    assert.equal(detector.witnessesOf(host(0), 1), 0, "what was said long ago does not count");
  });

  it("takes nobody for a witness who said nothing, though its report is implied (PITFALLS B9)", () => {
    const small = viewOfSize(5);
    const [subject, accuser] = [...pairsWith(small, 4), ...pairsWith(small, 5)][0]!;
    const dead = small.observersOf(subject).find((observer) => observer !== accuser)!;
    const detector = detectorOf(small);
    for (const ring of small.ringsHeld(accuser, subject)) detector.report(subject, ring, 0);
    report(detector, dead, K);
    detector.infer(0);
    assert.ok(small.ringsHeld(dead, subject).every((ring) => detector.isReported(subject, ring)));
    assert.equal(detector.witnessesOf(subject, 0), 1);
  });

  it("comes to the same counts whatever the order of reports, and no count ever falls", () => {
    const reports = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: K - 1 })),
      {
        selector: ([node, ring]) => `${node} ${ring}`,
        maxLength: 120,
      },
    );
    const orders = reports.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(orders, fc.infiniteStream(fc.boolean()), ([one, other], pauses) => {
        const nodes = hosts(16);
        const together = detectorOf(view);
        for (const [node, ring] of one) together.report(host(node), ring, 0);
        together.infer(0);
        const piecemeal = detectorOf(view);
        for (const [node, ring] of other) {
          const before = nodes.map((n) => piecemeal.countOf(n));
          piecemeal.report(host(node), ring, 0);
          if (pauses.next().value) piecemeal.infer(0);
          for (const [i, n] of nodes.entries()) assert.ok(piecemeal.countOf(n) >= before[i]!);
        }
        piecemeal.infer(0);
        assert.deepEqual(piecemeal.proposal(), together.proposal());
        for (const n of nodes) assert.equal(piecemeal.countOf(n), together.countOf(n));
      }),
      { numRuns: 60 },
    );
  });
});

describe("a member's tellers", () => {
  it("are all gone when all its observers are reported, unless Node members look past those", () => {
    const node = host(0);
    for (const [view, isAlone] of [
      [viewOfSize(30, (i) => i > 0), true],
      [viewOfSize(30, (i) => i === 7), false],
      [viewOfSize(30), false],
    ] as const) {
      const detector = detectorOf(view);
      const tellers = [...new Set(view.observersOf(node))];
      for (const teller of tellers) {
        assert.equal(detector.isCutOff(node), false);
        report(detector, teller, 1);
      }
      assert.equal(detector.isCutOff(node), isAlone);
      assert.equal(detector.isCompany(node), view.isAllNode === false);
      assert.ok(!isAlone || view.members.every((member) => member === node || !detector.isCompany(member)));
    }
  });

  it("are none for one that is alone, which is not cut off", () => {
    assert.equal(detectorOf(viewOfSize(1, () => true)).isCutOff(host(0)), false);
  });
});

describe("a proposal", () => {
  for (const [size, most] of [
    [2, 1],
    [3, 1],
    [4, 1],
    [5, 2],
    [8, 3],
    [9, 4],
    [50, 24],
  ] as const) {
    it(`removes at most ${most} of ${size} members, the first in Endpoint order, and admits any number`, () => {
      const detector = detectorOf(viewOfSize(size));
      for (const node of [...hosts(20, 100), ...hosts(size)]) report(detector, node, K);
      assert.deepEqual(detector.proposal(), [...hosts(most), ...hosts(20, 100)]);
    });
  }
});

describe("implied reports (PITFALLS B7)", () => {
  it("lift a joiner that is at exactly L because one crashed observer holds its other rings (LIVE §2.1)", () => {
    const view = viewOfSize(4);
    const dead = host(1);
    const joiner = hosts(1000, 100).find((node) => view.ringsHeld(dead, node).length === K - L)!;
    const detector = detectorOf(view);
    for (const [ring, observer] of view.observersOf(joiner).entries()) {
      if (observer !== dead) detector.report(joiner, ring, 0);
    }
    for (const [node, ring] of reportsOf(view, new Set([dead]))) detector.report(node, ring, 0);
    assert.equal(detector.countOf(joiner), L);

    detector.infer(0);

    assert.equal(detector.countOf(joiner), K);
    assert.deepEqual(detector.proposal(), [dead, joiner]);
  });

  it("come from observers at exactly L too, and from observers that are past H already", () => {
    const view = viewOfSize(30);
    const [subject, observer] = pairsWith(view, 2)[0]!;
    for (const count of [L, H, K]) {
      const detector = detectorOf(view);
      for (const [ring, o] of view.observersOf(subject).entries()) {
        if (o !== observer) detector.report(subject, ring, 0);
      }
      report(detector, observer, count);
      detector.infer(0);
      assert.equal(detector.countOf(subject), K, `an observer with ${count} reports`);
    }
  });

  it("do not come from observers with fewer than L reports", () => {
    const view = viewOfSize(30);
    const detector = detectorOf(view);
    report(detector, host(0), L);
    for (const observer of view.observersOf(host(0))) report(detector, observer, L - 1);
    detector.infer(0);
    assert.equal(detector.countOf(host(0)), L);
  });

  it("follow from each other until nothing new follows", () => {
    // Members of which each is lifted only by the one before it: a → b → c.
    const view = viewOfSize(30);
    const pairs = pairsWith(view, 2);
    const chains = pairs.flatMap(([b, a]) =>
      pairs
        .filter(([c, observer]) => observer === b && c !== a)
        .filter(([c]) => view.ringsHeld(a, c).length === 0 && view.ringsHeld(c, b).length === 0)
        .map(([c]) => [a, b, c] as const),
    );
    const [a, b, c] = chains[0]!;
    const detector = detectorOf(view);
    report(detector, a, K);
    for (const [subject, silent] of [
      [b, a],
      [c, b],
    ] as const) {
      for (const [ring, o] of view.observersOf(subject).entries())
        if (o !== silent) detector.report(subject, ring, 0);
    }
    detector.infer(0);
    assert.deepEqual(
      [a, b, c].map((node) => detector.countOf(node)),
      [K, K, K],
    );
  });

  it("find ten of fifty that crash at once in nearly every layout, where the crate's rule misses most", () => {
    const view = viewOfSize(50);
    const random = seededRandom(7n);
    const missed = Array.from({ length: 200 }, () => {
      const dead = new Set(shuffled(view.members, random).slice(0, 10));
      const detector = detectorOf(view);
      for (const [node, ring] of reportsOf(view, dead)) detector.report(node, ring, 0);
      detector.infer(0);
      return detector.proposal()?.join() !== [...dead].sort(compareEndpoints).join();
    }).filter((isMissed) => isMissed);
    assert.ok(missed.length <= 4, `${missed.length} of 200`);
  });
});

describe("reports implied together", () => {
  it("find nine of twenty that crash at once and observe each other, and nobody else", () => {
    const view = viewOfSize(20);
    const random = seededRandom(3n);
    for (let i = 0; i < 100; i++) {
      const dead = new Set(shuffled(view.members, random).slice(0, 9));
      const detector = detectorOf(view);
      for (const [node, ring] of shuffled(reportsOf(view, dead), random)) detector.report(node, ring, 0);
      detector.infer(0);
      detector.inferTogether(0, 0);
      assert.deepEqual(detector.proposal(), [...dead].sort(compareEndpoints));
    }
  });

  it("never follow from noise, even where one subject is unstable and everybody was suspected once", () => {
    for (const size of [4, 5, 8, 20, 50]) {
      const view = viewOfSize(size);
      const detector = detectorOf(view);
      for (const node of view.members) report(detector, node, 1);
      report(detector, host(0), L);
      detector.infer(0);
      detector.inferTogether(0, 0);
      assert.equal(detector.proposal(), undefined, `of ${size} members`);
      assert.equal(detector.countOf(host(1)), 1);
    }
  });

  it("are not made of accusations that nobody has repeated for long", () => {
    const view = viewOfSize(20);
    const dead = new Set(view.members.slice(0, 9));
    const detector = detectorOf(view);
    for (const [node, ring] of reportsOf(view, dead)) detector.report(node, ring, 0);
    const counts = [...dead].map((node) => detector.countOf(node));
    detector.inferTogether(1, 1);
    assert.deepEqual(
      [...dead].map((node) => detector.countOf(node)),
      counts,
    );
  });

  it("take along a member whose observers have all crashed, unless something was heard of it", () => {
    // Sequential ports share their observers on many rings (PITFALLS B14): nobody who lives observes port 3.
    const ports = [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13];
    const at = (port: number): Endpoint => endpointOf(new Uint8Array([127, 0, 0, 1]), port, false)!;
    const records = ports.map((port) => ({ endpoint: at(port), metadata: nodeMetadata() }));
    const view = View.of(K, records, []);
    const dead = new Set([1, 2, 3, 5, 12].map(at));
    assert.ok(view.observersOf(at(3)).every((observer) => dead.has(observer)));
    for (const isHeard of [false, true]) {
      const detector = detectorOf(view);
      if (isHeard) detector.hears(view.indexOf(at(3)), 5);
      for (const [node, ring] of reportsOf(view, dead)) detector.report(node, ring, 5);
      detector.infer(5);
      detector.inferTogether(1, 5);
      if (isHeard) assert.equal(detector.countOf(at(3)), 0, "it lives");
      else assert.deepEqual(detector.proposal(), [...dead].sort(compareEndpoints));
    }
  });

  it("do not let joiners speak for each other", () => {
    const view = viewOfSize(5);
    const detector = detectorOf(view);
    for (const node of hosts(5, 100)) report(detector, node, L);
    detector.inferTogether(0, 0);
    for (const node of hosts(5, 100)) assert.equal(detector.countOf(node), L);
  });
});
