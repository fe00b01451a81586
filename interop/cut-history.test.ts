import assert from "node:assert/strict";
import { test } from "node:test";
import type { PrintedCut } from "../test/member-process.ts";
import { contradictions, type Recording } from "./cut-history.ts";

const a = "127.0.0.1:1";
const b = "127.0.0.1:2";
const c = "127.0.0.1:3";

function cut(confId: string, local: string, members: readonly string[], change: Partial<PrintedCut> = {}) {
  return {
    event: "cut",
    time: 0,
    confId,
    local,
    degraded: !members.includes(local),
    skipped: 0,
    members: members.map((address) => ({ address, tls: false, metadata: {} })),
    joined: [],
    kicked: [],
    ...change,
  } satisfies PrintedCut;
}

function recording(address: string, ...cuts: PrintedCut[]): Recording {
  return { name: `member ${address}`, address, cuts };
}

const founder = recording(
  a,
  cut("10", a, [a], { joined: [a] }),
  cut("11", a, [a, b], { joined: [b] }),
  cut("12", a, [a, b, c], { joined: [c] }),
  cut("13", a, [a, c], { kicked: [b] }),
  cut("14", a, [a, b, c], { joined: [b] }),
);

test("members that join, are removed and come back walk along one chain", () => {
  const history = [
    founder,
    recording(
      b,
      cut("11", b, [a, b], { joined: [a, b] }),
      cut("12", b, [a, b, c], { joined: [c] }),
      cut("13", b, [a, c], { kicked: [b] }),
      cut("14", b, [a, b, c], { joined: [a, b, c] }),
    ),
    recording(c, cut("12", c, [a, b, c], { joined: [a, b, c] }), cut("14", c, [a, b, c], { skipped: 1 })),
  ];
  assert.deepEqual(contradictions(history, { complete: true }), []);
});

const unsound: readonly (readonly [what: string, other: Recording, found: RegExp])[] = [
  [
    "one configuration with two member lists",
    recording(b, cut("11", b, [b, c], { joined: [b, c] })),
    /^configuration 11 is .* to the member 127\.0\.0\.1:1, and .* to the member 127\.0\.0\.1:2$/,
  ],
  [
    "one configuration with metadata that differs",
    recording(
      b,
      cut("11", b, [], {
        degraded: false,
        joined: [b],
        members: [
          { address: a, tls: false, metadata: { rev: "2" } },
          { address: b, tls: false, metadata: {} },
        ],
      }),
    ),
    /^configuration 11 is /,
  ],
  [
    "two successors of one configuration",
    recording(b, cut("11", b, [a, b], { joined: [b] }), cut("99", b, [b], { kicked: [a] })),
    /^after 11 comes 12 for the member .*, and 99 for the member /,
  ],
  [
    "two predecessors of one configuration",
    recording(b, cut("99", b, [b], { joined: [b] }), cut("11", b, [a, b], { joined: [a] })),
    /^before 11 comes 10 for the member .*, and 99 for the member /,
  ],
  [
    "a configuration that comes again",
    recording(c, cut("12", c, [a, b, c], { joined: [c] }), cut("12", c, [a, b, c], { joined: [c] })),
    /^the member 127\.0\.0\.1:3 came back to 12$/,
  ],
  [
    "a mesh that somebody founded beside",
    recording(c, cut("98", c, [c], { joined: [c] }), cut("99", c, [b, c], { joined: [b] })),
    /^2 chains of configurations instead of one begin at 10 and at 98$/,
  ],
  [
    "a change that does not lead to the member list",
    recording(c, cut("12", c, [a, b, c], { joined: [c] }), cut("13", c, [a, c], { kicked: [a] })),
    /^the member 127\.0\.0\.1:3 went from 12 \[.*\] to 13 \[.*\] by joined \[\] and kicked \[127\.0\.0\.1:1\]$/,
  ],
  [
    "a member that is degraded and listed",
    recording(b, cut("11", b, [a, b], { joined: [b], degraded: true })),
    /^the member 127\.0\.0\.1:2 is degraded in 11, against its member list$/,
  ],
  [
    "a cut in somebody else's name",
    recording(b, cut("11", a, [a, b], { joined: [b] })),
    /^the member 127\.0\.0\.1:2 says in 11 that it is 127\.0\.0\.1:1$/,
  ],
];

for (const [what, other, found] of unsound) {
  test(`${what} is found`, () => {
    const [first] = contradictions([founder, other], { complete: true });
    assert.match(first ?? "nothing", found);
  });
}

test("two members that go the same way in opposite directions are found", () => {
  const there = recording(b, cut("98", b, [b], { joined: [b] }), cut("99", b, [b, c], { joined: [c] }));
  const back = recording(c, cut("99", c, [b, c], { joined: [b, c] }), cut("98", c, [b], { kicked: [c] }));
  assert.deepEqual(contradictions([founder, there, back], { complete: true }), [
    "configurations follow each other in a circle: 98 99",
  ]);
});

test("a part of the members need not have seen every link", () => {
  const frozen = recording(
    c,
    cut("12", c, [a, b, c], { joined: [c] }),
    cut("16", c, [a, b, c], { joined: [c] }),
  );
  assert.deepEqual(contradictions([frozen], { complete: false }), []);
  assert.equal(contradictions([frozen], { complete: true }).length, 1);
});
