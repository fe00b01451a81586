import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, joiner, viewOfSize } from "../../test/core/sample-views.ts";
import type { Finding } from "./configuration-check.ts";
import { findingOf, placeIn } from "./inquiry.ts";
import { ack, type Compared, type Reply } from "./messages.ts";
import { refuse, refused } from "./refusals.ts";

const past = viewOfSize(4);
const view = viewOfSize(5);
const other = view.next([host(9)], new Map([[host(9), joiner(9)]]));

function compared(configuration: bigint, isMember = true): Compared {
  const size = 5;
  const told = { wasMember: true, chain: [], contacts: [], replaced: [], hasAdmitted: isMember };
  return { kind: "compared", sender: host(1), configuration, size, isMember, ...told };
}

describe("the answer of one that was asked where it is", () => {
  const answers: readonly (readonly [string, Reply, Finding])[] = [
    ["of a Node member that is with us", compared(view.id), "same"],
    ["of one in a configuration that we have left", compared(past.id), "behind"],
    ["of one elsewhere", compared(other.id), "other"],
    ["of one elsewhere without us", compared(other.id, false), "stranger"],
    ["of one that is in no configuration", compared(0n), "silent"],
    ["of a Rust member that is with us", refuse.notOurRank, "same"],
    ["of one elsewhere", refuse.wrongConfiguration, "other"],
    ["of one that does not know us", refuse.notMember(host(0)), "stranger"],
    [
      "of a process that knows no such question, at the address of a Node member",
      refused("unimplemented", ""),
      "stranger",
    ],
    ["of one that is dead", refused("unavailable", "connection refused"), "silent"],
    ["to something else", ack, "silent"],
  ];
  for (const [whose, reply, finding] of answers) {
    it(`${whose} says: ${finding}`, () => {
      const history = { isPast: (id: bigint) => id === past.id };
      assert.equal(findingOf(reply, view, history), finding);
    });
  }

  it("names its configuration, if it is in one and is a Node member", () => {
    assert.equal(placeIn(compared(other.id)), other.id);
    for (const reply of [compared(0n), refuse.wrongConfiguration, ack])
      assert.equal(placeIn(reply), undefined);
  });
});
